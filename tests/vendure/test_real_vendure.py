"""The Vendure sink against a running Vendure: what it really answers, and what the sink makes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from omsync.errors import OmsyncError, RefusedError, SettingsError, UnauthorizedError
from omsync.http.awaiting import AsyncRunner
from omsync.http.blocking import Runner
from omsync.http.client import Http
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, talk
from omsync.ports import CartListing, CartSink, PushResult, QuantityChange
from omsync.sinks import _vendure as api
from omsync.sinks._vendure_answers import MAX_BYTES, judge
from omsync.sinks.vendure import Vendure

pytestmark = pytest.mark.vendure

T = TypeVar("T")
Facts = dict[str, Any]
IMPATIENT = RetryPolicy(attempts=1)


@pytest.fixture(scope="session")
def admin(shop: Facts) -> api.Access:
    access = api.Access(url=f"{shop['url']}/admin-api")
    return hold(api.log_in(access, "superadmin", "superadmin"))


def hold(conversation: Conversation[T]) -> T:
    """Hold one conversation with the shop, with the sink's own judgement of answers."""
    with Runner() as runner:
        return runner.run(talk(Line(account="by hand", retry=IMPATIENT, judge=judge), conversation))


def ask(access: api.Access, query: str, **variables: Any) -> Any:
    """Carry out one operation and give the whole answer, errors included."""

    def once() -> Conversation[Response]:
        return (yield access.ask(query, **variables))

    return hold(once()).json()


def with_key(shop: Facts, key: str = "api_key") -> api.Access:
    return api.Access(url=f"{shop['url']}/admin-api").plus(vendure_api_key=shop[key])


def sink(shop: Facts, **options: Any) -> Vendure:
    options.setdefault("location", "East warehouse")
    return Vendure(shop["url"], **{"api_key": shop["api_key"], **options})


def change(sku: str, quantity: int, location_id: str | None = None) -> QuantityChange:
    return QuantityChange(listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity)


def figures(listings: list[CartListing]) -> dict[tuple[str, str | None], tuple[int | None, int | None]]:
    return {(one.listing_sku, one.location_id): (one.quantity, one.allocated) for one in listings}


def states(listings: list[CartListing]) -> dict[str, str]:
    return {one.listing_sku: one.state for one in listings}


def outcomes(results: list[PushResult]) -> list[tuple[str, str, int | None]]:
    return [(one.status, one.reason, one.echo) for one in results]


def entry(variant_id: str, **on_hand: Any) -> api.Entry:
    """Make an entry of a write; the location's id follows an underscore, since names cannot be numbers."""
    return api.Entry(
        variant_id=variant_id, on_hand={key.lstrip("_"): units for key, units in on_hand.items()}
    )


# --- reading and pushing ------------------------------------------------------------------------------


def test_quantities_of_two_locations_are_pushed_and_read_back(shop: Facts) -> None:
    cart = sink(shop)
    assert isinstance(cart, CartSink)
    rows = [change("TEE-S", 42, "Default Stock Location"), change("TEE-S", 7, shop["east"]["id"])]
    rows += [change("PART-001", 11), change("TEE-L", 0, shop["main"]["id"])]
    assert outcomes(cart.push(rows)) == [("accepted", "", units) for units in (42, 7, 11, 0)]
    shown = figures(cart.read(["TEE-S", "PART-001", "TEE-L"]))
    assert shown["TEE-S", shop["main"]["id"]] == (42, 0)
    assert shown["TEE-S", "East warehouse"] == (7, 0)
    assert shown["PART-001", None] == (11, 0)
    assert shown["PART-001", shop["main"]["id"]] == (1, 0)
    assert shown["TEE-L", shop["main"]["id"]] == (0, 0)


def test_a_level_that_is_missing_shows_0_and_is_made_by_the_write(shop: Facts) -> None:
    (before,) = hold(api.find(with_key(shop), ["MUG-1"]))
    assert set(before.levels) == {shop["main"]["id"], shop["east"]["id"]}
    cart = sink(shop, location="Outlet 01")
    assert figures(cart.read(["MUG-1"]))["MUG-1", None] == (0, 0)
    assert outcomes(cart.push([change("MUG-1", 3)])) == [("accepted", "", 3)]
    assert figures(cart.read(["MUG-1"]))["MUG-1", None] == (3, 0)


