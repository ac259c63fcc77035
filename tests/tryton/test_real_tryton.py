"""The Tryton source against a running Tryton: what it really answers, and what the source makes of it.

Tests that move stock move that of PART-011 and later ones; the others look at PART-001 to PART-010.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from two_runners import RUNNERS

from omsync import aio
from omsync.errors import RefusedError, SettingsError, UnauthorizedError
from omsync.http.blocking import Runner
from omsync.http.client import Http
from omsync.http.messages import Conversation, Request, Response
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, talk
from omsync.model import Alias, Bundle, Component, InventorySnapshot, StockLevel
from omsync.ports import OrderManagerSource, ReadRequest
from omsync.settings import CartSettings, MerchantSettings, PerWarehouse
from omsync.sinks.files import CsvCart
from omsync.sources import _tryton as api
from omsync.sources.tryton import Tryton
from omsync.sync import sync_cart

pytestmark = pytest.mark.tryton

Facts = dict[str, Any]
NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
MERCHANT = MerchantSettings(mode=PerWarehouse())
REQUEST = ReadRequest(merchant=MERCHANT, now=NOW)
IMPATIENT = RetryPolicy(attempts=1)
BRISK = Pace(per_second=1000.0, burst=8)


class Admin:
    """The administrator at Tryton's own door, to see and to move what a source does not."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        access = api.Access(url=facts["url"], database=facts["database"])
        self.access = self.hold(api.log_in(access, "admin", facts["admin_password"]))
        self.access = self.hold(api.look_around(self.access))

    def hold(self, conversation: Conversation[Any]) -> Any:
        with Runner() as runner:
            return runner.run(talk(Line(account="by hand", retry=IMPATIENT), conversation))

    def call(self, method: str, *parameters: Any, **context: Any) -> Any:
        def once() -> Conversation[Any]:
            whole = {**self.access.context, **context}
            response = yield self.access.call(f"model.{method}", *parameters, whole)
            return self.access.result(response, method).value

        return self.hold(once())

    def quantities(self, code: str, **context: Any) -> tuple[float, float]:
        """Give Tryton's own quantity and forecast of one product."""
        fields = ["quantity", "forecast_quantity"]
        (row,) = self.call("product.product.read", [self.facts["products"][code]], fields, **context)
        return row["quantity"], row["forecast_quantity"]

    def move(self, code: str, quantity: float, origin: int, goal: int, **more: Any) -> int:
        """Draw up one stock move; give its id."""
        (made,) = self.call("stock.move.create", [self.draft(code, quantity, origin, goal, **more)])
        return int(made)

    def priced(self) -> dict[str, Any]:
        """What a move needs that crosses the company's door."""
        return {
            "currency": self.facts["currency"],
            "unit_price": {"__class__": "Decimal", "decimal": "1"},
        }

    def draft(self, code: str, quantity: float, origin: int, goal: int, **more: Any) -> dict[str, Any]:
        return {
            "product": self.facts["products"][code],
            "unit": self.facts["unit"],
            "quantity": quantity,
            "from_location": origin,
            "to_location": goal,
            "company": self.facts["company"],
            **more,
        }

    def order(self, code: str, quantity: float, *, days: int) -> int:
        """Draw up a shipment out of the main warehouse, planned so many days from now; give its id."""
        facts, main = self.facts, self.facts["main"]
        planned = date(days)
        (shipment,) = self.call(
            "stock.shipment.out.create",
            [
                {
                    "customer": facts["customer"],
                    "delivery_address": facts["address"],
                    "company": facts["company"],
                    "warehouse": main["id"],
                    "warehouse_storage": main["storage"],
                    "warehouse_output": main["output"],
                    "planned_date": planned,
                }
            ],
        )
        goods = self.draft(
            code, quantity, main["output"], facts["customers"], planned_date=planned, **self.priced()
        )
        self.call("stock.shipment.out.write", [shipment], {"outgoing_moves": [["create", [goods]]]})
        return int(shipment)

    def transfer(self, code: str, quantity: float, origin: int, goal: int) -> int:
        """Draw up a shipment from one warehouse's storage to another's; give its id."""
        ends = {"from_location": origin, "to_location": goal, "company": self.facts["company"]}
        goods = self.draft(code, quantity, origin, goal)
        (shipment,) = self.call("stock.shipment.internal.create", [{**ends, "moves": [["create", [goods]]]}])
        return int(shipment)


def date(days: int) -> dict[str, Any]:
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)
    return {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}


@pytest.fixture(scope="module")
def admin(tryton: Facts) -> Admin:
    return Admin(tryton)


