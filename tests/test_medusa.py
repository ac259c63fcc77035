"""The fake Medusa shop passes the cases that a real one passes; and what else it offers to tests."""

from __future__ import annotations

import pytest
from fake_medusa import FakeBench
from medusa_bench import BATCH

from omsync.http.messages import Request
from omsync.testing.carts.medusa import MedusaShop

pytest.register_assert_rewrite("medusa_cases")
from medusa_cases import MedusaCases  # noqa: E402  rewritten by the line above


@pytest.fixture
def bench() -> FakeBench:
    return FakeBench()


class TestTheFakeShop(MedusaCases):
    """What a real shop does, the fake does."""


def test_an_order_reserves_units_and_its_shipment_takes_them_away() -> None:
    shop = MedusaShop(locations=["West", "East"])
    shop.add("TEE", {"West": 10, "East": 2})
    shop.sell("TEE", 4)
    assert (shop.quantity("TEE"), shop.reserved("TEE"), shop.buyable("TEE")) == (10, 4, 8)
    shop.ship("TEE", 4)
    assert (shop.quantity("TEE"), shop.reserved("TEE"), shop.buyable("TEE")) == (6, 0, 8)
    assert shop.quantity("TEE", "East") == 2


def test_an_item_may_have_no_level_at_a_location() -> None:
    shop = MedusaShop(locations=["West", "East"])
    shop.add("TEE", {"West": 10})
    assert (shop.quantity("TEE", "East"), shop.reserved("TEE", "East")) == (None, 0)
    with pytest.raises(LookupError, match="'TEE' has no level at 'East'"):
        shop.sell("TEE", 1, "East")


@pytest.mark.parametrize("ask", ["quantity", "buyable", "location", "item_id"])
def test_what_the_fake_does_not_have_is_a_lookup_error(ask: str) -> None:
    with pytest.raises(LookupError, match="NO-SUCH"):
        getattr(MedusaShop(), ask)("NO-SUCH")


@pytest.mark.parametrize(
    ("content", "says"), [(b"{", "in JSON"), (b"[]", "Expected type: 'object'")], ids=["broken", "list"]
)
def test_a_body_that_is_no_object_is_refused(bench: FakeBench, content: bytes, says: str) -> None:
    request = Request(method="POST", url="https://shop.example/auth/user/emailpass", raw=content)
    answer = bench.send(request)
    assert (answer.status, answer.json()["type"], says in answer.json()["message"]) == (
        400,
        "invalid_data",
        True,
    )


@pytest.mark.parametrize("authorization", ["Basic !", "Basic /w==", "Bearer nobody", "Digest x"])
def test_strange_credentials_are_turned_away(bench: FakeBench, authorization: str) -> None:
    headers = {"authorization": authorization}
    assert bench.ask("GET", "/admin/stock-locations", headers=headers)[0] == 401


def test_reserved_units_cannot_be_removed_nor_more_be_reserved_than_there_are(bench: FakeBench) -> None:
    item = bench.items["PART-001"]
    level = f"/admin/inventory-items/{item}/location-levels/{bench.west}"
    wanted = {"inventory_item_id": item, "location_id": bench.west, "quantity": 11}
    status, said = bench.ask("POST", "/admin/reservations", wanted)
    assert (status, said["type"]) == (400, "not_allowed")
    assert bench.ask("POST", "/admin/reservations", {**wanted, "location_id": bench.east})[0] == 404
    assert bench.ask("POST", "/admin/reservations", {**wanted, "quantity": 1})[0] == 200
    status, said = bench.ask("DELETE", level)
    assert (status, said["type"]) == (400, "not_allowed")


def test_a_batch_is_answered_in_another_order(bench: FakeBench) -> None:
    rows = [bench.row(sku, 1) for sku in ("PART-001", "PART-002")]
    _, said = bench.ask("POST", BATCH, {"update": rows})
    answered = [row["inventory_item_id"] for row in said["updated"]]
    assert answered == [bench.items["PART-002"], bench.items["PART-001"]]


def test_a_row_without_a_location_is_named(bench: FakeBench) -> None:
    status, said = bench.ask("POST", BATCH, {"update": [{"inventory_item_id": "x"}]})
    assert (status, said["message"]) == (400, "Invalid request: Field 'update, 0, location_id' is required")


def test_a_row_without_a_quantity_changes_nothing(bench: FakeBench) -> None:
    level = f"/admin/inventory-items/{bench.items['PART-001']}/location-levels/{bench.west}"
    assert bench.ask("POST", level, {})[0] == 200
    assert bench.on_hand("PART-001") == 10
