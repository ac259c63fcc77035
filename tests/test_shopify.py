"""The Shopify sink against a shop in memory: what it reads, what it sends, what comes of each row."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fake_memory import DictMemory, FakeClock
from small_merchant import BY_WAREHOUSE, cart, reading
from two_runners import RUNNERS, run_blocking

from omsync import sync_cart
from omsync.errors import (
    DeadlineError,
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    SettingsError,
    UnauthorizedError,
    UnreachableError,
    WrongTypeError,
)
from omsync.http.messages import Response
from omsync.http.retrying import RetryPolicy
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import CartListing, CartSink, PushResult, QuantityChange
from omsync.sinks import _shopify as api
from omsync.sinks._shopify_rows import failed
from omsync.sinks.shopify import Shopify, StaticToken
from omsync.testing.carts.platform import Asked, json_answer
from omsync.testing.carts.shopify import ShopifyShop

AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)
MAIN = "gid://shopify/Location/1"
SCOPES = ("read_locations", "read_inventory", "write_inventory")
EAST = "gid://shopify/Location/2"


def sink(shop: ShopifyShop, **options: Any) -> Shopify:
    options.setdefault("access", StaticToken("shpat_test"))
    return Shopify("acme", handler=shop.handle, retry=AT_ONCE, **options)


def change(sku: str, quantity: int, *, shown: int | None = None, at: str | None = None) -> QuantityChange:
    key = f"run7:{sku}:{at or ''}"
    return QuantityChange(
        listing_sku=sku, location_id=at, quantity=quantity, available=quantity, shown=shown, key=key
    )


def figures(listings: list[CartListing]) -> dict[tuple[str, str | None], tuple[int | None, int | None]]:
    return {(one.listing_sku, one.location_id): (one.quantity, one.allocated) for one in listings}


def outcomes(results: list[PushResult]) -> list[tuple[str, str, str, int | None]]:
    return [(one.listing_sku, one.status, one.reason, one.echo) for one in results]


def asked(shop: ShopifyShop, operation: str) -> list[Any]:
    return [variables for name, variables in shop.operations() if name == operation]


def calls_of(operation: str) -> Callable[[Asked], bool]:
    return lambda one: operation.encode() in one.content


# --- what is written down -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Acme", "acme.example", "https://acme", "acme/admin"])
def test_a_shops_name_is_what_stands_before_myshopify(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Shopify(name, access=StaticToken("t"))
    assert caught.value.code == "bad_address"


def test_the_whole_myshopify_address_is_taken_for_the_name() -> None:
    shop = Shopify("acme.myshopify.com", access=StaticToken("t"))
    assert (shop.shop, shop.capabilities.destination) == ("acme", "shopify at acme.myshopify.com")


@pytest.mark.parametrize("version", ["2026-01", "2025-10", "2026-05", "latest", "unstable"])
def test_a_version_without_idempotency_keys_is_refused(version: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Shopify("acme", access=StaticToken("t"), version=version)
    assert caught.value.code == "bad_version"


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("access", "shpat_1", WrongTypeError),
        ("page_size", 251, InvalidValueError),
        ("search_size", 0, InvalidValueError),
        ("max_in_flight", 0, InvalidValueError),
        ("duplicates", "first", InvalidValueError),
        ("untracked_policy", "ignore", InvalidValueError),
        ("quantity_name", "committed", InvalidValueError),
        ("service_locations", "maybe", InvalidValueError),
        ("plan", "basic", InvalidValueError),
        ("url", "http://user@shop", SettingsError),
    ],
)
def test_options_outside_their_range_are_refused(
    option: str, value: object, error: type[OmsyncError]
) -> None:
    with pytest.raises(error):
        Shopify("acme", **{"access": StaticToken("t"), option: value})  # type: ignore[arg-type]  # wrong on purpose


def test_the_capabilities_say_what_shopify_can_do() -> None:
    able = Shopify("acme", access=StaticToken("t"), plan="plus").capabilities
    assert (able.compare_and_set, able.idempotency_keys, able.atomicity) == ("cas", True, "call")
    assert (able.quantity_meaning, able.locations, able.completion) == ("available", "optional", "immediate")
    assert (able.rows_per_call, able.max_rows, able.max_in_flight) == (250, 1000, 4)
    assert (able.max_quantity, able.calls_per_second, able.lists_all) == (1_000_000_000, 100.0, False)


def test_no_secret_is_in_a_repr_of_the_sink_or_its_requests() -> None:
    shop = Shopify("acme", access=StaticToken("hush-1"))
    request = api.Access(url="https://acme.myshopify.com", token="hush-2").ask(api.TRACK, item="1")
    assert "hush" not in repr(shop) + repr(request) + request.place
    assert isinstance(shop, CartSink)


# --- reading ------------------------------------------------------------------------------------------


def test_a_listing_is_shown_under_every_way_in_which_a_row_may_name_its_location() -> None:
    shop = ShopifyShop(locations=("Main street", "East"))
    mug = shop.add("MUG", 3)
    shop.stock(mug, 5, at="East")
    shown = sink(shop, location="East").read(["MUG"])
    assert figures(shown) == {
        ("MUG", None): (5, None),
        ("MUG", MAIN): (3, None),
        ("MUG", "Main street"): (3, None),
        ("MUG", EAST): (5, None),
        ("MUG", "East"): (5, None),
    }
    assert {one.location_id: one.same_as for one in shown} == {
        None: EAST,
        MAIN: None,
        "Main street": MAIN,
        EAST: None,
        "East": EAST,
    }


def test_with_several_locations_and_none_chosen_no_figure_is_made_up() -> None:
    shop = ShopifyShop(locations=("Main street", "East"))
    shop.add("MUG", 3)
    assert ("MUG", None) not in figures(sink(shop).read(["MUG"]))
    with pytest.raises(SettingsError, match="'Main street'") as caught:
        sink(shop).push([change("MUG", 1)])
    assert caught.value.code == "choose_cart_location"


def test_a_shop_with_one_location_of_its_own_needs_no_choice_although_a_service_has_another() -> None:
    shop = ShopifyShop()
    shop.add_location("Fulfil Ltd", service=True)
    shop.add("MUG", 3)
    assert figures(sink(shop).read(["MUG"]))["MUG", None] == (3, None)


def test_an_unknown_closed_or_ambiguous_location_is_an_error_that_lists_the_choices() -> None:
    shop = ShopifyShop(locations=("Twin", "Twin"))
    shop.add_location("Closed", active=False)
    for wanted in ("North", "Twin", "Closed"):
        with pytest.raises(SettingsError, match=r"'Twin' \(gid://shopify/Location/1\)") as caught:
            sink(shop, location=wanted).read([])
        assert caught.value.code == "unknown_cart_location"


def test_a_shop_without_an_open_location_is_an_error() -> None:
    shop = ShopifyShop(locations=())
    shop.add_location("Closed", active=False)
    with pytest.raises(SettingsError) as caught:
        sink(shop).read([])
    assert caught.value.code == "no_cart_location"


def test_all_locations_are_read_however_many_pages_they_take() -> None:
    shop = ShopifyShop(locations=[f"Store {number}" for number in range(101)])
    shop.stock(shop.add("MUG", 1), 8, at="Store 100")
    shown = sink(shop, location="Store 100").read(["MUG"])
    assert figures(shown)["MUG", None] == (8, None)
    assert len(asked(shop, "omsyncLocations")) == 2


@pytest.mark.parametrize(
    "sku",
    [
        '6" PLATE',
        "O'NEILL",
        "back\\slash",
        "A:B",
        "two words",
        "STAR*",
        "(round)",
        "sku:OTHER",
        "-MINUS",
        "ÄÖ",
    ],
)
def test_a_sku_is_searched_for_as_it_is_whatever_characters_it_has(sku: str) -> None:
    shop = ShopifyShop()
    shop.add(sku, 4)
    shop.add("OTHER", 9)
    assert figures(sink(shop).read([sku]))[sku, None] == (4, None)


def test_a_sku_is_compared_exactly_since_the_search_finds_words() -> None:
    shop = ShopifyShop()
    shop.add("MUG-RED", 1)
    shop.add("mug", 2)
    shop.add("RED MUG XL", 3)
    assert sink(shop).read(["MUG"]) == []
    shop.add("MUG", 4)
    assert {one.quantity for one in sink(shop).read(["MUG"])} == {4}


def test_a_search_that_finds_more_than_its_page_holds_is_read_on() -> None:
    shop = ShopifyShop()
    for number in range(7):
        shop.add(f"MUG {number}", number)
    shop.add("MUG", 70)
    assert figures(sink(shop).read(["MUG"]))["MUG", None] == (70, None)
    assert len(asked(shop, "omsyncFind")) == 8


def test_many_skus_are_looked_up_in_one_search() -> None:
    shop = ShopifyShop(plan="enterprise")
    skus = [f"S{number}" for number in range(120)]
    for sku in skus:
        shop.add(sku, 1)
    assert len(figures(sink(shop).read(skus))) == 360
    assert [one["first"] for one in asked(shop, "omsyncFind")] == [50, 50, 20]


def test_a_new_item_that_the_search_does_not_know_yet_is_not_in_the_cart() -> None:
    shop = ShopifyShop()
    shop.add("NEW", 1)
    shop.hide("NEW")
    assert sink(shop).read(["NEW"]) == []
    assert figures(sink(shop, lists_all=True).read(["NEW"]))["NEW", None] == (1, None)


def test_items_that_share_a_sku_are_a_duplicate_without_a_figure() -> None:
    shop = ShopifyShop()
    shop.add("TWIN", 1)
    shop.add("TWIN", 2)
    shown = sink(shop).read(["TWIN"])
    assert {(one.state, one.quantity) for one in shown} == {("duplicate", None)}


def test_a_twin_that_the_search_does_not_know_is_counted_by_shopify() -> None:
    shop = ShopifyShop()
    shop.add("TWIN", 1)
    shop.hide("TWIN")
    shop.add("TWIN", 2)
    for policy in ("refuse", "write_all"):
        twins = sink(shop, duplicates=policy)
        assert {one.state for one in twins.read(["TWIN"])} == {"duplicate"}
        assert outcomes(twins.push([change("TWIN", 5)])) == [("TWIN", "rejected", "duplicate_in_cart", None)]


def test_items_that_share_a_sku_may_all_be_told_each_compared_with_its_own_figure() -> None:
    shop = ShopifyShop()
    first, second = shop.add("TWIN", 1), shop.add("TWIN", 2)
    twins = sink(shop, duplicates="write_all")
    assert {(one.state, one.quantity) for one in twins.read(["TWIN"])} == {("listed", None)}
    assert outcomes(twins.push([change("TWIN", 5)])) == [("TWIN", "accepted", "", 5)]
    (sent,) = asked(shop, "omsyncWrite")
    assert [(row["inventoryItemId"], row["changeFromQuantity"]) for row in sent["input"]["quantities"]] == [
        (first, 1),
        (second, 2),
    ]
    assert {one.quantity for one in twins.read(["TWIN"])} == {5}


def test_of_items_that_share_a_sku_the_one_that_is_refused_speaks_for_the_row() -> None:
    shop = ShopifyShop()
    shop.add("TWIN", 1)
    bundle = shop.add("TWIN", 2, bundle=True)
    (result,) = sink(shop, duplicates="write_all").push([change("TWIN", 5)])
    assert (result.reason, result.message.split(": ")[0]) == ("unmanaged_in_cart", bundle)


def test_an_item_behind_several_variants_is_one_item() -> None:
    # Shopify counts by item: variants that share one share its SKU and its stock; one row reaches them all.
    shop = ShopifyShop()
    shop.add("SHARED", 1)
    results = sink(shop).push([change("SHARED", 5, at=MAIN), change("SHARED", 5, at="Main street")])
    assert [one.echo for one in results] == [5, 5]
    (sent,) = asked(shop, "omsyncWrite")
    assert len(sent["input"]["quantities"]) == 1


def test_an_untracked_item_is_shown_as_untracked() -> None:
    shop = ShopifyShop()
    shop.add("DIGITAL", 1, tracked=False)
    assert {one.state for one in sink(shop).read(["DIGITAL"])} == {"untracked"}


def test_a_place_where_the_item_is_not_stocked_shows_no_figure() -> None:
    shop = ShopifyShop(locations=("Main street", "East"))
    mug = shop.add("MUG", 3, stocked=False)
    shown = figures(sink(shop, location=MAIN).read(["MUG"]))
    assert (shown["MUG", MAIN], shown["MUG", EAST]) == ((None, None), (None, None))
    shop.stock(mug, 4, at="East")
    assert figures(sink(shop, location=MAIN).read(["MUG"]))["MUG", EAST] == (4, None)


def test_a_negative_quantity_is_read_as_it_is_since_orders_may_make_one() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 1)
    shop.sell("MUG", 3)
    assert figures(sink(shop).read(["MUG"]))["MUG", None] == (-2, None)
    (result,) = sink(shop).push([change("MUG", 4, shown=-2)])
    assert result.echo == 4


def test_a_fulfilment_services_location_is_its_own_affair_unless_the_app_is_the_service() -> None:
    shop = ShopifyShop()
    service = shop.add_location("Fulfil Ltd", service=True)
    shop.stock(shop.add("MUG", 1), 9, at="Fulfil Ltd")
    states = {one.location_id: one.state for one in sink(shop).read(["MUG"])}
    assert (states[service], states[MAIN]) == ("unmanaged", "listed")
    row = [change("MUG", 4, at=service)]
    assert outcomes(sink(shop).push(row)) == [("MUG", "skipped", "unmanaged_in_cart", None)]
    assert outcomes(sink(shop, service_locations="write").push(row)) == [("MUG", "accepted", "", 4)]


def test_listing_all_items_gives_the_others_by_name_and_needs_no_search() -> None:
    shop = ShopifyShop(plan="enterprise")
    for number in range(260):
        shop.add(f"S{number}", number)
    shop.add(None, 1)
    shop.add("TWIN", 1)
    shop.add("TWIN", 1)
    shown = sink(shop, lists_all=True).read(["S3", "TWIN", "NONE"])
    states = {one.listing_sku: one.state for one in shown}
    assert len(states) == 261
    assert (states["S3"], states["S4"], states["TWIN"]) == ("listed", "listed", "duplicate")
    assert not asked(shop, "omsyncFind")
    assert sink(shop, lists_all=True).capabilities.lists_all


def test_more_items_than_shopify_lets_anybody_page_through_are_not_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("omsync.sinks._shopify_reading._MOST_LISTED", 20)
    shop = ShopifyShop()
    shop.most_paged = 20
    for number in range(21):
        shop.add(f"S{number}", number)
    with pytest.raises(RefusedError, match="lists_all") as caught:
        sink(shop, lists_all=True, page_size=10).read(["S3"])
    assert caught.value.code == "too_many_to_list"


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"quantity": "3"}, r"quantities\[0\].quantity must be a whole number, not '3'"),
        ({"quantity": 3.5}, "must be a whole number"),
        ({"quantity": None}, "must be a whole number"),
    ],
)
def test_a_quantity_that_is_no_whole_number_is_an_error_that_names_its_place(
    wrong: dict[str, Any], place: str
) -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    page = json.loads(_read_by_hand(shop).content)
    level = page["data"]["inventoryItems"]["nodes"][0]["inventoryLevels"]["nodes"][0]
    level["quantities"][0].update(wrong)
    shop.trouble(json_answer(page), when=calls_of("omsyncFind"))
    with pytest.raises(DecodeError, match=place):
        sink(shop).read(["MUG"])


def _read_by_hand(shop: ShopifyShop) -> Response:
    access = api.Access(url="https://acme.myshopify.com/admin/api/2026-07/graphql.json", token="shpat_test")
    conversation = api.items_by_sku(access, ["MUG"], levels=1, names=["available"])
    return shop.handle(next(conversation))


# --- ids of earlier runs --------------------------------------------------------------------------------


def test_a_steady_run_reads_by_id_and_searches_for_what_is_new_only() -> None:
    shop, memory = ShopifyShop(), DictMemory()
    shop.add("MUG", 3)
    sink(shop).remembering(memory).read(["MUG"])
    shop.add("NEW", 1)
    shop.requests.clear()
    shown = sink(shop).remembering(memory).read(["MUG", "NEW"])
    assert {one.listing_sku for one in shown} == {"MUG", "NEW"}
    assert [one["query"] for one in asked(shop, "omsyncFind")] == ['sku:"NEW"']
    assert len(asked(shop, "omsyncItems")) == 1
    shop.requests.clear()
    sink(shop).remembering(memory).read(["MUG", "NEW"])
    assert not asked(shop, "omsyncFind")


def test_an_id_whose_sku_is_another_one_by_now_is_never_written_to() -> None:
    shop, memory = ShopifyShop(), DictMemory()
    old = shop.add("MUG", 3)
    sink(shop).remembering(memory).read(["MUG"])
    shop.items[old].sku = "CUP"
    new = shop.add("MUG", 8)
    (result,) = sink(shop).remembering(memory).push([change("MUG", 5)])
    assert result.echo == 5
    assert (shop.items[old].levels[MAIN].available, shop.items[new].levels[MAIN].available) == (3, 5)
    assert list(memory.namespaces.values()) == [{"MUG": new}]


def test_an_id_that_has_gone_or_got_a_twin_is_looked_up_anew() -> None:
    shop, memory = ShopifyShop(), DictMemory()
    gone = shop.add("GONE", 3)
    shop.add("TWIN", 3)
    sink(shop).remembering(memory).read(["GONE", "TWIN"])
    del shop.items[gone]
    shop.add("TWIN", 4)
    shown = sink(shop).remembering(memory).read(["GONE", "TWIN"])
    assert {(one.listing_sku, one.state) for one in shown} == {("TWIN", "duplicate")}
    assert list(memory.namespaces.values()) == [{"GONE": "", "TWIN": ""}]


def test_a_twin_of_an_item_that_was_known_is_told_too() -> None:
    shop, memory = ShopifyShop(), DictMemory()
    shop.add("TWIN", 3)
    sink(shop, duplicates="write_all").remembering(memory).read(["TWIN"])
    shop.add("TWIN", 4)
    sink(shop, duplicates="write_all").remembering(memory).push([change("TWIN", 5)])
    assert [item.levels[MAIN].available for item in shop.items.values()] == [5, 5]


def test_a_push_after_a_read_of_the_same_run_asks_once_more_for_skus_and_nothing_else() -> None:
    shop = ShopifyShop()
    key = shop.add("MUG", 3)
    run = sink(shop).remembering(None)
    run.read(["MUG"])
    shop.requests.clear()
    run.push([change("MUG", 5, shown=3)])
    assert [name for name, _ in shop.operations()] == ["omsyncClaims", "omsyncWrite"]
    assert asked(shop, "omsyncClaims") == [{"ids": [key]}]
    shop.requests.clear()
    sink(shop).push([change("MUG", 6)])
    assert not asked(shop, "omsyncClaims"), "what was looked up a moment ago is not asked for again"


# --- SKUs that change hands in the middle of a run ------------------------------------------------------


def swap(shop: ShopifyShop, one: str, other: str) -> None:
    """Let two items change SKUs with each other."""
    shop.items[one].sku, shop.items[other].sku = shop.items[other].sku, shop.items[one].sku


def units(shop: ShopifyShop, *ids: str) -> list[int]:
    return [shop.items[one].levels[MAIN].available for one in ids]


def test_items_that_change_skus_between_the_read_and_the_push_are_a_conflict_and_not_written() -> None:
    shop, memory = ShopifyShop(), DictMemory()
    mug, cup, jug = (shop.add(sku, 3) for sku in ("MUG", "CUP", "JUG"))
    run = sink(shop).remembering(memory)
    run.read(["MUG", "CUP", "JUG"])
    swap(shop, mug, cup)
    results = run.push([change(sku, 5, shown=3) for sku in ("MUG", "CUP", "JUG")])
    assert outcomes(results) == [
        ("MUG", "conflict", "renamed_in_cart", None),
        ("CUP", "conflict", "renamed_in_cart", None),
        ("JUG", "accepted", "", 5),
    ]
    assert results[0].message == (
        f"the SKU 'MUG' was that of {mug} when it was read and {cup} now; nothing was written to either"
    )
    assert units(shop, mug, cup, jug) == [3, 3, 5]
    again = sink(shop).remembering(memory)
    assert {one.quantity for one in again.read(["MUG", "CUP"])} == {3}
    assert [name for name, _ in shop.operations()][-1] == "omsyncItems", "the ids are those of now"
    assert {one.status for one in again.push([change("MUG", 5, shown=3), change("CUP", 6, shown=3)])} == {
        "accepted"
    }
    assert units(shop, mug, cup) == [6, 5]


def test_a_sku_that_a_new_item_got_after_the_read_is_a_conflict() -> None:
    shop = ShopifyShop()
    old = shop.add("MUG", 3)
    run = sink(shop).remembering(None)
    run.read(["MUG"])
    shop.items[old].sku = "OLD-MUG"
    new = shop.add("MUG", 3)
    assert outcomes(run.push([change("MUG", 5, shown=3)])) == [("MUG", "conflict", "renamed_in_cart", None)]
    assert units(shop, old, new) == [3, 3]


@pytest.mark.parametrize("gone", [True, False])
def test_a_sku_that_no_item_has_any_longer_is_not_in_the_cart(gone: bool) -> None:
    shop = ShopifyShop()
    key = shop.add("MUG", 3)
    run = sink(shop).remembering(None)
    run.read(["MUG"])
    if gone:
        del shop.items[key]
    else:
        shop.items[key].sku = None
    assert outcomes(run.push([change("MUG", 5)])) == [("MUG", "rejected", "not_in_cart", None)]
    assert not asked(shop, "omsyncWrite")


def test_a_twin_or_a_switch_that_came_after_the_read_is_noticed_too() -> None:
    shop = ShopifyShop()
    mug, jug, cup = (shop.add(sku, 3) for sku in ("MUG", "JUG", "CUP"))
    run = sink(shop).remembering(None)
    run.read(["MUG", "JUG", "CUP"])
    shop.add("MUG", 4)
    shop.items[shop.add("JUG", 4)].searchable = False
    shop.items[cup].tracked = False
    assert outcomes(run.push([change("MUG", 5), change("JUG", 5), change("CUP", 5)])) == [
        ("MUG", "rejected", "duplicate_in_cart", None),
        ("JUG", "rejected", "duplicate_in_cart", None),
        ("CUP", "skipped", "untracked_in_cart", None),
    ]
    assert units(shop, mug, jug, cup) == [3, 3, 3]


def test_a_conflict_over_a_sku_stays_one_until_the_cart_is_read_again() -> None:
    shop = ShopifyShop()
    one, other = shop.add("TWIN", 3), shop.add("TWIN", 3)
    run = sink(shop, duplicates="write_all").remembering(None)
    run.read(["TWIN"])
    assert outcomes(run.push([change("TWIN", 5)])) == [("TWIN", "accepted", "", 5)]
    shop.items[other].sku = "OTHER"
    for _ in range(2):  # as when a batch is refused and sent again in halves
        assert outcomes(run.push([change("TWIN", 6)])) == [("TWIN", "conflict", "renamed_in_cart", None)]
    run.read(["TWIN"])
    assert outcomes(run.push([change("TWIN", 6)])) == [("TWIN", "accepted", "", 6)]
    assert units(shop, one, other) == [6, 5]


def at_the_write(shop: ShopifyShop, do: Callable[[], None]) -> None:
    """Let something happen just before a write is carried out."""

    def meddle(one: Asked) -> None:
        if b"omsyncWrite" in one.content:
            shop.meddle = lambda _: None
            do()

    shop.meddle = meddle


@pytest.mark.parametrize("when", ["before", "after"])
def test_skus_that_change_hands_in_the_very_moment_of_a_write_are_told_by_its_answer(when: str) -> None:
    shop = ShopifyShop()
    mug, cup, jug = (shop.add(sku, 3) for sku in ("MUG", "CUP", "JUG"))
    run = sink(shop, verify_ids=when).remembering(None)
    run.read(["MUG", "CUP", "JUG"])

    def meddle() -> None:
        swap(shop, mug, cup)
        shop.items[jug].sku = None

    at_the_write(shop, meddle)
    results = run.push([change(sku, 5, shown=3) for sku in ("MUG", "CUP", "JUG")])
    assert outcomes(results) == [(sku, "conflict", "renamed_in_cart", 5) for sku in ("MUG", "CUP", "JUG")]
    assert results[0].message == (
        f"{mug} got the SKU 'CUP' before the write and shows 5 now; look at it and at 'MUG', or let the next "
        "run set them right"
    )
    assert len(asked(shop, "omsyncClaims")) == (when == "before")


@pytest.mark.parametrize("shows", [4, 5])
def test_a_comparison_that_fails_since_the_item_has_another_sku_says_so(shows: int) -> None:
    shop = ShopifyShop()
    mug, cup = shop.add("MUG", 3), shop.add("CUP", shows)
    run = sink(shop, verify_ids="after").remembering(None)
    run.read(["MUG", "CUP"])
    swap(shop, mug, cup)
    shop.stock(mug, shows)
    # Although it shows just what was wanted, it is not the item that it was wanted for.
    (result,) = run.push([change("MUG", 5, shown=3)])
    assert outcomes([result]) == [("MUG", "conflict", "renamed_in_cart", None)]
    assert result.message == f"{mug} has the SKU 'CUP' by now, not 'MUG'; nothing was overwritten"
    assert units(shop, mug, cup) == [shows, shows]


@pytest.mark.parametrize(("when", "claims", "waited"), [("before", 4, 16), ("after", 0, 4)])
def test_asking_for_skus_before_writing_costs_a_point_a_row_where_reading_costs_six(
    when: str, claims: int, waited: int
) -> None:
    clock, memory = FakeClock(), DictMemory()
    shop = ShopifyShop(now=clock.monotonic)
    rows = [change(f"S{number}", 5, shown=1) for number in range(1000)]
    ids = {row.listing_sku: shop.add(row.listing_sku, 1) for row in rows}
    memory.remember("ids of shopify at acme.myshopify.com", ids)
    run = sink(shop, verify_ids=when).remembering(memory)
    run_blocking(run.read_steps(list(ids)), clock=clock)
    read = clock.waited
    assert {one.status for one in run_blocking(run.push_steps(rows), clock=clock)} == {"accepted"}
    # One may be asked for twice: the cost of the first call of its kind is only guessed.
    asked_for = {tuple(one["ids"]) for one in asked(shop, "omsyncClaims")}
    assert [len(ids) for ids in asked_for] == [250] * claims
    assert len(asked(shop, "omsyncWrite")) == 4
    points = run.meter.points
    assert (points("omsyncItems", 250), points("omsyncWrite")) == (1500, 10)
    assert not claims or points("omsyncClaims", 250) == 250
    assert clock.waited - read < waited
    assert read > 50


# --- writing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_push_is_the_same_blocking_and_awaiting(runner: str) -> None:
    shop = ShopifyShop()
    for sku in ("MUG", "CUP"):
        shop.add(sku, 3)
    rows = [change("MUG", 5, shown=3), change("CUP", 0, shown=3), change("NONE", 1)]
    assert outcomes(RUNNERS[runner](sink(shop).push_steps(rows))) == [
        ("MUG", "accepted", "", 5),
        ("CUP", "accepted", "", 0),
        ("NONE", "rejected", "not_in_cart", None),
    ]
    assert (shop.quantity("MUG"), shop.quantity("CUP")) == (5, 0)


def test_a_push_of_nothing_says_nothing() -> None:
    shop = ShopifyShop()
    assert sink(shop).push([]) == []
    assert not shop.requests


def test_the_expected_quantity_goes_along_and_an_unknown_one_is_null_on_the_wire() -> None:
    shop = ShopifyShop()
    for sku in ("MUG", "CUP"):
        shop.add(sku, 3)
    sink(shop).push([change("MUG", 5, shown=3), change("CUP", 5)])
    wire = shop.requests[-1].content
    assert b'"quantity":5,"changeFromQuantity":3}' in wire
    assert b'"quantity":5,"changeFromQuantity":null}' in wire


def test_the_shop_is_told_which_run_a_change_comes_from() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    sink(shop).push([change("MUG", 5)])
    assert [(one["reason"], one["referenceDocumentUri"]) for one in shop.history] == [
        ("correction", "gid://omsync/SyncRun/run7")
    ]


def test_a_push_goes_out_250_rows_a_call_several_at_once() -> None:
    shop = ShopifyShop(plan="enterprise")
    rows = [change(f"S{number}", number + 1) for number in range(260)]
    for row in rows:
        shop.add(row.listing_sku, 0)
    results = sink(shop, lists_all=False).push(rows)
    assert {one.status for one in results} == {"accepted"}
    assert sorted(len(one["input"]["quantities"]) for one in asked(shop, "omsyncWrite")) == [10, 250]


def test_a_row_that_the_answer_does_not_show_is_accepted_without_a_figure_so_that_it_is_read_back() -> None:
    shop = ShopifyShop()
    shop.add("SAME", 5)
    assert outcomes(sink(shop).push([change("SAME", 5)])) == [("SAME", "accepted", "", None)]


def test_rows_that_contradict_each_other_are_not_sent() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    results = sink(shop).push([change("MUG", 1, at=MAIN), change("MUG", 2, at="Main street")])
    assert [one.reason for one in results] == ["contradiction", "contradiction"]
    assert shop.quantity("MUG") == 3


@pytest.mark.parametrize(
    ("sku", "quantity", "at", "reason", "status"),
    [
        ("NONE", 1, None, "not_in_cart", "rejected"),
        ("MUG", 1_000_000_001, None, "out_of_range", "rejected"),
        ("MUG", 1, "Moon base", "unknown_location", "rejected"),
        ("MUG", 1, "gid://shopify/Location/77", "unknown_location", "rejected"),
        ("TWIN", 1, None, "duplicate_in_cart", "rejected"),
        ("DIGITAL", 1, None, "untracked_in_cart", "skipped"),
        ("ELSEWHERE", 1, None, "not_stocked_at_location", "skipped"),
    ],
)
def test_what_must_not_be_sent_has_a_named_outcome_and_is_not_sent(
    sku: str, quantity: int, at: str | None, reason: str, status: str
) -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    shop.add("TWIN", 1)
    shop.add("TWIN", 1)
    shop.add("DIGITAL", 1, tracked=False)
    shop.add("ELSEWHERE", 1, stocked=False)
    assert outcomes(sink(shop).push([change(sku, quantity, at=at)])) == [(sku, status, reason, None)]
    assert not asked(shop, "omsyncWrite")


def test_a_negative_or_fractional_quantity_cannot_even_be_written_down() -> None:
    with pytest.raises(InvalidValueError):
        change("MUG", -1)
    with pytest.raises(WrongTypeError):
        change("MUG", 1.5)  # type: ignore[arg-type]  # wrong on purpose


def test_the_largest_quantity_is_taken() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    assert outcomes(sink(shop).push([change("MUG", 1_000_000_000)]))[0][3] == 1_000_000_000


def test_an_untracked_item_is_an_error_or_switched_on_by_policy() -> None:
    shop = ShopifyShop()
    item = shop.add("DIGITAL", 1, tracked=False)
    row = [change("DIGITAL", 5)]
    results = sink(shop, untracked_policy="error").push(row)
    assert outcomes(results) == [("DIGITAL", "rejected", "untracked_in_cart", None)]
    results = sink(shop, untracked_policy="track").push(row)
    assert outcomes(results) == [("DIGITAL", "accepted", "", 5)]
    assert shop.items[item].tracked


def test_an_item_that_cannot_be_tracked_or_stocked_is_refused_and_not_written() -> None:
    shop = ShopifyShop()
    shop.add("KIT", 1, tracked=False, bundle=True)
    service = shop.add_location("Fulfil Ltd", service=True)
    shop.add("MUG", 1)
    writer = sink(shop, untracked_policy="track", activate=True, service_locations="write")
    results = writer.push([change("KIT", 5), change("MUG", 5, at=service), change("MUG", 2)])
    assert [(one.status, one.reason) for one in results] == [
        ("rejected", "row_refused"),
        ("rejected", "row_refused"),
        ("accepted", ""),
    ]
    assert "could not be changed" in results[0].message


def test_an_item_may_be_stocked_at_a_place_on_purpose() -> None:
    shop = ShopifyShop(locations=("Main street", "East"))
    mug = shop.add("MUG", 3, stocked=False)
    writer = sink(shop, activate=True)
    results = writer.push([change("MUG", 5, at="East", shown=1), change("MUG", 4, at="Main street")])
    assert [one.echo for one in results] == [5, 4]
    assert all(level.active for level in shop.items[mug].levels.values())
    assert len({one["key"] for one in asked(shop, "omsyncActivate")}) == 2


def test_a_place_that_has_to_be_made_ready_and_is_not_reached_is_pending() -> None:
    shop = ShopifyShop()
    shop.add("ELSEWHERE", 1, stocked=False)
    shop.trouble("lost", when=calls_of("omsyncActivate"), times=3)
    results = sink(shop, activate=True).push([change("ELSEWHERE", 5)])
    assert outcomes(results) == [("ELSEWHERE", "pending", "answer_unknown", None)]


def test_a_breakdown_goes_to_the_shops_own_locations() -> None:
    shop = ShopifyShop(locations=("Main street", "East"))
    shop.stock(shop.add("MUG", 1), 1, at="East")
    sink(shop).push([change("MUG", 7, at="East"), change("MUG", 2, at=MAIN)])
    assert (shop.quantity("MUG", "East"), shop.quantity("MUG", "Main street")) == (7, 2)


# --- compare and set ------------------------------------------------------------------------------------


def test_an_order_that_came_in_between_is_never_overwritten() -> None:
    shop = ShopifyShop()
    for sku in ("MUG", "CUP"):
        shop.add(sku, 10)
    shop.sell("MUG", 3)
    results = sink(shop).push([change("MUG", 12, shown=10), change("CUP", 12, shown=10)])
    assert outcomes(results) == [
        ("MUG", "conflict", "moved_in_cart", 7),
        ("CUP", "accepted", "", 12),
    ]
    assert "shows 7" in results[0].message
    assert shop.quantity("MUG") == 7


def test_a_quantity_that_moved_to_what_is_wanted_is_applied() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 12)
    assert outcomes(sink(shop).push([change("MUG", 12, shown=10)])) == [
        ("MUG", "accepted", "already_shown", 12)
    ]


def test_a_conflict_that_cannot_be_looked_at_is_a_conflict_all_the_same() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 10)
    writer = sink(shop)
    writer.read(["MUG"])
    shop.trouble(json_answer({}, 404), when=calls_of("omsyncItems"))
    (result,) = writer.push([change("MUG", 12, shown=9)])
    assert (result.status, result.reason) == ("conflict", "moved_in_cart")
    assert "could not be read" in result.message


def test_an_item_that_went_away_under_a_conflict_shows_nothing() -> None:
    shop = ShopifyShop()
    mug = shop.add("MUG", 10)

    def remove(one: Asked) -> None:
        if b"omsyncItems" in one.content:
            shop.items.pop(mug, None)

    shop.meddle = remove
    (result,) = sink(shop).push([change("MUG", 12, shown=9)])
    assert (result.status, result.echo) == ("conflict", None)
    assert "shows nothing" in result.message


# --- bad rows -------------------------------------------------------------------------------------------


def test_a_bundles_parent_drops_out_by_its_index_and_the_rest_goes_under_a_new_key() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 1)
    shop.add("GIFT-SET", 1, bundle=True)
    shop.add("CUP", 1)
    results = sink(shop).push([change("MUG", 5), change("GIFT-SET", 5), change("CUP", 5)])
    assert outcomes(results) == [
        ("MUG", "accepted", "", 5),
        ("GIFT-SET", "skipped", "unmanaged_in_cart", None),
        ("CUP", "accepted", "", 5),
    ]
    first, second = asked(shop, "omsyncWrite")
    assert (len(first["input"]["quantities"]), len(second["input"]["quantities"])) == (3, 2)
    assert first["key"] != second["key"]


def test_without_an_index_the_batch_is_halved_until_the_bad_row_stands_alone() -> None:
    shop = ShopifyShop()
    shop.name_no_rows()
    rows = [change(f"S{number}", 5) for number in range(8)]
    for number, row in enumerate(rows):
        shop.add(row.listing_sku, 1, bundle=number == 5)
    results = sink(shop).push(rows)
    assert [one.reason for one in results] == ["", "", "", "", "", "unmanaged_in_cart", "", ""]
    assert [one.echo for one in results] == [5, 5, 5, 5, 5, None, 5, 5]
    sizes = [len(one["input"]["quantities"]) for one in asked(shop, "omsyncWrite")]
    assert sizes == [8, 4, 4, 2, 1, 1, 2]
    assert len({one["key"] for one in asked(shop, "omsyncWrite")}) == 7


def test_a_row_whose_item_went_away_between_look_up_and_write_costs_only_itself() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 1)
    gone = shop.add("GONE", 1)
    writer = sink(shop)
    writer.read(["MUG", "GONE"])
    del shop.items[gone]
    assert outcomes(writer.push([change("GONE", 5), change("MUG", 5)])) == [
        ("GONE", "rejected", "not_in_cart", None),
        ("MUG", "accepted", "", 5),
    ]


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("INVALID_INVENTORY_ITEM", "rejected", "not_in_cart"),
        ("INVALID_LOCATION", "rejected", "unknown_location"),
        ("INVALID_QUANTITY_NEGATIVE", "rejected", "out_of_range"),
        ("INVALID_QUANTITY_TOO_HIGH", "rejected", "out_of_range"),
        ("INVALID_QUANTITY_TOO_LOW", "rejected", "out_of_range"),
        ("ITEM_NOT_STOCKED_AT_LOCATION", "rejected", "not_stocked_at_location"),  # before 2026-10
        ("NON_MUTABLE_INVENTORY_ITEM", "skipped", "unmanaged_in_cart"),
        ("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "rejected", "row_refused"),
        ("A_CODE_OF_A_LATER_VERSION", "rejected", "row_refused"),
    ],
)
def test_each_of_shopifys_codes_about_a_row_has_a_named_outcome(code: str, status: str, reason: str) -> None:
    shop = ShopifyShop()
    for sku in ("MUG", "CUP"):
        shop.add(sku, 1)
    error = {"code": code, "field": ["input", "quantities", "1", "quantity"], "message": "Shopify's words"}
    answer = {"inventoryAdjustmentGroup": None, "userErrors": [error]}
    shop.trouble(json_answer({"data": {"inventorySetQuantities": answer}}), when=calls_of("omsyncWrite"))
    mug, cup = sink(shop).push([change("MUG", 5), change("CUP", 5)])
    assert (mug.status, mug.echo) == ("accepted", 5)
    assert (cup.status, cup.reason, cup.message) == (status, reason, "Shopify's words")


def test_rows_that_were_written_although_others_were_refused_are_not_sent_again() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 1)
    shop.add("CUP", 1)
    writer = sink(shop)
    writer.read(["MUG", "CUP"])
    mug = {
        "name": "available",
        "quantityAfterChange": 5,
        "item": {"id": "gid://shopify/InventoryItem/1", "sku": "MUG"},
        "location": {"id": MAIN},
    }
    other = [{**mug, "name": "on_hand"}, {**mug, "item": None}]
    error = {"code": "INVALID_LOCATION", "field": ["input", "quantities", "1"], "message": "no"}
    answer = {"inventoryAdjustmentGroup": {"changes": [mug, *other]}, "userErrors": [error]}
    shop.trouble(json_answer({"data": {"inventorySetQuantities": answer}}), when=calls_of("omsyncWrite"))
    results = writer.push([change("MUG", 5), change("CUP", 5)])
    assert outcomes(results) == [("MUG", "accepted", "", 5), ("CUP", "rejected", "unknown_location", None)]
    assert len(asked(shop, "omsyncWrite")) == 1


def test_an_error_about_the_whole_call_is_raised_since_no_row_is_to_blame() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 1)
    error = {"code": "INVALID_REASON", "field": ["input", "reason"], "message": "bad reason"}
    answer = {"inventoryAdjustmentGroup": None, "userErrors": [error]}
    shop.trouble(json_answer({"data": {"inventorySetQuantities": answer}}), when=calls_of("omsyncWrite"))
    with pytest.raises(RefusedError, match="bad reason") as caught:
        sink(shop).push([change("MUG", 5), change("MUG", 5, at=MAIN)])
    assert caught.value.code == "api_mismatch"


def test_an_echo_that_differs_says_what_the_shop_shows() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 1)
    writer = sink(shop)
    writer.read(["MUG"])
    shown = {
        "name": "available",
        "quantityAfterChange": 4,
        "item": {"id": "gid://shopify/InventoryItem/1", "sku": "MUG"},
        "location": {"id": MAIN},
    }
    answer = {"inventoryAdjustmentGroup": {"changes": [shown]}, "userErrors": []}
    shop.trouble(json_answer({"data": {"inventorySetQuantities": answer}}), when=calls_of("omsyncWrite"))
    (result,) = writer.push([change("MUG", 5)])
    assert (result.status, result.echo, result.message) == (
        "accepted",
        4,
        "the cart shows 4 after the write",
    )


# --- keys, and answers that are lost --------------------------------------------------------------------


def test_a_retry_after_a_lost_answer_keeps_its_key_and_is_harmless() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    shop.trouble("lost", when=calls_of("omsyncWrite"))
    assert outcomes(sink(shop).push([change("MUG", 5, shown=3)])) == [("MUG", "accepted", "", 5)]
    first, second = asked(shop, "omsyncWrite")
    assert first == second
    assert len(shop.history) == 1


def test_the_key_comes_from_the_run_and_the_row_and_never_from_the_value() -> None:
    keys = []
    for quantity, run in ((5, "run7"), (6, "run7"), (5, "run8")):
        shop = ShopifyShop()
        shop.add("MUG", 3)
        row = change("MUG", quantity)
        sink(shop).push(
            [
                QuantityChange(
                    listing_sku="MUG", quantity=quantity, available=quantity, key=row.key.replace("run7", run)
                )
            ]
        )
        keys.append(asked(shop, "omsyncWrite")[0]["key"])
    assert keys[0] == keys[1] != keys[2]


def test_rows_without_keys_of_their_own_get_new_ones_for_each_push() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    for quantity in (5, 3, 5):
        row = QuantityChange(listing_sku="MUG", quantity=quantity, available=quantity)
        (result,) = sink(shop).push([row])
        assert result.echo == shop.quantity("MUG") == quantity
    assert len({one["key"] for one in asked(shop, "omsyncWrite")}) == 3
    assert shop.history[0]["referenceDocumentUri"].startswith("gid://omsync/Push/")


def test_a_key_that_was_used_for_something_else_is_replaced() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    sink(shop).push([change("MUG", 5)])
    assert outcomes(sink(shop).push([change("MUG", 6)])) == [("MUG", "accepted", "", 6)]
    assert len({one["key"] for one in asked(shop, "omsyncWrite")}) == 2


def test_a_lost_answer_to_a_refused_call_is_asked_for_under_a_new_key() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    shop.add("KIT", 3, bundle=True)
    shop.trouble("lost", when=calls_of("omsyncWrite"))
    results = sink(shop).push([change("MUG", 5), change("KIT", 5)])
    assert [one.reason for one in results] == ["", "unmanaged_in_cart"]


def test_keys_that_are_refused_for_ever_are_given_up() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    code = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
    error = {"code": code, "field": None, "message": "failed before"}
    answer = {"inventoryAdjustmentGroup": None, "userErrors": [error]}
    again = json_answer({"data": {"inventorySetQuantities": answer}})
    shop.trouble(again, when=calls_of("omsyncWrite"), times=9)
    with pytest.raises(RefusedError, match="failed before") as caught:
        sink(shop).push([change("MUG", 5)])
    assert caught.value.code == "idempotency_key"
    assert len(asked(shop, "omsyncWrite")) == 4


def test_a_call_that_is_still_under_way_is_asked_again_with_its_key() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    error = {"code": "IDEMPOTENCY_CONCURRENT_REQUEST", "field": None, "message": "in progress"}
    busy = {"data": {"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": [error]}}}
    shop.trouble(json_answer(busy), when=calls_of("omsyncWrite"))
    first_then_second = RUNNERS["blocking"](sink(shop).push_steps([change("MUG", 5)]), clock=FakeClock())
    assert outcomes(first_then_second) == [("MUG", "accepted", "", 5)]
    first, second = asked(shop, "omsyncWrite")
    assert first["key"] == second["key"]


def test_an_answer_that_stays_lost_is_raised_while_nothing_else_is_known() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    shop.trouble("lost", when=calls_of("omsyncWrite"), times=3)
    with pytest.raises(LostAnswerError):
        sink(shop).push([change("MUG", 5)])


def test_an_error_after_a_part_was_written_is_the_answer_of_the_rest_only() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 1)
    shop.add("KIT", 1, bundle=True)
    writer = sink(shop)
    writer.read(["MUG", "KIT"])
    rows = [change("KIT", 5), change("MUG", 5)]
    for trouble, status, reason in (
        ("lost", "pending", "answer_unknown"),
        ("unreachable", "skipped", "not_sent"),
        (json_answer({}, 404), "rejected", "no_such_shop"),
    ):
        times = 1 if isinstance(trouble, Response) else 3
        shop.trouble(trouble, when=lambda one: b'InventoryItem/2"' not in one.content, times=times)
        assert outcomes(writer.push(rows)) == [
            ("KIT", "skipped", "unmanaged_in_cart", None),
            ("MUG", status, reason, None),
        ]


def test_rows_that_the_deadline_kept_from_being_sent_say_so() -> None:
    answer = failed(DeadlineError("too late"))
    assert (answer.status, answer.reason) == ("skipped", "deadline")


def test_of_two_calls_that_end_differently_each_row_has_its_own_answer() -> None:
    shop = ShopifyShop(plan="enterprise")
    rows = [change(f"S{number}", 5) for number in range(251)]
    for row in rows:
        shop.add(row.listing_sku, 1)
    writer = sink(shop)
    writer.read([row.listing_sku for row in rows])
    last = calls_of("omsyncWrite")
    shop.trouble("lost", when=lambda one: last(one) and b'InventoryItem/251"' in one.content, times=3)
    results = writer.push(rows)
    assert {one.status for one in results[:250]} == {"accepted"}
    assert (results[250].status, results[250].reason) == ("pending", "answer_unknown")


def test_an_error_inside_the_answer_to_a_write_does_not_mean_that_nothing_was_written() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    path = ["inventorySetQuantities", "inventoryAdjustmentGroup", "changes"]
    broken = {"errors": [{"message": "oops", "path": path}], "data": None}
    shop.trouble(json_answer(broken), when=calls_of("omsyncWrite"))
    with pytest.raises(LostAnswerError, match="broke off"):
        sink(shop).push([change("MUG", 5)])


# --- refusals of the whole ------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES)
def test_a_missing_scope_is_unauthorized_although_shopify_says_200(scope: str) -> None:
    shop = ShopifyShop(scopes=[one for one in SCOPES if one != scope])
    shop.add("MUG", 3)
    with pytest.raises(UnauthorizedError, match=f"Required access: `{scope}`") as caught:
        sink(shop).push([change("MUG", 5)])
    assert "read_inventory, write_inventory, read_locations" in caught.value.remedy


def test_a_missing_scope_stops_before_items_are_made_ready() -> None:
    shop = ShopifyShop(scopes=("read_locations", "read_inventory"))
    shop.add("DIGITAL", 3, tracked=False)
    with pytest.raises(UnauthorizedError):
        sink(shop, untracked_policy="track").push([change("DIGITAL", 5)])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (json_answer({"errors": "Not Found"}, 404), "no_such_shop"),
        (json_answer({"errors": "Unavailable Shop"}, 402), "shop_unavailable"),
        (json_answer({"errors": "Locked"}, 423), "shop_unavailable"),
        (json_answer({"errors": "Security Rejection"}, 430), "refused"),
        (
            json_answer({"errors": [{"message": "no", "extensions": {"code": "undefinedField"}}]}),
            "api_mismatch",
        ),
        (json_answer({"errors": [{"message": "no"}]}), "refused"),
    ],
)
def test_a_refusal_of_the_whole_request_has_its_own_code(answer: Response, code: str) -> None:
    shop = ShopifyShop()
    shop.trouble(answer)
    with pytest.raises(RefusedError) as caught:
        sink(shop).read(["MUG"])
    assert caught.value.code == code


def test_a_shop_that_breaks_inside_a_200_is_asked_again() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    broken = {"errors": [{"message": "Internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
    shop.trouble(json_answer(broken), times=2)
    assert figures(sink(shop).read(["MUG"]))["MUG", None] == (3, None)
    shop.trouble(json_answer(broken), times=3)
    with pytest.raises(ServerFaultError):
        sink(shop).read(["MUG"])


def test_an_answer_that_is_no_json_is_an_error_that_says_so() -> None:
    shop = ShopifyShop()
    shop.trouble(Response(status=200, content=b'{"errors": <html>'))
    with pytest.raises(DecodeError):
        sink(shop).read(["MUG"])


def test_a_shop_that_cannot_be_reached_is_told_as_such() -> None:
    shop = ShopifyShop()
    shop.trouble("unreachable", times=3)
    with pytest.raises(UnreachableError):
        sink(shop).read(["MUG"])


# --- on hand --------------------------------------------------------------------------------------------


def test_units_on_hand_hold_those_of_open_orders_and_what_is_reserved() -> None:
    shop = ShopifyShop()
    mug = shop.add("MUG")
    shop.stock(mug, 7, committed=2, damaged=1)
    shelf = sink(shop, quantity_name="on_hand")
    assert shelf.capabilities.quantity_meaning == "on_hand"
    assert figures(shelf.read(["MUG"]))["MUG", None] == (10, 3)
    row = QuantityChange(listing_sku="MUG", quantity=15, available=12, shown=10, key="run7:MUG:")
    assert outcomes(shelf.push([row])) == [("MUG", "accepted", "", 15)]
    assert (shop.quantity("MUG"), shop.quantity("MUG", name="on_hand")) == (12, 15)


def test_a_place_without_units_on_hand_has_none_reserved_either() -> None:
    shop = ShopifyShop(locations=("Main street", "East"))
    shop.add("MUG", 1)
    shelf = sink(shop, quantity_name="on_hand", location="East")
    assert figures(shelf.read(["MUG"]))["MUG", None] == (None, 0)


@pytest.mark.parametrize("name", ["available", "on_hand"])
def test_a_whole_run_shows_what_was_planned_whatever_the_meaning(name: str) -> None:
    shop = ShopifyShop()
    shop.add("MUG", 10)
    shop.sell("MUG", 4)
    report = sync_cart(
        reading({"MUG": {"1": 9}}), sink(shop, quantity_name=name), cart(), merchant=BY_WAREHOUSE
    )
    assert report.counts == {"applied": 1}
    assert (shop.quantity("MUG"), shop.quantity("MUG", name="on_hand")) == (9, 13)


# --- whole runs -----------------------------------------------------------------------------------------


def test_a_second_run_finds_nothing_to_do_and_searches_for_nothing(tmp_path: Any) -> None:
    shop = ShopifyShop()
    for sku in ("MUG", "CUP", "KIT"):
        shop.add(sku, 1, bundle=sku == "KIT")
    stock = reading({"MUG": {"1": 9}, "CUP": {"1": 1}, "KIT": {"1": 4}, "NONE": {"1": 4}})
    ledger = SqliteLedger(tmp_path / "omsync.db")
    report = sync_cart(stock, sink(shop), cart(), merchant=BY_WAREHOUSE, ledger=ledger)
    assert report.counts == {"applied": 1, "unchanged": 1, "skipped": 2}
    reasons = {one.listing_sku: one.reason for one in report.outcomes if one.reason}
    assert reasons == {"KIT": "unmanaged_in_cart", "NONE": "not_in_cart"}
    shop.requests.clear()
    report = sync_cart(stock, sink(shop), cart(), merchant=BY_WAREHOUSE, ledger=ledger)
    assert report.counts == {"unchanged": 2, "skipped": 2}
    assert [one["query"] for one in asked(shop, "omsyncFind")] == ['sku:"NONE"']


def test_a_silent_no_op_is_found_by_reading_back() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 1)
    nothing: dict[str, Any] = {"inventoryAdjustmentGroup": None, "userErrors": []}
    shop.trouble(json_answer({"data": {"inventorySetQuantities": nothing}}), when=calls_of("omsyncWrite"))
    report = sync_cart(reading({"MUG": {"1": 9}}), sink(shop), cart(), merchant=BY_WAREHOUSE)
    assert [(one.outcome, one.reason) for one in report.outcomes] == [("pending", "not_yet_seen")]
    report = sync_cart(reading({"MUG": {"1": 9}}), sink(shop), cart(), merchant=BY_WAREHOUSE)
    assert report.counts == {"applied": 1}


def test_it_works_over_http_as_well() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 1)
    with shop.serve() as server:
        there = Shopify("acme", access=StaticToken("shpat_test"), url=server.base_url)
        report = sync_cart(reading({"MUG": {"1": 9}}), there, cart(), merchant=BY_WAREHOUSE)
    assert report.counts == {"applied": 1}
    assert shop.quantity("MUG") == 9