@pytest.fixture(scope="module")
def snapshot(tryton: Facts) -> InventorySnapshot:
    """What a login reads before any test has moved anything."""
    return by_login(tryton).read(REQUEST)


def by_login(facts: Facts, **options: Any) -> Tryton:
    known = {"user": "sync", "password": facts["password"], "retry": IMPATIENT, "pace": BRISK}
    return Tryton(facts["url"], facts["database"], **{**known, **options})


def by_key(facts: Facts, **options: Any) -> Tryton:
    known = {"key": facts["key"], "retry": IMPATIENT, "pace": BRISK}
    return Tryton(facts["url"], facts["database"], **{**known, **options})


def figures(snapshot: InventorySnapshot, code: str) -> dict[str, tuple[int | None, int]]:
    return {level.location_id: (level.on_hand, level.committed) for level in snapshot.levels.of(code)}


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
@pytest.mark.parametrize("make", [by_login, by_key])
def test_a_login_and_a_key_read_the_same_snapshot_in_both_runners(
    tryton: Facts,
    snapshot: InventorySnapshot,
    make: Callable[[Facts], Tryton],
    run: Callable[[Any], InventorySnapshot],
) -> None:
    source = make(tryton)
    assert isinstance(source, OrderManagerSource)

    assert run(source.read_steps(REQUEST)) == snapshot
    assert snapshot.taken_at == NOW
    assert len(snapshot.skus) == 20 + 2 + 3 + 6
    main, east = str(tryton["main"]["id"]), str(tryton["east"]["id"])
    assert figures(snapshot, "PART-007") == {main: (17, 0), east: (7, 0)}


def test_small_pages_give_the_same_snapshot(tryton: Facts, snapshot: InventorySnapshot) -> None:
    assert by_login(tryton, page_size=3).read(REQUEST) == snapshot


def test_a_closed_warehouse_is_listed_and_has_no_records(tryton: Facts, snapshot: InventorySnapshot) -> None:
    closed = str(tryton["closed"]["id"])
    assert {place.id: (place.name, place.active) for place in snapshot.warehouses} == {
        str(tryton["main"]["id"]): ("Warehouse", True),
        str(tryton["east"]["id"]): ("East", True),
        closed: ("Closed", False),
    }
    assert closed not in snapshot.levels.location_ids


def test_inactive_products_services_and_kits_are_told_apart(snapshot: InventorySnapshot) -> None:
    skus = {sku.master_sku: sku for sku in snapshot.skus}

    assert (skus["PART-001"].kind, skus["PART-001"].active) == ("core", True)
    assert not skus["OLD-1"].active
    assert not skus["CLOSED-LINE"].active
    assert skus["GIFT-WRAPPING"].digital
    assert skus["KIT-1"].kind == "bundle"
    assert "without code" not in skus


def test_a_code_that_was_passed_on_is_that_of_the_active_product(
    tryton: Facts, snapshot: InventorySnapshot
) -> None:
    skus = {sku.master_sku: sku for sku in snapshot.skus}
    assert skus["TWIN-1"].source_id == str(tryton["products"]["TWIN-1"])
    assert skus["TWIN-1"].active


def test_tryton_itself_refuses_two_active_products_with_one_code(tryton: Facts, admin: Admin) -> None:
    twin = [tryton["products"]["the twin that was replaced"]]
    with pytest.raises(RefusedError, match="Code of active product must be unique"):
        admin.call("product.product.write", twin, {"active": True})


def test_without_locations_tryton_itself_answers_0_and_no_error(tryton: Facts, admin: Admin) -> None:
    assert admin.quantities("PART-001") == (0.0, 0.0)
    assert admin.quantities("PART-001", locations=[tryton["main"]["id"]]) == (11.0, 11.0)


def test_fractions_of_a_kilogram_are_not_offered(
    tryton: Facts, admin: Admin, snapshot: InventorySnapshot
) -> None:
    main, east = tryton["main"]["id"], tryton["east"]["id"]
    assert admin.quantities("FLOUR", locations=[main]) == (5.7, 5.7)
    assert figures(snapshot, "FLOUR") == {str(main): (5, 0), str(east): (0, 0)}


def test_an_order_is_committed_from_the_day_it_is_drawn_up_until_it_is_shipped(
    tryton: Facts, admin: Admin
) -> None:
    main = tryton["main"]["id"]

    def now() -> tuple[int | None, int]:
        return figures(by_key(tryton).read(REQUEST), "PART-011")[str(main)]

    assert now() == (21, 0)
    shipment = admin.order("PART-011", 4.0, days=9)
    assert now() == (21, 4)
    for stage in ("wait", "assign_force", "pick", "pack"):
        admin.call(f"stock.shipment.out.{stage}", [shipment])
        assert now() == (21, 4), stage
    admin.call("stock.shipment.out.do", [shipment])
    assert now() == (17, 0)


