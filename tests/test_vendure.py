"""The Vendure sink without a network: what is written down, getting in, and reading."""

from __future__ import annotations

import copy
import pickle
import uuid
from typing import Any

import pytest
from attrs import evolve
from vendure_bench import change, figures, outcomes, states
from vendure_shop import EAST, MAIN, URL, answer, asked_for, edited, fault, shop_of, sink

from omsync.errors import (
    InvalidValueError,
    OmsyncError,
    RefusedError,
    SettingsError,
    UnauthorizedError,
    WrongTypeError,
)
from omsync.http.messages import Response
from omsync.http.tokens import TokenKeeper
from omsync.ports import CartSink
from omsync.sinks import _vendure as api
from omsync.sinks._http import encoded_size
from omsync.sinks._vendure_answers import MAX_BYTES
from omsync.sinks.vendure import Vendure

# --- what is written down -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"username": "admin"},
        {"password": "right"},
        {"api_key": "k", "username": "admin", "password": "right"},
        {"api_key": "k", "password": "right"},
        {"api_key": ""},
        {"api_key": "key-with-line-break\n"},
        {"api_key": b"key"},
    ],
)
def test_exactly_one_kind_of_credential_is_wanted(credentials: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        Vendure(URL, **credentials)
    assert caught.value.code == "credentials"
    assert "line-break" not in str(caught.value)


def test_secrets_are_never_shown() -> None:
    shop = shop_of(username="admin", password="hush-2")
    logged_in = sink(shop, username="admin", password="hush-2")
    logged_in.read([])
    shown = repr(Vendure(URL, api_key="hush-1")) + repr(logged_in)
    shown += repr(api.Access(url=URL).plus(vendure_api_key="hush-3").ask(api.NAMES))
    assert "hush" not in shown
    assert "session" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "shop.example",
        "ftp://shop.example",
        "https://",
        "https://admin:hush@shop.example",
        "https://s/?a=1",
        "http://s/#x",
    ],
)
def test_an_address_that_cannot_be_called_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Vendure(url, api_key="k")
    assert caught.value.code == "bad_address"
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("page_size", 0, InvalidValueError),
        ("page_size", 1001, InvalidValueError),
        ("page_size", "100", WrongTypeError),
        ("duplicates", "first", InvalidValueError),
        ("untracked_policy", "ignore", InvalidValueError),
        ("location", "", InvalidValueError),
        ("channel", "", InvalidValueError),
    ],
)
def test_options_outside_their_range_are_refused(
    option: str, value: object, error: type[OmsyncError]
) -> None:
    with pytest.raises(error):
        Vendure(URL, api_key="k", **{option: value})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("url", "called"),
    [
        (URL, "https://shop.example/admin-api"),
        (f"{URL}/", "https://shop.example/admin-api"),
        (f"{URL}/back/office", "https://shop.example/back/office"),
    ],
)
def test_the_admin_api_is_called_at_the_shops_address_or_at_a_path_of_its_own(url: str, called: str) -> None:
    cart = Vendure(url, api_key="k", handler=lambda request: fault(f"called {request.url}."))
    with pytest.raises(RefusedError, match=f"called {called}[.]"):
        cart.read([])


def test_the_capabilities_say_what_vendure_can_do() -> None:
    able = Vendure("https://shop.example:8443/admin-api", api_key="k", untracked_policy="track").capabilities
    assert able.destination == "vendure at shop.example:8443"
    assert (able.quantity_meaning, able.locations, able.atomicity) == ("on_hand", "optional", "call")
    assert (able.max_quantity, able.max_bytes, able.rows_per_push) == (2147483647, 100_000, 100)
    assert able.lists_all
    assert not able.creates_listings
    assert able.untracked_policy == "track"


def test_no_row_weighs_more_than_the_capabilities_say() -> None:
    able = Vendure(URL, api_key="k").capabilities
    widest = api.Entry(variant_id=str(uuid.uuid4()), on_hand={str(uuid.uuid4()): 2147483647}, track=True)
    empty = api.write_request(api.Access(url=URL), []).content
    assert empty is not None
    assert encoded_size(widest.wire) <= able.bytes_per_row
    assert len(empty) <= able.bytes_per_call


def test_the_sink_is_a_cart_sink_without_the_shells() -> None:
    assert isinstance(sink(shop_of()), CartSink)


# --- getting in ---------------------------------------------------------------------------------------

LOGIN = {"username": "superadmin", "password": "only-for-tests"}


def test_an_api_key_goes_into_its_own_header() -> None:
    shop = shop_of()
    sink(shop).read([])
    assert {asked.headers["vendure-api-key"] for asked in shop.requests} == {shop.api_key}
    assert not asked_for(shop, "omsyncLogIn")


