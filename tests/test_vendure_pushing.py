"""The Vendure sink without a network: pushing, what the shop refuses, and what is tried again."""

from __future__ import annotations

import pytest
from vendure_bench import change, figures, outcomes
from vendure_shop import EAST, MAIN, answer, asked_for, edited, fault, shop_of, sink, writing

from omsync.errors import (
    InvalidValueError,
    LostAnswerError,
    RefusedError,
    ServerFaultError,
    SettingsError,
)
from omsync.http.messages import Request, Response
from omsync.ports import QuantityChange
from omsync.sinks._http import packed
from omsync.sinks._vendure_answers import MAX_BYTES
from omsync.testing.carts.vendure import VendureShop


def test_a_push_writes_on_hand_and_gives_what_the_shop_shows_after() -> None:
    shop = shop_of("CAP")
    shop.add("TEE", 7)
    shop.sell("TEE", 4)
    rows = [change("TEE", 9, MAIN), change("TEE", 2), change("CAP", 0, MAIN)]
    results = sink(shop, location="East").push(rows)
    assert outcomes(results) == [("accepted", "", 9), ("accepted", "", 2), ("accepted", "", 0)]
    shown = figures(sink(shop, location="East").read(["TEE"]))
    assert (shown["TEE", MAIN], shown["TEE", EAST], shown["TEE", None]) == ((9, 4), (2, 0), (2, 0))


def test_every_written_quantity_names_its_location_and_one_variant_is_one_entry() -> None:
    shop = shop_of("TEE")
    sink(shop).push([change("TEE", 9, "Main"), change("TEE", 2, EAST)])
    (sent,) = asked_for(shop, "omsyncWrite")
    levels = [{"stockLocationId": MAIN, "stockOnHand": 9}, {"stockLocationId": EAST, "stockOnHand": 2}]
    assert sent == {"input": [{"id": shop.variant_id("TEE"), "stockLevels": levels}]}


def test_a_push_looks_its_own_skus_up_again_but_not_their_levels() -> None:
    shop = shop_of("TEE", "CAP", "MUG")
    cart = sink(shop, location=MAIN)
    cart.read(["TEE", "CAP", "MUG"])
    shop.requests.clear()
    cart.push([change("TEE", 1), change("CAP", 2)])
    assert asked_for(shop, "omsyncIdentify") == [{"skus": ["TEE", "CAP"], "skip": 0}]
    assert not asked_for(shop, "omsyncFind")
    assert "stockLevels" not in shop.requests[1].json()["query"]


def test_what_became_a_duplicate_or_untracked_since_the_read_is_not_written() -> None:
    shop = shop_of("TEE", "CAP")
    cart = sink(shop, location=MAIN)
    assert {one.state for one in cart.read(["TEE", "CAP"])} == {"listed"}
    shop.add("TEE")
    shop.tracks_by_default = False
    assert outcomes(cart.push([change("TEE", 1), change("CAP", 2)])) == [
        ("rejected", "duplicate_in_cart", None),
        ("skipped", "untracked_in_cart", None),
    ]
    assert not asked_for(shop, "omsyncWrite")


def test_a_push_of_nothing_asks_nothing() -> None:
    shop = shop_of()
    assert sink(shop).push([]) == []
    assert not shop.requests


def test_rows_that_name_no_location_need_one_where_there_are_several() -> None:
    shop = shop_of("TEE")
    with pytest.raises(SettingsError, match=r"'Main' \(id 1\), 'East' \(id 2\)") as caught:
        sink(shop).push([change("TEE", 9)])
    assert caught.value.code == "choose_cart_location"
    assert not asked_for(shop, "omsyncWrite")


def test_what_must_not_be_sent_is_not_sent_and_says_why() -> None:
    shop = shop_of("TEE", "TWIN", "TWIN")
    shop.add("NOTE", tracking="FALSE")
    results = sink(shop).push(
        [
            change("TEE", 2**31, MAIN),
            change("TEE", 1, "777"),
            change("GONE", 1, MAIN),
            change("TWIN", 1, MAIN),
            change("NOTE", 1, MAIN),
        ]
    )
    assert outcomes(results) == [
        ("rejected", "out_of_range", None),
        ("rejected", "unknown_location", None),
        ("rejected", "not_in_cart", None),
        ("rejected", "duplicate_in_cart", None),
        ("skipped", "untracked_in_cart", None),
    ]
    assert "'Main' (id 1), 'East' (id 2)" in results[1].message
    assert "ids 2, 3" in results[3].message
    assert not asked_for(shop, "omsyncWrite")


@pytest.mark.parametrize("quantity", [-1, 1.5, "5", True, None])
def test_a_quantity_that_is_no_whole_number_from_0_cannot_even_be_written_down(quantity: object) -> None:
    with pytest.raises(InvalidValueError):
        QuantityChange(listing_sku="TEE", quantity=quantity, available=0)  # type: ignore[arg-type]  # wrong on purpose


def test_the_largest_quantity_is_sent() -> None:
    results = sink(shop_of("TEE")).push([change("TEE", 2147483647, MAIN)])
    assert outcomes(results) == [("accepted", "", 2147483647)]