def test_an_overdue_order_is_committed_although_trytons_forecast_leaves_it_out(
    tryton: Facts, admin: Admin
) -> None:
    main = tryton["main"]["id"]
    admin.call("stock.shipment.out.wait", [admin.order("PART-012", 5.0, days=-3)])

    assert admin.quantities("PART-012", locations=[main]) == (22.0, 22.0)
    assert figures(by_key(tryton).read(REQUEST), "PART-012")[str(main)] == (22, 5)


def test_what_is_expected_to_arrive_is_not_offered_although_trytons_forecast_adds_it(
    tryton: Facts, admin: Admin
) -> None:
    main = tryton["main"]
    admin.move("PART-013", 100.0, tryton["suppliers"], main["input"], planned_date=date(4), **admin.priced())

    assert admin.quantities("PART-013", locations=[main["id"]]) == (23.0, 123.0)
    assert figures(by_key(tryton).read(REQUEST), "PART-013")[str(main["id"])] == (23, 0)


def test_a_transfer_is_committed_where_it_leaves_and_not_yet_there_where_it_goes(
    tryton: Facts, admin: Admin
) -> None:
    main, east = tryton["main"], tryton["east"]

    def now() -> tuple[tuple[int | None, int], tuple[int | None, int]]:
        read = figures(by_key(tryton).read(REQUEST), "PART-014")
        return read[str(main["id"])], read[str(east["id"])]

    transfer = admin.transfer("PART-014", 6.0, main["storage"], east["storage"])
    assert now() == ((24, 6), (14, 0))
    for stage in ("wait", "assign_force"):
        admin.call(f"stock.shipment.internal.{stage}", [transfer])
        assert now() == ((24, 6), (14, 0)), stage
    for stage in ("pack", "ship"):
        admin.call(f"stock.shipment.internal.{stage}", [transfer])
    assert now() == ((18, 0), (14, 0))  # on its way
    admin.call("stock.shipment.internal.do", [transfer])
    assert now() == ((18, 0), (20, 0))


def test_a_move_within_a_warehouse_and_a_cancelled_one_change_nothing(tryton: Facts, admin: Admin) -> None:
    main = tryton["main"]
    admin.move("PART-015", 2.0, main["storage"], main["output"])
    gone = admin.move("PART-015", 3.0, main["storage"], tryton["customers"], **admin.priced())
    admin.call("stock.move.cancel", [gone])

    assert figures(by_key(tryton).read(REQUEST), "PART-015")[str(main["id"])] == (25, 0)


def test_kits_are_read_with_their_parts_and_none_of_trytons_own_figure(
    tryton: Facts, admin: Admin, snapshot: InventorySnapshot
) -> None:
    main, east = tryton["main"]["id"], tryton["east"]["id"]
    kits = {bundle.master_sku: bundle for bundle in snapshot.bundles}

    assert kits["KIT-1"] == Bundle(
        master_sku="KIT-1",
        components=[
            Component(master_sku="PART-001", quantity=1),
            Component(master_sku="PART-002", quantity=2),
        ],
    )
    assert [part.quantity for part in kits["KIT-DOZEN"].components] == [12]
    assert [part.quantity for part in kits["KIT-HALF-KILO"].components] == [1]
    assert [part.quantity for part in kits["KIT-FIXED"].components] == [1, 1]
    assert kits["KIT-EMPTY"].components == ()
    assert admin.quantities("KIT-1", locations=[main])[0] == 6.0
    assert snapshot.levels.of("KIT-1") == tuple(
        StockLevel(master_sku="KIT-1", location_id=str(place), on_hand=0)
        for place in sorted([east, main], key=str)
    )


def test_a_wrong_password_is_unauthorized(tryton: Facts) -> None:
    with pytest.raises(UnauthorizedError, match="the login of 'sync' was refused") as caught:
        by_login(tryton, password="wrong-one").read(REQUEST)
    assert "wrong-one" not in str(caught.value)


def test_a_wrong_key_is_unauthorized(tryton: Facts) -> None:
    with pytest.raises(UnauthorizedError, match="does not accept the user application key") as caught:
        by_key(tryton, key="0123456789abcdef").read(REQUEST)
    assert "0123456789abcdef" not in str(caught.value)