def test_one_login_serves_reads_and_pushes() -> None:
    shop = shop_of("TEE")
    cart = sink(shop, **LOGIN)
    cart.read(["TEE"])
    cart.push([change("TEE", 5, MAIN)])
    assert len(asked_for(shop, "omsyncLogIn")) == 1
    assert len({asked.headers["authorization"] for asked in shop.requests[1:]}) == 1


@pytest.mark.parametrize("begun", ["omsyncLookAround", "omsyncIdentify", "omsyncWrite"])
def test_a_session_that_ends_at_any_point_is_renewed_and_the_push_done_again(begun: str) -> None:
    shop = shop_of("TEE")
    cart = sink(shop, **LOGIN)
    cart.read([])

    def ending(request: Any) -> Response:
        if begun in request.body["query"] and len(asked_for(shop, "omsyncLogIn")) == 1:
            shop.end_sessions()
        return shop.handle(request)

    over = sink(shop, **LOGIN, keeper=cart.keeper, handler=ending)
    assert outcomes(over.push([change("TEE", 5, MAIN)])) == [("accepted", "", 5)]
    assert (len(asked_for(shop, "omsyncLogIn")), shop.quantity("TEE")) == (2, 5)


def test_a_fresh_session_that_is_refused_is_not_asked_for_again() -> None:
    shop = shop_of("TEE")
    shop.trouble(
        fault("You are not authorized", "FORBIDDEN"), when=lambda asked: b"LookAround" in asked.content
    )
    with pytest.raises(UnauthorizedError, match="ReadStockLocation"):
        sink(shop, **LOGIN).read([])
    assert len(asked_for(shop, "omsyncLogIn")) == 1


def test_a_copy_of_a_sink_keeps_its_login_and_a_pickle_of_one_is_refused() -> None:
    shop = shop_of()
    cart = sink(shop, **LOGIN)
    cart.read([])
    kept = cart.keeper.current()
    assert kept is not None
    assert copy.copy(cart).keeper.current() is kept
    assert copy.deepcopy(evolve(cart, handler=None)).keeper.current() is None
    with pytest.raises(SettingsError, match="cannot be pickled") as caught:
        pickle.dumps(evolve(cart, handler=None))
    assert caught.value.code == "secret_pickled"
    assert LOGIN["password"] not in str(caught.value)


def test_a_wrong_password_is_unauthorized_although_vendure_says_200() -> None:
    with pytest.raises(UnauthorizedError, match="'superadmin' was refused: The provided credentials are"):
        sink(shop_of(), username="superadmin", password="wrong").read([])


def test_a_shop_that_gives_no_session_token_is_told_to_allow_bearer() -> None:
    with pytest.raises(RefusedError, match="authOptions") as caught:
        sink(shop_of(token_methods=["cookie"]), **LOGIN).read([])
    assert caught.value.code == "no_session_token"


def test_forbidden_names_the_missing_permission_as_a_cause_too() -> None:
    shop = shop_of("TEE")
    shop.add_api_key("reader", permissions=["ReadCatalog", "ReadStockLocation"])
    with pytest.raises(UnauthorizedError, match="their role lacks a permission"):
        sink(shop, api_key="reader").push([change("TEE", 1, MAIN)])


def test_the_channels_token_goes_with_every_request() -> None:
    shop = shop_of()
    sink(shop, channel="default-token").read([])
    assert {asked.headers["vendure-token"] for asked in shop.requests} == {"default-token"}
    sink(shop).read([])
    assert "vendure-token" not in shop.requests[-1].headers


def test_an_unknown_channel_is_refused_although_a_shop_of_one_channel_ignores_it() -> None:
    with pytest.raises(SettingsError, match="answered for '__default_channel__' instead") as caught:
        sink(shop_of(), channel="mistyped").read([])
    assert caught.value.code == "unknown_channel"


def test_an_unknown_channel_is_refused_by_a_shop_of_several() -> None:
    shop = shop_of()
    shop.add_channel("outlet")
    with pytest.raises(SettingsError, match='No Channel with the token "mistyped"') as caught:
        sink(shop, channel="mistyped").read([])
    assert caught.value.code == "unknown_channel"


# --- reading ------------------------------------------------------------------------------------------


def test_a_listing_is_shown_under_every_way_in_which_a_row_may_name_its_location() -> None:
    shop = shop_of()
    shop.add("TEE", {"Main": 10, "East": 5})
    shop.sell("TEE", 4)
    assert figures(sink(shop, location="East").read(["TEE"])) == {
        ("TEE", None): (5, 0),
        ("TEE", MAIN): (10, 4),
        ("TEE", "Main"): (10, 4),
        ("TEE", EAST): (5, 0),
        ("TEE", "East"): (5, 0),
    }


