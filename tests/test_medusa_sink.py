"""The Medusa sink by itself: its settings, how it asks, and answers that a healthy shop does not give."""

from __future__ import annotations

import re
from typing import Any

import pytest
from attrs import evolve
from fake_medusa import PARTS, FakeBench
from fake_memory import DictMemory, FakeClock
from medusa_bench import BATCH, change, figures, outcomes, states
from two_runners import RUNNERS, run_blocking

from omsync.errors import (
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    SettingsError,
    UnauthorizedError,
    WrongTypeError,
)
from omsync.http.messages import Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.sinks import _medusa as api
from omsync.sinks._http import encoded_size
from omsync.sinks._medusa_rows import Entry, batch_request
from omsync.sinks.medusa import Medusa
from omsync.testing.carts.medusa import MedusaShop
from omsync.testing.carts.platform import Asked, json_answer
from omsync.testing.sink_kit import SINK_CHECKS, SinkBench, assert_conforms, losing_answers

ONCE = RetryPolicy(attempts=1)


@pytest.fixture
def bench() -> FakeBench:
    return FakeBench()


def writes(asked: Asked) -> bool:
    return asked.method == "POST"


def sent(bench: FakeBench) -> list[dict[str, Any]]:
    return [asked.json() for asked in bench.shop.requests if asked.method == "POST"]


def said(status: int, kind: str, message: str) -> Response:
    return json_answer({"type": kind, "message": message}, status)


# --- what is written down -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"email": "admin@shop.example"},
        {"password": "right"},
        {"api_key": "sk_1", "email": "admin@shop.example", "password": "right"},
        {"api_key": ""},
        {"api_key": "sk_hush\n"},
        {"api_key": b"sk_1"},
    ],
)
def test_exactly_one_kind_of_credential_is_wanted(credentials: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        Medusa("https://shop.example", **credentials)
    assert caught.value.code == "credentials"
    assert "hush" not in str(caught.value)


def test_secrets_are_never_shown(bench: FakeBench) -> None:
    shown = repr(Medusa("https://shop.example", api_key="sk_hush"))
    shown += repr(Medusa("https://shop.example", email="a@shop.example", password="hush"))
    shown += repr(
        api.Access(url="https://shop.example", timeout=1, headers={"authorization": "hush"}).get("/")
    )
    for wrong in ({"api_key": "sk_hush"}, {"email": "a@shop.example", "password": "hush"}):
        with pytest.raises(UnauthorizedError) as caught:
            bench.sink(**wrong).read([])
        shown += str(caught.value) + repr(caught.value)
    assert "hush" not in shown
    assert "c2tfaHVzaDo=" not in shown


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("page_size", 0, InvalidValueError),
        ("page_size", 501, InvalidValueError),
        ("page_size", "100", WrongTypeError),
        ("max_rows", 0, InvalidValueError),
        ("max_bytes", 2**21 + 1, InvalidValueError),
        ("timeout", 0, InvalidValueError),
        ("timeout", None, InvalidValueError),
        ("timeout", "30", WrongTypeError),
        ("calls_per_second", 0.0, InvalidValueError),
        ("untracked_policy", "track", InvalidValueError),
        ("location", "", InvalidValueError),
        ("url", "shop.example", SettingsError),
    ],
)
def test_options_outside_their_range_are_refused(
    option: str, value: object, error: type[OmsyncError]
) -> None:
    with pytest.raises(error):
        Medusa(**{"url": "https://shop.example", "api_key": "sk_1", option: value})  # type: ignore[arg-type]  # wrong on purpose


def test_the_capabilities_say_what_medusa_can_do() -> None:
    able = Medusa("https://shop.example:9000", api_key="sk_1", calls_per_second=5).capabilities
    assert able.destination == "medusa at shop.example:9000"
    assert (able.quantity_meaning, able.locations, able.atomicity) == ("on_hand", "optional", "call")
    assert (able.max_bytes, able.rows_per_push, able.calls_per_second) == (2_000_000, 2000, 5)
    assert (able.max_quantity, able.lists_all, able.creates_listings) == (2**53 - 1, True, False)