@pytest.mark.parametrize("make", [by_login, by_key])
def test_a_database_that_is_not_there_is_named(tryton: Facts, make: Callable[[Facts], Tryton]) -> None:
    with pytest.raises(SettingsError, match="no Tryton database 'elsewhere' here") as caught:
        evolve(make(tryton), database="elsewhere").read(REQUEST)
    assert caught.value.code == "unknown_database"


def test_a_user_without_a_company_would_see_0_everywhere_and_is_refused(tryton: Facts, admin: Admin) -> None:
    idle = Admin.__new__(Admin)
    idle.facts = tryton
    outside = api.Access(url=tryton["url"], database=tryton["database"])
    idle.access = admin.hold(api.log_in(outside, "idle", tryton["password"]))
    assert idle.quantities("PART-001", locations=[tryton["main"]["id"]]) == (0.0, 0.0)

    with pytest.raises(SettingsError, match="works for no company") as caught:
        by_login(tryton, user="idle").read(REQUEST)
    assert caught.value.code == "no_company"


def test_a_user_who_may_not_read_moves_is_told_what_is_needed(tryton: Facts) -> None:
    with pytest.raises(RefusedError, match="not allowed to access") as caught:
        by_login(tryton, user="clerk").read(REQUEST)
    assert "the group Stock" in str(caught.value)


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http()
    yield client
    client.close()


def test_a_context_that_is_lost_on_its_way_is_noticed(tryton: Facts, http: Http) -> None:
    def proxy(request: Request) -> Response:
        headers = {name: text for name, text in request.headers.items() if name != "x-tryton-context"}
        return http.send(evolve(request, headers=headers))

    with pytest.raises(SettingsError, match="the context does not reach Tryton") as caught:
        by_key(tryton, handler=proxy).read(REQUEST)
    assert caught.value.code == "context_lost"


def test_a_session_that_ends_meanwhile_is_begun_again(tryton: Facts, http: Http) -> None:
    asked: list[Request] = []

    def door(request: Request) -> Response:
        asked.append(request)
        if len(asked) == 7:
            access = api.Access(
                url=tryton["url"],
                database=tryton["database"],
                authorization=request.headers["authorization"],
            )
            assert http.send(next(api.log_out(access))).status == 200
        return http.send(request)

    assert by_login(tryton, handler=door).read(REQUEST) == by_login(tryton).read(REQUEST)
    assert [request.body["method"] for request in asked].count("common.db.login") == 2


LISTINGS = tuple(
    Alias(name="Web shop", listing_sku=listing_sku, master_sku=master_sku, units=units)
    for listing_sku, master_sku, units in (
        ("one", "PART-001", 1),
        ("pack-of-5", "PART-010", 5),
        ("kit", "KIT-1", 1),
        ("kit-fixed", "KIT-FIXED", 1),
        ("kit-nameless", "KIT-NAMELESS", 1),
        ("kit-empty", "KIT-EMPTY", 1),
        ("flour-kg", "FLOUR", 1),
        ("wrapping", "GIFT-WRAPPING", 1),
        ("old", "OLD-1", 1),
        ("twin", "TWIN-1", 1),
        ("overdue", "PART-016", 1),
    )
)


@pytest.mark.parametrize("way", ["blocking", "awaiting"])
def test_a_cart_is_told_what_is_free_in_all_warehouses(
    tryton: Facts, admin: Admin, tmp_path: Path, way: str
) -> None:
    if not figures(by_key(tryton).read(REQUEST), "PART-016")[str(tryton["main"]["id"])][1]:
        admin.order("PART-016", 7.0, days=2)
    source = by_login(tryton, aliases=LISTINGS)
    shop, settings = CsvCart(tmp_path / "shop.csv"), CartSettings(name="shop", alias="Web shop")
    if way == "blocking":
        report = sync_cart(source, shop, settings, merchant=MERCHANT)
    else:
        report = asyncio.run(aio.sync_cart(source, shop, settings, merchant=MERCHANT))

    names = [alias.listing_sku for alias in LISTINGS]
    assert {row.listing_sku: row.quantity for row in shop.read(names)} == {
        "one": 12,  # 11 + 1
        "pack-of-5": 6,  # (20 + 10) // 5
        "kit": 7,  # 6 in the main warehouse, where 12 of PART-002 are, and 1 in the east
        "kit-fixed": 16,  # 13 + 3
        "flour-kg": 5,
        "twin": 0,
        "overdue": 35,  # 26 - 7, and 16 in the east
    }
    assert {one.listing_sku: one.reason for one in report.of("skipped") if one.listing_sku} == {
        "kit-nameless": "component_missing",
        "kit-empty": "bundle_without_components",
        "wrapping": "digital_product",
        "old": "inactive_product",
    }