def test_a_listing_that_repeats_a_location_under_another_name_says_which() -> None:
    shown = sink(shop_of("TEE"), location="East").read(["TEE"])
    assert {one.location_id: one.same_as for one in shown} == {
        None: EAST,
        MAIN: None,
        "Main": MAIN,
        EAST: None,
        "East": EAST,
    }


def test_the_only_location_is_the_one_for_rows_that_name_none() -> None:
    shop = shop_of(locations=["Main"])
    shop.add("TEE", 10)
    assert figures(sink(shop).read(["TEE"]))["TEE", None] == (10, 0)


def test_with_several_locations_and_none_chosen_no_figure_is_made_up() -> None:
    assert ("TEE", None) not in figures(sink(shop_of("TEE")).read(["TEE"]))


def test_a_name_that_could_mean_two_locations_means_none() -> None:
    shop = shop_of("TEE", locations=["Main", "1", "Main"])
    shown = sink(shop, location="2").read(["TEE"])
    assert [one.location_id for one in shown] == [None, "2", "3"]
    results = sink(shop).push([change("TEE", 1, "1"), change("TEE", 1, "Main"), change("TEE", 1, "3")])
    assert [one.reason for one in results] == ["unknown_location", "unknown_location", ""]


def test_a_channel_without_a_stock_location_is_an_error() -> None:
    with pytest.raises(SettingsError) as caught:
        sink(shop_of(locations=[])).read([])
    assert caught.value.code == "no_cart_location"


def test_a_location_without_a_level_shows_nothing_on_hand() -> None:
    shop = shop_of("TEE")
    shop.add_location("Late")
    assert shop.quantity("TEE", "Late") is None
    assert figures(sink(shop, location=MAIN).read(["TEE"]))["TEE", "Late"] == (0, 0)


def test_a_negative_on_hand_is_read_as_it_is() -> None:
    shop = shop_of()
    shop.add("TEE", -3)
    assert figures(sink(shop, location=MAIN).read(["TEE"]))["TEE", MAIN] == (-3, 0)


@pytest.mark.parametrize("location", ["North", "Twin"])
def test_a_location_that_is_unknown_or_ambiguous_is_an_error_that_lists_the_choices(location: str) -> None:
    shop = shop_of(locations=["Twin", "Twin"])
    with pytest.raises(SettingsError, match=r"'Twin' \(id 1\), 'Twin' \(id 2\)") as caught:
        sink(shop, location=location).read([])
    assert caught.value.code == "unknown_cart_location"


def test_variants_that_share_a_sku_are_a_duplicate_without_a_figure() -> None:
    shown = sink(shop_of("TWIN", "TWIN"), location=MAIN).read(["TWIN"])
    assert {one.state for one in shown} == {"duplicate"}
    assert {one.quantity for one in shown} == {None}


def test_of_duplicates_the_only_enabled_one_may_be_preferred() -> None:
    shop = shop_of()
    shop.add("TWIN", 1, enabled=False)
    shop.add("TWIN", 2)
    careful = sink(shop, location=MAIN, duplicates="prefer_enabled")
    assert figures(careful.read(["TWIN"]))["TWIN", None] == (2, 0)
    shop.add("TWIN", 3)
    assert {one.state for one in careful.read(["TWIN"])} == {"duplicate"}


@pytest.mark.parametrize(
    ("tracking", "by_default", "state"),
    [
        ("TRUE", True, "listed"),
        ("TRUE", False, "listed"),
        ("FALSE", True, "untracked"),
        ("INHERIT", True, "listed"),
        ("INHERIT", False, "untracked"),
    ],
)
def test_tracking_is_the_variants_own_or_inherited(tracking: str, by_default: bool, state: str) -> None:
    shop = shop_of()
    shop.add("TEE", tracking=tracking)
    shop.tracks_by_default = by_default
    assert {one.state for one in sink(shop, location=MAIN).read(["TEE"])} == {state}
    assert shop.tracks("TEE") == (state == "listed")


def test_a_sku_is_compared_exactly_although_the_shops_database_may_not() -> None:
    shop = shop_of("tee", ignores_case=True)
    shown = sink(shop, location=MAIN).read(["TEE"])
    assert [one.listing_sku for one in shown] == ["tee"]
    assert shown[0].quantity is None
    assert outcomes(sink(shop).push([change("TEE", 5, MAIN)])) == [("rejected", "not_in_cart", None)]