def test_tracking_is_switched_on_where_that_is_the_policy() -> None:
    shop = shop_of("TEE")
    shop.add("NOTE", tracking="FALSE")
    sink(shop, untracked_policy="track").push([change("NOTE", 5, MAIN), change("TEE", 5, MAIN)])
    (sent,) = asked_for(shop, "omsyncWrite")
    assert [entry.get("trackInventory") for entry in sent["input"]] == ["TRUE", None]
    assert shop.tracks("NOTE")


def test_an_untracked_variant_is_rejected_where_that_is_the_policy() -> None:
    shop = shop_of()
    shop.add("NOTE", tracking="FALSE")
    results = sink(shop, untracked_policy="error").push([change("NOTE", 5, MAIN)])
    assert outcomes(results) == [("rejected", "untracked_in_cart", None)]


def test_rows_that_contradict_each_other_are_not_sent_and_equal_ones_are_sent_once() -> None:
    shop = shop_of("TEE", "CAP")
    rows = [change("TEE", 1, MAIN), change("TEE", 2, "Main"), change("CAP", 3, MAIN), change("CAP", 3)]
    assert outcomes(sink(shop, location=MAIN).push(rows)) == [
        ("rejected", "contradiction", None),
        ("rejected", "contradiction", None),
        ("accepted", "", 3),
        ("accepted", "", 3),
    ]
    (sent,) = asked_for(shop, "omsyncWrite")
    levels = [{"stockLocationId": MAIN, "stockOnHand": 3}]
    assert sent["input"] == [{"id": shop.variant_id("CAP"), "stockLevels": levels}]


def test_an_answer_that_shows_another_quantity_says_so() -> None:
    shop = shop_of("TEE")

    def ship(data: dict[str, list[dict[str, list[dict[str, int]]]]]) -> None:
        data["updateProductVariants"][0]["stockLevels"][0]["stockOnHand"] -= 1

    (result,) = sink(shop, handler=edited(shop, "omsyncWrite", ship)).push([change("TEE", 7, MAIN)])
    assert (result.status, result.echo, result.message) == ("accepted", 6, "the shop shows 6 after the write")


def test_an_answer_that_shows_nothing_of_a_row_leaves_it_pending() -> None:
    shop = shop_of("TEE")

    def forget(data: dict[str, list[dict[str, list[object]]]]) -> None:
        data["updateProductVariants"][0]["stockLevels"].clear()

    results = sink(shop, handler=edited(shop, "omsyncWrite", forget)).push([change("TEE", 7, MAIN)])
    assert outcomes(results) == [("pending", "not_echoed", None)]


# --- what the shop refuses ----------------------------------------------------------------------------


def in_german(key: str) -> Response:
    message = f'Es konnte kein/e ProductVariant mit der ID "{key}" gefunden werden'
    return fault(message, "ENTITY_NOT_FOUND", ("updateProductVariants",))


def test_a_variant_that_the_shop_names_as_gone_is_dropped_and_the_rest_sent_again() -> None:
    shop = shop_of("TEE", "CAP", "MUG")
    shop.trouble(in_german(shop.variant_id("CAP")), when=writing)
    rows = [change("TEE", 1, MAIN), change("CAP", 2, MAIN), change("MUG", 3, MAIN)]
    assert outcomes(sink(shop).push(rows)) == [
        ("accepted", "", 1),
        ("rejected", "not_in_cart", None),
        ("accepted", "", 3),
    ]
    assert [len(one["input"]) for one in asked_for(shop, "omsyncWrite")] == [3, 2]


def test_a_batch_of_which_nothing_is_left_is_not_sent_again() -> None:
    shop = shop_of("TEE")
    shop.trouble(in_german(shop.variant_id("TEE")), when=writing)
    assert outcomes(sink(shop).push([change("TEE", 1, MAIN)])) == [("rejected", "not_in_cart", None)]
    assert len(asked_for(shop, "omsyncWrite")) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        fault("No entity could be found", "ENTITY_NOT_FOUND", ("updateProductVariants",)),
        fault("SqliteError: FOREIGN KEY constraint failed", None, ("updateProductVariants",)),
        fault('violates foreign key constraint "FK_984c"', None, ("updateProductVariants",)),
        fault("A plugin said no", "USER_INPUT_ERROR", ("updateProductVariants",)),
    ],
)
def test_a_refused_batch_of_which_nothing_was_written_is_for_the_caller_to_halve(refusal: Response) -> None:
    shop = shop_of("TEE", "CAP")
    shop.trouble(refusal, when=writing)
    with pytest.raises(RefusedError) as caught:
        sink(shop).push([change("TEE", 1, MAIN), change("CAP", 2, MAIN)])
    assert caught.value.code == "row_refused"
    assert (shop.quantity("TEE"), shop.quantity("CAP")) == (0, 0)


def test_an_error_below_the_operation_means_that_it_may_have_been_carried_out() -> None:
    shop = shop_of("TEE")
    broken = fault("Cannot read properties of null", None, ("updateProductVariants", 0, "stockLevels"))
    shop.trouble(broken, when=writing)
    with pytest.raises(LostAnswerError):
        sink(shop).push([change("TEE", 1, MAIN)])