def test_every_other_listing_of_the_shop_is_listed_too(shop: Facts) -> None:
    shown = states(sink(shop).read(["TEE-S"]))
    assert {f"PART-{number:03d}" for number in range(1, 151)} | {"TEE-M", "MUG-1"} <= set(shown)
    assert (shown["TWIN-1"], shown["NOTE-1"], shown["TEE-M"]) == ("duplicate", "untracked", "listed")


def test_units_of_an_open_order_are_reported_as_allocated_and_stay_on_hand(
    shop: Facts, admin: api.Access
) -> None:
    main, cart = shop["main"]["id"], sink(shop)
    cart.push([change("TEE-M", 7, main)])
    place_order(shop, shop["variants"]["TEE-M"], 4)
    assert figures(cart.read(["TEE-M"]))["TEE-M", main] == (7, 4)
    # To show 9 as available, 13 have to be on hand: the shells add the 4.
    assert outcomes(cart.push([change("TEE-M", 13, main)])) == [("accepted", "", 13)]
    assert figures(cart.read(["TEE-M"]))["TEE-M", main] == (13, 4)
    query = "query($id: ID!) { productVariant(id: $id) { stockOnHand stockAllocated } }"
    shown = ask(admin, query, id=shop["variants"]["TEE-M"])["data"]["productVariant"]
    assert shown["stockAllocated"] == 4


def place_order(shop: Facts, variant_id: str, units: int) -> None:
    """Buy as a guest, to the paid order."""
    store = api.Access(url=f"{shop['url']}/shop-api")

    def buy() -> Conversation[str]:
        response = yield store.ask(
            "mutation($v: ID!, $q: Int!) "
            "{ addItemToOrder(productVariantId: $v, quantity: $q) { __typename } }",
            v=variant_id,
            q=units,
        )
        buyer = store.plus(authorization=f"Bearer {response.headers['vendure-auth-token']}")
        yield buyer.ask(
            'mutation { setCustomerForOrder(input: {firstName: "A", lastName: "B", '
            'emailAddress: "a@shop.example"}) { __typename } }'
        )
        yield buyer.ask(
            'mutation { setOrderShippingAddress(input: {streetLine1: "1 Street", countryCode: "US"}) '
            "{ __typename } }"
        )
        methods = yield buyer.ask("{ eligibleShippingMethods { id } }")
        yield buyer.ask(
            "mutation($i: [ID!]!) { setOrderShippingMethod(shippingMethodId: $i) { __typename } }",
            i=[methods.json()["data"]["eligibleShippingMethods"][0]["id"]],
        )
        yield buyer.ask('mutation { transitionOrderToState(state: "ArrangingPayment") { __typename } }')
        paid = yield buyer.ask(
            'mutation { addPaymentToOrder(input: {method: "dummy", metadata: {}}) '
            "{ ... on Order { state } } }"
        )
        return str(paid.json()["data"]["addPaymentToOrder"]["state"])

    assert hold(buy()) == "PaymentSettled"


def test_blocking_and_awaiting_give_the_same(shop: Facts) -> None:
    cart = sink(shop, page_size=10)
    skus = [f"PART-{number:03d}" for number in range(1, 31)]
    rows = [change(sku, 50) for sku in skus[:5]] + [change("NO-SUCH", 1)]

    async def awaiting() -> tuple[list[PushResult], list[CartListing]]:
        async with AsyncRunner() as runner:
            return await runner.run(cart.push_steps(rows)), await runner.run(cart.read_steps(skus))

    pushed, shown = asyncio.run(awaiting())
    assert outcomes(pushed)[:5] == [("accepted", "", 50)] * 5
    assert pushed == cart.push(rows)
    assert shown == cart.read(skus)