def test_all_other_listings_are_named_page_by_page_and_each_once() -> None:
    shop = shop_of(*(f"SKU-{n}" for n in range(7)), "", list_limit=3)
    shown = sink(shop, location=MAIN).read(["SKU-1"])
    others = [one for one in shown if one.listing_sku != "SKU-1"]
    assert sorted(one.listing_sku for one in others) == ["SKU-0", *(f"SKU-{n}" for n in range(2, 7))]
    assert {(one.quantity, one.location_id) for one in others} == {(None, None)}
    assert sorted(one["skip"] for one in asked_for(shop, "omsyncNames")) == [0, 3, 6]


def test_a_variant_that_shifts_to_the_next_page_is_not_a_duplicate() -> None:
    shop = shop_of(*(f"SKU-{n}" for n in range(4)), list_limit=2)
    pages: list[Any] = []

    def shift(data: dict[str, Any]) -> None:
        """Repeat the last row of the page before, as when the catalogue grows while it is read."""
        pages.append(data["productVariants"]["items"])
        if len(pages) == 2:
            pages[1].insert(0, pages[0][-1])

    shown = sink(shop, location=MAIN, handler=edited(shop, "omsyncNames", shift)).read([])
    assert states(shown)["SKU-1"] == "listed"


def test_look_ups_ask_for_a_page_of_skus_at_a_time_and_each_sku_once() -> None:
    shop = shop_of(*(f"SKU-{n}" for n in range(5)))
    skus = ["SKU-0", "SKU-1", "SKU-0", "SKU-2", "SKU-3", "SKU-4"]
    sink(shop, location=MAIN, page_size=2).read(skus)
    assert sorted(len(one["skus"]) for one in asked_for(shop, "omsyncFind")) == [1, 2, 2]


def test_a_look_up_that_answers_in_pages_is_read_to_its_end() -> None:
    shop = shop_of(*["TWIN"] * 5, list_limit=2)
    assert {one.state for one in sink(shop, location=MAIN).read(["TWIN"])} == {"duplicate"}
    assert [one["skip"] for one in asked_for(shop, "omsyncFind")] == [0, 2, 4]


def test_look_ups_of_long_skus_stay_below_the_body_limit() -> None:
    shop = shop_of()
    sink(shop, page_size=1000).read([f"{n:04d}" + "é" * 251 for n in range(1000)])
    sizes = [len(asked.content) for asked in shop.requests]
    assert max(sizes) <= MAX_BYTES
    assert len(asked_for(shop, "omsyncFind")) > 5


def test_more_stock_locations_than_a_page_are_all_known() -> None:
    names = [f"Place {n}" for n in range(5)]
    shop = shop_of("TEE", locations=names, list_limit=2)
    shown = sink(shop, location="Place 4").read(["TEE"])
    assert set(names) < {one.location_id for one in shown}


@pytest.mark.parametrize(
    ("response", "error", "code"),
    [
        (Response(status=401, content=b"{}"), UnauthorizedError, "unauthorized"),
        (Response(status=403, content=b"<html>"), UnauthorizedError, "unauthorized"),
        (Response(status=404, content=b"<html>"), RefusedError, "no_admin_api"),
        (Response(status=302, content=b""), RefusedError, "redirected"),
        (Response(status=200, content=b'<html>"errors"'), OmsyncError, "not_json"),
        (Response(status=200, content=b'{"data": {"act'), OmsyncError, "not_json"),
        (answer({"statusCode": 400, "message": "Expected property name"}, 400), RefusedError, "refused"),
        (
            answer(
                {"errors": [{"message": "no field", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}]},
                400,
            ),
            RefusedError,
            "api_mismatch",
        ),
        (fault("Cannot take more than 50 results", "USER_INPUT_ERROR"), RefusedError, "refused"),
    ],
)
def test_whatever_else_answers_is_one_clear_error(
    response: Response, error: type[OmsyncError], code: str
) -> None:
    with pytest.raises(error) as caught:
        Vendure(URL, api_key="k", handler=lambda _: response).read([])
    assert caught.value.code == code


def test_a_long_message_of_the_shop_is_cut() -> None:
    with pytest.raises(RefusedError) as caught:
        Vendure(URL, api_key="k", handler=lambda _: fault("x" * 5000)).read([])
    assert len(str(caught.value)) < 500


def test_a_keeper_may_be_shared_by_sinks_of_one_account() -> None:
    shop, keeper = shop_of("TEE"), TokenKeeper()
    for location in ("Main", "East"):
        sink(shop, **LOGIN, keeper=keeper, location=location).read(["TEE"])
    assert len(asked_for(shop, "omsyncLogIn")) == 1