def test_a_negative_or_fractional_quantity_cannot_even_be_written_down() -> None:
    with pytest.raises(InvalidValueError, match="at least 0"):
        change("PART-001", -1)
    for wrong in (1.5, True, "5", None):
        with pytest.raises(WrongTypeError, match="whole number"):
            change("PART-001", wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_no_row_weighs_more_than_the_capabilities_say() -> None:
    able = Medusa("https://shop.example", api_key="sk_1").capabilities
    ids = ("iitem_01M8G4Q5R69B95GB1WQWSGBPE9", "sloc_01M8G4Q51NETZPNAJM4JFJ06TE")
    widest = Entry(sku="TEE", target=ids, units=2**53 - 1, exists=True)
    empty = batch_request(api.Access(url="https://shop.example", timeout=1), []).content
    assert encoded_size(widest.wire) <= able.bytes_per_row
    assert len(empty or b"") <= able.bytes_per_call


# --- reading ------------------------------------------------------------------------------------------


def test_a_listing_is_shown_under_every_way_in_which_a_row_may_name_its_location(bench: FakeBench) -> None:
    shown = [
        one for one in bench.sink(location="East warehouse").read(["TEE-S"]) if one.listing_sku == "TEE-S"
    ]
    assert {one.location_id: (one.quantity, one.same_as) for one in shown} == {
        None: (5, bench.east),
        bench.west: (10, None),
        "West warehouse": (10, bench.west),
        bench.east: (5, None),
        "East warehouse": (5, bench.east),
    }


def test_the_only_location_is_the_one_for_rows_that_name_none() -> None:
    shop = MedusaShop(locations=["Main"])
    shop.add("TEE", 4)
    cart = Medusa("https://shop.example", api_key=shop.api_key, handler=shop.handle)
    assert figures(cart.read(["TEE"]))["TEE", None] == (4, 0)


def test_a_name_that_two_locations_share_means_none() -> None:
    shop = MedusaShop(locations=["Main", "Main"])
    shop.add("TEE", 4)
    cart = Medusa("https://shop.example", api_key=shop.api_key, handler=shop.handle)
    assert ("TEE", None) not in figures(cart.read(["TEE"]))
    assert outcomes(cart.push([change("TEE", 1, "Main")])) == [("rejected", "unknown_location", None)]
    with pytest.raises(SettingsError, match="no one stock location 'Main'") as caught:
        evolve(cart, location="Main").read([])
    assert caught.value.code == "unknown_cart_location"


def test_a_shop_without_a_stock_location_is_an_error() -> None:
    shop = MedusaShop(locations=[])
    with pytest.raises(SettingsError) as caught:
        Medusa("https://shop.example", api_key=shop.api_key, handler=shop.handle).read([])
    assert caught.value.code == "no_cart_location"


def test_a_look_up_fits_into_an_address_and_its_limit_stands_before_the_skus(bench: FakeBench) -> None:
    skus = [f"{'LONG-' * 20}{number}" for number in range(100)] + [f"S{number}" for number in range(600)]
    bench.sink(page_size=500).read(skus)
    looked = [one for one in bench.shop.requests if one.all("sku[]")]
    assert sorted({sku for one in looked for sku in one.all("sku[]")}) == sorted(skus)
    for one in looked:
        names = [name for name, _ in one.query]
        assert names.index("limit") < names.index("sku[]")
        assert one.first("limit") == str(len(one.all("sku[]")))
        assert len(names) <= 504
        assert sum(len(value) + 11 for value in one.all("sku[]")) <= 6000


def test_skus_with_any_characters_are_looked_up_as_they_are(bench: FakeBench) -> None:
    odd = "A&B=C, [1] + 50% é"
    bench.shop.add(odd, 3)
    with bench.shop.serve() as server:
        cart = Medusa(server.base_url, api_key=bench.shop.api_key, location="West warehouse")
        assert figures(cart.read([odd]))[odd, None] == (3, 0)
        assert outcomes(cart.push([change(odd, 4)])) == [("accepted", "", 4)]
    assert bench.shop.quantity(odd) == 4


def test_pages_that_a_shop_cuts_short_are_read_to_the_end(bench: FakeBench) -> None:
    def cutting(request: Request) -> Response:
        query = tuple((name, "1" if name == "limit" else value) for name, value in request.query)
        return bench.send(evolve(request, query=query))

    cart = bench.sink(handler=cutting)
    shown = cart.read([*PARTS[:20], "KIT-1", "NOTE-1", *(f"NO-{number}" for number in range(9))])
    assert {"KIT-1", "NOTE-1", "TEE-L", *PARTS} <= states(shown).keys()
    assert figures(shown)["PART-020", "East warehouse"] == (0, 0)
    assert len(figures(shown)) == len(shown)


def test_items_and_variants_without_a_sku_are_passed_over(bench: FakeBench) -> None:
    bench.shop.state.add_item(None)
    assert "TEE-S" in states(bench.sink().read(["TEE-S"]))


def test_a_kit_of_an_item_without_a_sku_is_named_by_its_id(bench: FakeBench) -> None:
    item = bench.shop.state.add_item(None)
    bench.shop.state.add_variant("PAIR", managed=True, parts={item.id: 2})
    (result,) = bench.sink().push([change("PAIR", 1)])
    assert f"2 x {item.id}" in result.message


def test_a_pack_that_needs_several_of_its_own_item_is_worked_out_by_the_shop(bench: FakeBench) -> None:
    item = bench.items["PART-001"]
    bench.shop.state.variant_of("PART-001").parts = {item: 6}
    assert states(bench.sink().read(["PART-001"]))["PART-001"] == "unmanaged"


def test_a_managed_variant_without_an_item_is_untracked(bench: FakeBench) -> None:
    bench.shop.state.add_variant("HOLLOW", managed=True, parts={})
    assert states(bench.sink().read(["HOLLOW"]))["HOLLOW"] == "untracked"


def test_a_listing_that_vanishes_while_pages_are_turned_ends_the_turning(bench: FakeBench) -> None:
    def promising(request: Request) -> Response:
        answer = bench.send(request)
        return evolve(answer, content=re.sub(rb'"count":\d+', b'"count":999', answer.content))

    assert "TEE-S" in states(bench.sink(handler=promising).read(["TEE-S", "KIT-1"]))


def test_a_message_does_not_quote_a_whole_look_up(bench: FakeBench) -> None:
    skus = {"sku[]"}
    bench.shop.trouble(json_answer({}), when=lambda asked: bool(skus & {name for name, _ in asked.query}))
    with pytest.raises(DecodeError, match=r"inventory_items is missing|count is missing") as caught:
        bench.sink().read([f"A-LONG-SKU-{number}" for number in range(100)])
    assert len(caught.value.message) < 500


def test_a_variant_that_is_no_longer_managed_is_untracked_although_it_keeps_its_item(
    bench: FakeBench,
) -> None:
    bench.shop.state.variant_of("PART-001").managed = False
    assert states(bench.sink().read(["PART-001"]))["PART-001"] == "untracked"


def test_a_sku_is_compared_exactly_although_a_shop_may_find_more(bench: FakeBench) -> None:
    def generous(request: Request) -> Response:
        query = tuple((name, value.upper()) for name, value in request.query if name == "sku[]")
        return bench.send(evolve(request, query=query or request.query))

    assert outcomes(bench.sink(handler=generous).push([change("tee-s", 1)])) == [
        ("rejected", "not_in_cart", None)
    ]


def test_an_answer_of_another_shape_names_the_field(bench: FakeBench) -> None:
    bench.shop.trouble(json_answer({"stock_locations": [{"id": 5, "name": "x"}], "count": 1}))
    with pytest.raises(DecodeError, match=r"stock_locations\[0\].id must be text, not 5"):
        bench.sink().read([])


# --- getting in ---------------------------------------------------------------------------------------


def test_a_login_is_made_once_and_its_token_kept_until_it_is_refused(bench: FakeBench) -> None:
    cart = bench.sink(email=bench.shop.email, password=bench.shop.password)
    for _ in range(2):
        cart.read(["TEE-S"])
    logins = [asked for asked in bench.shop.requests if asked.path == "/auth/user/emailpass"]
    assert len(logins) == 1
    bench.shop.tokens.clear()
    assert outcomes(cart.push([change("TEE-S", 6)])) == [("accepted", "", 6)]


def test_a_token_without_a_database_is_a_fault_that_passes(bench: FakeBench) -> None:
    cart = bench.sink(email=bench.shop.email, password=bench.shop.password)
    cart.read([])
    with bench.without_database(), pytest.raises(ServerFaultError, match="unknown error"):
        cart.read([])


def test_a_role_that_may_not_write_is_unauthorized(bench: FakeBench) -> None:
    bench.shop.trouble(said(403, "forbidden", "Forbidden"), when=writes)
    with pytest.raises(UnauthorizedError, match="HTTP 403: Forbidden") as caught:
        bench.sink().push([change("TEE-S", 1)])
    assert "role policies" in caught.value.remedy


def test_every_request_waits_as_long_as_the_setting_says(bench: FakeBench) -> None:
    waits: set[float] = set()

    def noting(request: Request) -> Response:
        waits.add(request.timeout)
        return bench.send(request)

    bench.sink(handler=noting, timeout=7.5).push([change("TEE-S", 1)])
    assert waits == {7.5}


def test_the_pace_is_kept(bench: FakeBench) -> None:
    clock = FakeClock()
    run_blocking(bench.sink(calls_per_second=2).read_steps(["TEE-S"]), clock=clock)
    assert clock.waited == pytest.approx((len(bench.shop.requests) - 1) / 2)


# --- writing ------------------------------------------------------------------------------------------


def test_nothing_to_push_asks_nothing(bench: FakeBench) -> None:
    assert bench.sink().push([]) == []
    assert bench.shop.requests == []


def test_creates_and_updates_go_in_one_call_split_by_what_was_read(bench: FakeBench) -> None:
    bench.sink().push([change("PART-001", 1, bench.east), change("PART-001", 2), change("PART-002", 3)])
    (body,) = sent(bench)
    assert {name: len(rows) for name, rows in body.items()} == {"create": 1, "update": 2}


def swap(bench: FakeBench, one: str, other: str) -> None:
    """Let two listings change SKUs with each other, items and variants."""
    for old, new in ((one, "SPARE"), (other, one), ("SPARE", other)):
        rename(bench, old, new)


def rename(bench: FakeBench, old: str, new: str) -> None:
    bench.shop.state.item_of(old).sku = new
    bench.shop.rename(old, new)


def test_a_push_looks_its_rows_up_once_more_a_hundred_a_call(bench: FakeBench) -> None:
    skus = [f"MANY-{number:04d}" for number in range(2000)]
    for sku in skus:
        bench.shop.add(sku, {"West warehouse": 1})
    cart = bench.sink().remembering(DictMemory())
    cart.read(skus)
    bench.shop.requests.clear()
    assert {one.status for one in cart.push([change(sku, 7) for sku in skus])} == {"accepted"}
    # The locations, the look-ups, and one write: 0.3 s for the write of 1,000 rows is what they are beside.
    assert [len(one.all("sku[]")) for one in bench.shop.requests] == [0, *[100] * 20, 0]


def test_listings_that_change_skus_between_the_read_and_the_push_are_a_conflict_and_not_written(
    bench: FakeBench,
) -> None:
    cart = bench.sink().remembering(DictMemory())
    bench.shop.sell("TEE-S", 2)
    cart.read(["TEE-S", "TEE-M", "TEE-L"])
    swap(bench, "TEE-S", "TEE-M")
    bench.shop.requests.clear()
    first, second, third = cart.push([change("TEE-S", 7), change("TEE-M", 8), change("TEE-L", 9)])
    assert outcomes([first, second, third]) == [
        ("conflict", "renamed_in_cart", None),
        ("conflict", "renamed_in_cart", None),
        ("accepted", "", 9),
    ]
    assert first.message == (
        f"the SKU 'TEE-S' was that of inventory item {bench.items['TEE-S']} when it was read and is that of "
        f"{bench.items['TEE-M']} now; nothing was written to either"
    )
    assert [bench.shop.quantity(sku) for sku in ("TEE-S", "TEE-M", "TEE-L")] == [10, 10, 9]
    assert [len(body["update"]) for body in sent(bench)] == [1]
    # The plan of the next run knows what is reserved for which of them.
    again = bench.sink().remembering(DictMemory())
    again.read(["TEE-S", "TEE-M"])
    assert outcomes(again.push([change("TEE-S", 7), change("TEE-M", 8)])) == [
        ("accepted", "", 7),
        ("accepted", "", 8),
    ]


def test_a_conflict_stays_one_until_the_cart_is_read_again(bench: FakeBench) -> None:
    cart = bench.sink().remembering(DictMemory())
    cart.read(["TEE-S"])
    swap(bench, "TEE-S", "TEE-M")
    for _ in range(2):
        assert outcomes(cart.push([change("TEE-S", 7)])) == [("conflict", "renamed_in_cart", None)]
    cart.read(["TEE-S"])
    assert outcomes(cart.push([change("TEE-S", 7)])) == [("accepted", "", 7)]


def test_a_listing_that_was_renamed_after_the_read_is_not_in_the_cart(bench: FakeBench) -> None:
    cart = bench.sink().remembering(DictMemory())
    cart.read(["TEE-S"])
    rename(bench, "TEE-S", "TEE-XS")
    assert outcomes(cart.push([change("TEE-S", 7)])) == [("rejected", "not_in_cart", None)]
    assert bench.shop.quantity("TEE-XS") == 10


def test_a_variant_that_became_a_kit_after_the_read_is_not_written_to(bench: FakeBench) -> None:
    cart = bench.sink().remembering(DictMemory())
    cart.read(["TEE-S"])
    bench.shop.state.variant_of("TEE-S").parts = {bench.items["TEE-M"]: 1}
    assert outcomes(cart.push([change("TEE-S", 7)])) == [("skipped", "unmanaged_in_cart", None)]
    assert bench.shop.quantity("TEE-S") == 10


def test_what_a_run_has_read_is_not_known_to_the_next_one(bench: FakeBench) -> None:
    cart = bench.sink().remembering(DictMemory())
    cart.read(["TEE-S"])
    assert cart.seen == {"TEE-S": bench.items["TEE-S"]}
    assert cart.remembering(None).seen == {}


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS.keys())
def test_an_answer_that_was_lost_costs_nothing(bench: FakeBench, run: Any) -> None:
    bench.shop.trouble("lost", when=writes)
    rows = [change("PART-001", 5), change("PART-002", 6, bench.east), change("PART-003", 7, bench.east)]
    assert outcomes(run(bench.sink().push_steps(rows))) == [
        ("accepted", "", 5),
        ("accepted", "", 6),
        ("accepted", "", 7),
    ]