def test_two_writers_leave_one_of_the_batches_whole(shop: Facts) -> None:
    skus = [f"PART-{number:03d}" for number in range(100, 120)]
    cart = sink(shop, api_key=None, username="superadmin", password="superadmin")

    def write(units: int) -> set[str]:
        return {one.status for one in cart.push([change(sku, units) for sku in skus])}

    with ThreadPoolExecutor(4) as writers:
        assert list(writers.map(write, range(1, 9))) == [{"accepted"}] * 8
    shown = figures(cart.read(skus))
    assert len({shown[sku, None] for sku in skus}) == 1


# --- what must not be sent ----------------------------------------------------------------------------


def test_shared_skus_are_refused_or_the_enabled_one_is_taken(shop: Facts) -> None:
    cart = sink(shop)
    assert {states(cart.read(["TWIN-1", "TWIN-2"]))[sku] for sku in ("TWIN-1", "TWIN-2")} == {"duplicate"}
    rows = [change("TWIN-1", 5), change("TWIN-2", 5)]
    assert outcomes(cart.push(rows)) == [("rejected", "duplicate_in_cart", None)] * 2
    preferring = sink(shop, duplicates="prefer_enabled")
    assert outcomes(preferring.push(rows)) == [("rejected", "duplicate_in_cart", None), ("accepted", "", 5)]
    old, new = hold(api.find(with_key(shop), ["TWIN-2"]))
    assert (old.levels["2"].on_hand, new.levels["2"].on_hand) == (0, 5)


def test_an_untracked_variant_is_skipped_or_tracking_is_switched_on(shop: Facts) -> None:
    cart = sink(shop)
    assert states(cart.read(["NOTE-1", "NOTE-2"]))["NOTE-1"] == "untracked"
    assert outcomes(cart.push([change("NOTE-1", 5)])) == [("skipped", "untracked_in_cart", None)]
    assert outcomes(sink(shop, untracked_policy="track").push([change("NOTE-2", 5)])) == [("accepted", "", 5)]
    assert states(cart.read(["NOTE-1", "NOTE-2"]))["NOTE-2"] == "listed"


def test_a_variant_that_inherits_is_untracked_while_the_shop_tracks_nothing(
    shop: Facts, admin: api.Access
) -> None:
    switch = "mutation($on: Boolean!) { updateGlobalSettings(input: {trackInventory: $on}) { __typename } }"
    ask(admin, switch, on=False)
    try:
        assert states(sink(shop).read(["TEE-S"]))["TEE-S"] == "untracked"
    finally:
        ask(admin, switch, on=True)
    assert states(sink(shop).read(["TEE-S"]))["TEE-S"] == "listed"


def test_an_unknown_sku_is_not_in_the_cart_and_letter_case_matters(shop: Facts) -> None:
    cart = sink(shop)
    assert outcomes(cart.push([change("NO-SUCH", 1), change("tee-s", 1)])) == [
        ("rejected", "not_in_cart", None),
        ("rejected", "not_in_cart", None),
    ]
    assert "tee-s" not in states(cart.read(["tee-s"]))


def test_an_unknown_location_is_rejected_before_it_is_sent(shop: Facts) -> None:
    (result,) = sink(shop).push([change("TEE-S", 5, "777")])
    assert (result.status, result.reason) == ("rejected", "unknown_location")
    assert "'East warehouse' (id 2)" in result.message


def test_the_shop_itself_refuses_an_unknown_location_without_a_code_and_writes_nothing(shop: Facts) -> None:
    access, key = with_key(shop), shop["variants"]["PART-030"]
    entries = [entry(key, _1=99), entry(shop["variants"]["PART-031"], _777=5)]
    with pytest.raises(RefusedError, match="FOREIGN KEY constraint failed") as caught:
        hold(api.write(access, entries))
    assert caught.value.code == "row_refused"
    assert ask(access, api.WRITE, input=[one.wire for one in entries])["errors"][0].get("extensions") is None
    assert hold(api.find(access, ["PART-030"]))[0].levels["1"].on_hand == 30


def test_rows_without_a_location_need_one_to_be_chosen(shop: Facts) -> None:
    with pytest.raises(SettingsError, match="'East warehouse'") as caught:
        sink(shop, location=None).push([change("TEE-S", 5)])
    assert caught.value.code == "choose_cart_location"