def many(count: int) -> tuple[VendureShop, list[QuantityChange]]:
    """Make a shop with many variants, and a row for each at a location with a long id."""
    skus = [f"SKU-{n}" for n in range(count)]
    return shop_of(*skus), [change(sku, 1_000_000_000, MAIN) for sku in skus]


def test_bodies_are_split_by_the_bytes_they_really_have() -> None:
    shop, rows = many(2000)
    results = sink(shop).push(rows)
    assert {(one.status, one.echo) for one in results} == {("accepted", 1_000_000_000)}
    sizes = [len(asked.content) for asked in shop.requests if writing(asked)]
    assert max(sizes) <= MAX_BYTES
    assert len(sizes) == 2
    assert sizes[0] > MAX_BYTES - 200


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (fault("FOREIGN KEY constraint failed"), ("rejected", "row_refused")),
        (fault("You are not currently authorized", "FORBIDDEN"), ("rejected", "unauthorized")),
        (answer({"statusCode": 503, "message": "down"}, 503), ("pending", "server_fault")),
    ],
)
def test_a_later_body_that_fails_does_not_hide_that_the_first_was_written(
    second: Response, expected: tuple[str, str]
) -> None:
    shop, rows = many(2000)
    bodies: list[Request] = []

    def handle(request: Request) -> Response:
        if "omsyncWrite" in request.body["query"]:
            bodies.append(request)
        return second if len(bodies) > 1 else shop.handle(request)

    results = sink(shop, handler=handle).push(rows)
    assert (results[0].status, results[0].echo) == ("accepted", 1_000_000_000)
    assert (results[-1].status, results[-1].reason) == expected


# --- what is tried again ------------------------------------------------------------------------------


def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_is_written_twice() -> None:
    shop = shop_of("TEE")
    shop.trouble("lost", when=writing)
    assert outcomes(sink(shop).push([change("TEE", 5, MAIN)])) == [("accepted", "", 5)]
    assert (len(asked_for(shop, "omsyncWrite")), shop.quantity("TEE")) == (2, 5)


def test_an_answer_that_stays_lost_is_no_refusal() -> None:
    shop = shop_of("TEE")
    shop.trouble("lost", when=writing, times=2)
    with pytest.raises(LostAnswerError):
        sink(shop).push([change("TEE", 5, MAIN)])
    assert shop.quantity("TEE") == 5


def test_the_empty_500_for_a_large_body_is_permanent() -> None:
    shop, rows = many(1000)
    shop.body_limit = 90_000 // 2 + 10_000
    with pytest.raises(RefusedError) as caught:
        sink(shop, page_size=500).push(rows)
    assert caught.value.code == "body_too_large"
    assert len(asked_for(shop, "omsyncWrite")) == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [(1, ""), (1000, "Internal server error")],
    ids=["a small body", "a message"],
)
def test_any_other_500_is_tried_again(rows: int, message: str) -> None:
    shop, changes = many(rows)
    shop.trouble(answer({"statusCode": 500, "message": message}, 500), when=writing)
    assert {one.status for one in sink(shop).push(changes)} == {"accepted"}
    assert len(asked_for(shop, "omsyncWrite")) == 2


def test_a_proxy_that_refuses_the_size_is_believed() -> None:
    shop = shop_of("TEE")
    shop.trouble(Response(status=413, content=b"<html>too large</html>"), when=writing)
    with pytest.raises(RefusedError) as caught:
        sink(shop).push([change("TEE", 1, MAIN)])
    assert caught.value.code == "body_too_large"


@pytest.mark.parametrize("message", ["SqliteError: database is locked", "deadlock detected"])
def test_a_busy_database_is_asked_again_and_in_the_end_reported_as_a_fault(message: str) -> None:
    shop = shop_of("TEE")
    busy = fault(message, None, ("updateProductVariants",))
    shop.trouble(busy, when=writing)
    assert outcomes(sink(shop).push([change("TEE", 1, MAIN)])) == [("accepted", "", 1)]
    shop.trouble(busy, when=writing, times=2)
    with pytest.raises(ServerFaultError):
        sink(shop).push([change("TEE", 1, MAIN)])


# --- a database that does not look after its locations ------------------------------------------------


def test_a_location_that_the_database_would_swallow_is_refused_before_it_is_sent() -> None:
    shop = shop_of("TEE", foreign_keys=False)
    (result,) = sink(shop).push([change("TEE", 5, "777")])
    assert (result.status, result.reason) == ("rejected", "unknown_location")
    assert not asked_for(shop, "omsyncWrite")


def test_rows_are_packed_by_weight_and_number_and_a_heavy_one_goes_alone() -> None:
    assert list(packed([3, 3, 3, 9, 1], lambda row: row, room=6)) == [[3, 3], [3], [9], [1]]
    assert list(packed([1, 1, 1], lambda row: row, room=60, most=2)) == [[1, 1], [1]]
    assert list(packed([], lambda row: row, room=6)) == []