def test_without_another_try_a_lost_answer_is_raised_while_nothing_is_known(bench: FakeBench) -> None:
    bench.shop.trouble("lost", when=writes)
    with pytest.raises(LostAnswerError):
        bench.sink(retry=ONCE).push([change("PART-001", 5)])
    assert bench.shop.quantity("PART-001") == 5


@pytest.mark.parametrize(
    ("what", "outcome"),
    [
        ("lost", ("pending", "answer_unknown", None)),
        ("unreachable", ("skipped", "not_sent", None)),
        (said(413, "unknown_error", "request entity too large"), ("rejected", "body_too_large", None)),
        (json_answer({"message": "Unauthorized"}, 401), ("skipped", "not_sent", None)),
        (json_answer({"created": [], "updated": []}), ("pending", "not_echoed", None)),
    ],
    ids=["lost", "unreachable", "too large", "database", "no echo"],
)
def test_once_a_body_is_written_the_next_ones_failure_is_only_its_own(
    bench: FakeBench, what: Any, outcome: tuple[str, str, None]
) -> None:
    first = bench.items["PART-001"].encode()
    bench.shop.trouble(what, when=lambda asked: writes(asked) and first not in asked.content)
    cart = bench.sink(max_bytes=1000, retry=ONCE)
    results = cart.push([change(sku, 5) for sku in PARTS[:9]])
    assert outcomes(results[:1] + results[-1:]) == [("accepted", "", 5), outcome]