def test_the_shop_itself_takes_negatives_which_is_why_they_are_never_sent(shop: Facts) -> None:
    written = hold(api.write(with_key(shop), [entry(shop["variants"]["PART-040"], _1=-1)]))
    assert written.levels[shop["variants"]["PART-040"], "1"].on_hand == -1
    with pytest.raises(ValueError, match="at least 0"):
        change("PART-040", -1)


@pytest.mark.parametrize(
    ("quantity", "says"), [(1.5, "non-integer value: 1.5"), (2**31, "non 32-bit signed")]
)
def test_the_shop_itself_refuses_fractions_and_more_than_32_bits(
    shop: Facts, quantity: float, says: str
) -> None:
    with pytest.raises(RefusedError, match=says):
        hold(api.write(with_key(shop), [entry(shop["variants"]["PART-041"], _1=quantity)]))


def test_the_largest_quantity_is_taken_and_a_larger_one_never_sent(shop: Facts) -> None:
    rows = [change("PART-042", 2**31 - 1), change("PART-043", 2**31)]
    assert outcomes(sink(shop).push(rows)) == [
        ("accepted", "", 2**31 - 1),
        ("rejected", "out_of_range", None),
    ]


def test_the_shop_itself_lets_the_last_of_two_rows_win_so_contradicting_ones_are_not_sent(
    shop: Facts,
) -> None:
    key = shop["variants"]["PART-044"]
    raw = ask(with_key(shop), api.WRITE, input=[entry(key, _1=5).wire, entry(key, _1=6).wire])
    (only,) = raw["data"]["updateProductVariants"]
    assert {one["stockOnHand"] for one in only["stockLevels"] if one["stockLocationId"] == "1"} == {6}
    rows = [change("PART-044", 5), change("PART-044", 6, "East warehouse")]
    assert outcomes(sink(shop).push(rows)) == [("rejected", "contradiction", None)] * 2


# --- getting in ---------------------------------------------------------------------------------------


def test_a_login_serves_as_well_as_a_key(shop: Facts) -> None:
    cart = sink(shop, api_key=None, username="superadmin", password="superadmin")
    assert outcomes(cart.push([change("MUG-1", 8)])) == [("accepted", "", 8)]
    assert figures(cart.read(["MUG-1"]))["MUG-1", None] == (8, 0)


@pytest.mark.parametrize(
    "credentials",
    [
        {"api_key": "wrong-key"},
        {"api_key": None, "username": "superadmin", "password": "wrong"},
        {"api_key": None, "username": "nobody", "password": "superadmin"},
    ],
)
def test_wrong_credentials_are_unauthorized(shop: Facts, credentials: Mapping[str, Any]) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        sink(shop, **credentials).read(["TEE-S"])
    assert "wrong-key" not in str(caught.value)


def test_a_wrong_bearer_token_is_answered_like_a_missing_permission(shop: Facts) -> None:
    access = api.Access(url=f"{shop['url']}/admin-api").plus(authorization="Bearer wrong")
    with pytest.raises(UnauthorizedError, match="not currently authorized"):
        hold(api.look_around(access))


def test_a_key_whose_role_may_not_write_reads_and_is_refused_at_the_push(shop: Facts) -> None:
    reader = sink(shop, api_key=shop["key_that_only_reads"])
    assert figures(reader.read(["PART-050"]))["PART-050", shop["main"]["id"]] == (50, 0)
    with pytest.raises(UnauthorizedError, match="lacks a permission"):
        reader.push([change("PART-050", 1)])
    assert figures(reader.read(["PART-050"]))["PART-050", None] == (0, 0)


def outlet(shop: Facts, token: str, **options: Any) -> Vendure:
    login = {"api_key": None, "username": "superadmin", "password": "superadmin"}
    return sink(shop, channel=token, **login, **options)


def test_the_channels_token_decides_which_variants_and_locations_there_are(shop: Facts) -> None:
    cart = outlet(shop, shop["outlet_token"], location="Outlet 02")
    shown = cart.read(["PART-060", "TEE-S"])
    assert {one.listing_sku for one in shown} == {f"PART-{number:03d}" for number in range(1, 151)}
    rows = [change("PART-060", 6), change("TEE-S", 1), change("PART-060", 1, "East warehouse")]
    assert outcomes(cart.push(rows)) == [
        ("accepted", "", 6),
        ("rejected", "not_in_cart", None),
        ("rejected", "unknown_location", None),
    ]


def test_an_unknown_channel_is_refused_although_a_shop_of_one_channel_answers(shop: Facts) -> None:
    assert shop["channel_that_answered_for_an_unknown_token"] == "__default_channel__"
    with pytest.raises(SettingsError) as caught:
        outlet(shop, "no-such-channel").read([])
    assert caught.value.code == "unknown_channel"


# --- batches ------------------------------------------------------------------------------------------


def test_one_unknown_variant_undoes_the_batch_and_is_dropped_by_name(shop: Facts) -> None:
    access = with_key(shop)
    first, last = shop["variants"]["PART-070"], shop["variants"]["PART-071"]
    entries = [entry(first, _1=700), entry("999999", _1=5), entry(last, _1=710)]
    refused = ask(access, api.WRITE, input=[one.wire for one in entries])
    assert refused["errors"][0]["extensions"]["code"] == "ENTITY_NOT_FOUND"
    shown = {one.sku: one.levels["1"].on_hand for one in hold(api.find(access, ["PART-070", "PART-071"]))}
    assert shown == {"PART-070": 70, "PART-071": 71}
    written = hold(api.write(access, entries))
    assert written.gone == {"999999"}
    assert (written.levels[first, "1"].on_hand, written.levels[last, "1"].on_hand) == (700, 710)


def test_a_variant_deleted_between_look_up_and_write_costs_only_its_own_row(
    shop: Facts, admin: api.Access
) -> None:
    http = Http()
    key = shop["variants"]["SOON-GONE"]

    def meddling(request: Request) -> Response:
        if "omsyncWrite" in request.body["query"]:
            ask(admin, "mutation($id: ID!) { deleteProductVariant(id: $id) { result } }", id=key)
        return http.send(request)

    try:
        rows = [change("PART-072", 1), change("SOON-GONE", 2), change("PART-073", 3)]
        results = sink(shop, handler=meddling).push(rows)
    finally:
        http.close()
    assert outcomes(results) == [("accepted", "", 1), ("rejected", "not_in_cart", None), ("accepted", "", 3)]


def test_a_body_over_the_limit_is_refused_at_once_and_the_sink_splits_before_it(shop: Facts) -> None:
    access = with_key(shop)
    ids = [shop["variants"][f"PART-{number:03d}"] for number in range(1, 141)]
    places = {str(number): 1 for number in range(3, 23)}
    entries = [api.Entry(variant_id=key, on_hand=places) for key in ids]
    assert len(api.write_request(access, entries).content or b"") > 102_400
    with pytest.raises(RefusedError) as caught:
        hold(api.write(access, entries))
    assert caught.value.code == "body_too_large"

    http, sizes = Http(), []

    def weighing(request: Request) -> Response:
        sizes.append(len(request.content or b""))
        return http.send(request)

    rows = [
        change(f"PART-{number:03d}", 1000 + place, f"Outlet {place:02d}")
        for number in range(1, 141)
        for place in range(1, 21)
    ]
    try:
        results = outlet(shop, shop["outlet_token"], location="Outlet 01", handler=weighing).push(rows)
    finally:
        http.close()
    assert [one.echo for one in results] == [row.quantity for row in rows]
    assert [size for size in sizes if size > MAX_BYTES] == []
    assert sum(sizes) > 102_400


def test_a_page_may_not_be_larger_than_the_shop_allows_so_none_is_asked_for(shop: Facts) -> None:
    query = "{ productVariants(options: {take: 1001}) { totalItems } }"
    assert "Cannot take more than 1000" in json.dumps(ask(with_key(shop), query))
    assert all("take" not in query for query in (api.FIND, api.NAMES, api.LOOK_AROUND))


def test_an_address_without_an_admin_api_is_one_clear_error(shop: Facts) -> None:
    with pytest.raises(OmsyncError) as caught:
        Vendure(f"{shop['url']}/elsewhere", api_key=shop["api_key"]).read([])
    assert caught.value.code == "no_admin_api"