def test_another_figure_in_the_answer_is_told(bench: FakeBench) -> None:
    row = {**bench.row("PART-001", 4), "reserved_quantity": 0}
    bench.shop.trouble(json_answer({"created": [], "updated": [row]}), when=writes)
    (result,) = bench.sink().push([change("PART-001", 5)])
    assert (result.status, result.echo, result.message) == ("accepted", 4, "the cart shows 4 after the write")


def test_rows_that_a_validation_error_names_are_left_out_and_the_rest_sent_again(bench: FakeBench) -> None:
    complaint = "Value for field 'update, 1, stocked_quantity' too small; Field 'create, 0, x' is required"
    bench.shop.trouble(said(400, "invalid_data", f"Invalid request: {complaint}"), when=writes)
    rows = [change("PART-001", 5), change("PART-002", 6), change("PART-003", 7, bench.east)]
    results = bench.sink().push(rows)
    assert outcomes(results) == [
        ("accepted", "", 5),
        ("rejected", "row_refused", None),
        ("rejected", "row_refused", None),
    ]
    assert "'update, 1, stocked_quantity' too small" in results[1].message


def test_a_batch_of_which_every_row_is_named_is_not_sent_again(bench: FakeBench) -> None:
    bench.shop.trouble(
        said(400, "invalid_data", "Field 'update, 0, stocked_quantity' is required"), when=writes
    )
    assert outcomes(bench.sink().push([change("PART-001", 5)])) == [("rejected", "row_refused", None)]
    assert len(sent(bench)) == 1


def test_a_refusal_that_names_no_row_is_raised_so_that_the_batch_is_halved(bench: FakeBench) -> None:
    bench.shop.trouble(said(400, "invalid_data", "Something else"), when=writes)
    with pytest.raises(RefusedError, match="Something else") as caught:
        bench.sink().push([change("PART-001", 5)])
    assert caught.value.code == "row_refused"


def test_a_shop_that_never_agrees_on_its_levels_is_a_refusal_and_no_endless_loop(bench: FakeBench) -> None:
    bench.shop.trouble(said(404, "not_found", "Item x is not stocked at location y"), when=writes, times=99)
    with pytest.raises(RefusedError, match="is not stocked"):
        bench.sink().push([change("PART-001", 5)])
    assert len(sent(bench)) == 4


def test_a_proxys_refusal_in_html_is_told_in_its_own_words(bench: FakeBench) -> None:
    bench.shop.trouble(Response(status=400, content=b"<html>Bad gateway rules</html>"), when=writes)
    with pytest.raises(RefusedError, match="Bad gateway rules"):
        bench.sink().push([change("PART-001", 5)])


# --- Medusa 2.0 ---------------------------------------------------------------------------------------


def test_a_shop_without_the_batch_route_is_written_to_level_by_level() -> None:
    bench = FakeBench(early=True)
    gone = bench.items["PART-003"]

    def meddling(request: Request) -> Response:
        if gone in request.url:
            bench.shop.state.items[gone].deleted = True
            bench.shop.state.items[gone].levels.clear()
        return bench.send(request)

    rows = [change("PART-001", 5), change("PART-002", 6, bench.east), change("PART-003", 7)]
    cart = bench.sink(handler=meddling, max_bytes=1000)
    assert outcomes(cart.push(rows)) == [
        ("accepted", "", 5),
        ("accepted", "", 6),
        ("rejected", "not_in_cart", None),
    ]
    paths = [asked.path for asked in bench.shop.requests if asked.method == "POST"]
    assert [path for path in paths if path == BATCH] == [BATCH]


def test_a_shop_that_cannot_look_variants_up_calls_its_kits_unknown() -> None:
    bench = FakeBench(early=True)
    cart = bench.sink()
    assert outcomes(cart.push([change("KIT-1", 5)])) == [("rejected", "not_in_cart", None)]
    assert states(cart.read(["ALONE-1"]))["ALONE-1"] == "listed"


# --- what every sink does -----------------------------------------------------------------------------


@pytest.mark.parametrize("check", SINK_CHECKS)
def test_it_conforms(bench: FakeBench, check: str) -> None:
    shop, cart = bench.shop, bench.sink()
    skus = PARTS[:5]

    def shown() -> dict[tuple[str, str | None], int]:
        return {(sku, None): int(shop.quantity(sku) or 0) for sku in skus}

    on_bench = SinkBench(
        sink=cart,
        shown=shown,
        listings=skus,
        absent_location="sloc_nope",
        untracked="NOTE-1",
        unmanaged="KIT-1",
        unauthorized=bench.sink(api_key="sk_wrong"),
        unreachable=Medusa("http://127.0.0.1:9", api_key="sk_1", location="West warehouse", retry=ONCE),
        losing=bench.sink(
            handler=losing_answers(shop.handle, of=lambda request: request.method == "POST"), retry=ONCE
        ),
        secrets=["sk_wrong", shop.api_key],
    )
    assert_conforms(on_bench, checks=[check])
