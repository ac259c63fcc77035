"""The Vendure sink without a network: conversations by hand, and a small shop inside the process."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

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
from omsync.http.awaiting import AsyncRunner
from omsync.http.messages import Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.ports import CartListing, CartSink, PushResult, QuantityChange
from omsync.sinks import _vendure as api
from omsync.sinks._http import Wire, encoded_size, packed
from omsync.sinks._vendure_answers import MAX_BYTES, judge
from omsync.sinks.vendure import Vendure

AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)
MAIN, EAST = "1", "2"
Answer = Callable[[Request], Response]


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        status=status, headers=headers or {}, content=json.dumps(body).encode(), place="POST shop"
    )


def fault(message: str, code: str | None = None, path: tuple[str | int, ...] = ()) -> Response:
    extensions = {} if code is None else {"extensions": {"code": code}}
    return answer({"errors": [{"message": message, "path": list(path), **extensions}], "data": None})


class FakeShop:
    """Answers as Vendure does, from a list of variants; answers laid in ``writes`` come first."""

    def __init__(self, *variants: dict[str, Any], locations: Mapping[str, str] | None = None) -> None:
        self.variants = list(variants)
        self.locations = dict(locations if locations is not None else {MAIN: "Main", EAST: "East"})
        self.tracks_by_default = True
        self.channel = {"token": "default-token", "code": "__default_channel__"}
        self.limit = 1000
        self.ignores_case = False
        self.token: str | None = "session-1"
        self.writes: list[Answer] = []
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        for name, operation in {
            "omsyncLogIn": self.log_in,
            "omsyncLookAround": self.look_around,
            "omsyncFind": self.find,
            "omsyncNames": self.names,
            "omsyncWrite": self.write,
        }.items():
            if name in request.body["query"]:
                return operation(request)
        raise AssertionError(request.body)

    def asked_for(self, name: str) -> list[dict[str, Any]]:
        return [one.body["variables"] for one in self.asked if name in one.body["query"]]

    def log_in(self, request: Request) -> Response:
        if request.body["variables"]["password"] != "right":
            wrong = {"__typename": "InvalidCredentialsError", "message": "The credentials are invalid"}
            return answer({"data": {"login": wrong}})
        headers = {} if self.token is None else {"vendure-auth-token": self.token}
        return answer({"data": {"login": {"__typename": "CurrentUser", "id": "1"}}}, headers=headers)

    def look_around(self, request: Request) -> Response:
        places = [{"id": key, "name": name} for key, name in self.locations.items()]
        return answer(
            {
                "data": {
                    "activeChannel": self.channel,
                    "globalSettings": {"trackInventory": self.tracks_by_default},
                    "stockLocations": self.page(places, request),
                }
            }
        )

    def find(self, request: Request) -> Response:
        def plain(sku: str) -> str:
            return sku.lower() if self.ignores_case else sku

        wanted = {plain(sku) for sku in request.body["variables"]["skus"]}
        rows = [row for row in self.variants if plain(row["sku"]) in wanted]
        return answer({"data": {"productVariants": self.page(rows, request)}})

    def names(self, request: Request) -> Response:
        rows = [{key: row[key] for key in row if key != "stockLevels"} for row in self.variants]
        return answer({"data": {"productVariants": self.page(rows, request)}})

    def page(self, rows: list[dict[str, Any]], request: Request) -> dict[str, Any]:
        skip = request.body["variables"]["skip"]
        return {"totalItems": len(rows), "items": rows[skip : skip + self.limit]}

    def write(self, request: Request) -> Response:
        if self.writes:
            return self.writes.pop(0)(request)
        by_id = {row["id"]: row for row in self.variants}
        touched = request.body["variables"]["input"]
        for entry in touched:
            levels = {row["stockLocationId"]: row for row in by_id[entry["id"]]["stockLevels"]}
            for level in entry["stockLevels"]:
                levels.setdefault(level["stockLocationId"], {"stockAllocated": 0}).update(level)
            by_id[entry["id"]]["stockLevels"] = list(levels.values())
        rows = [{key: by_id[entry["id"]][key] for key in ("id", "sku", "stockLevels")} for entry in touched]
        return answer({"data": {"updateProductVariants": rows}})


def variant(
    key: str,
    sku: str,
    *,
    tracking: str = "INHERIT",
    enabled: bool = True,
    levels: Mapping[str, tuple[int, int]] | None = None,
) -> dict[str, Any]:
    rows = [
        {"stockLocationId": place, "stockOnHand": on_hand, "stockAllocated": allocated}
        for place, (on_hand, allocated) in (levels or {}).items()
    ]
    return {"id": key, "sku": sku, "enabled": enabled, "trackInventory": tracking, "stockLevels": rows}


def sink(shop: FakeShop, **options: Any) -> Vendure:
    options.setdefault("api_key", "key-1")
    return Vendure("https://shop.example", handler=shop, retry=AT_ONCE, **options)


def change(sku: str, quantity: int, location_id: str | None = MAIN) -> QuantityChange:
    return QuantityChange(listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity)


def figures(listings: list[CartListing]) -> dict[tuple[str, str | None], tuple[int | None, int | None]]:
    return {(one.listing_sku, one.location_id): (one.quantity, one.allocated) for one in listings}


def outcomes(results: list[PushResult]) -> list[tuple[str, str, str, int | None]]:
    return [(one.listing_sku, one.status, one.reason, one.echo) for one in results]


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
        Vendure("https://shop.example", **credentials)
    assert caught.value.code == "credentials"
    assert "line-break" not in str(caught.value)


def test_secrets_are_never_shown() -> None:
    shown = repr(Vendure("https://shop.example", api_key="hush-1"))
    shown += repr(Vendure("https://shop.example", username="admin", password="hush-2"))
    shown += repr(api.Access(url="https://shop.example").plus(vendure_api_key="hush-3").ask(api.NAMES))
    assert "hush" not in shown


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
        Vendure("https://shop.example", api_key="k", **{option: value})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("https://shop.example", "https://shop.example/admin-api"),
        ("https://shop.example/", "https://shop.example/admin-api"),
        ("https://shop.example/back/office", "https://shop.example/back/office"),
    ],
)
def test_the_admin_api_is_called_at_the_shops_address_or_at_a_path_of_its_own(url: str, called: str) -> None:
    shop = FakeShop()
    Vendure(url, api_key="k", handler=shop).read([])
    assert {request.url for request in shop.asked} == {called}


def test_the_capabilities_say_what_vendure_can_do() -> None:
    able = Vendure("https://shop.example:8443/admin-api", api_key="k", untracked_policy="track").capabilities
    assert able.destination == "vendure at shop.example:8443"
    assert (able.quantity_meaning, able.locations, able.atomicity) == ("on_hand", "optional", "call")
    assert (able.max_quantity, able.max_bytes, able.rows_per_push) == (2147483647, 100_000, 100)
    assert able.lists_all
    assert not able.creates_listings
    assert able.untracked_policy == "track"


def test_no_row_weighs_more_than_the_capabilities_say() -> None:
    able = Vendure("https://shop.example", api_key="k").capabilities
    widest = api.Entry(variant_id=str(uuid.uuid4()), on_hand={str(uuid.uuid4()): 2147483647}, track=True)
    empty = api.write_request(api.Access(url="https://shop.example"), []).content
    assert empty is not None
    assert encoded_size(widest.wire) <= able.bytes_per_row
    assert len(empty) <= able.bytes_per_call


def test_the_sink_is_a_cart_sink_without_the_shells() -> None:
    assert isinstance(sink(FakeShop()), CartSink)


# --- getting in ---------------------------------------------------------------------------------------


def test_an_api_key_goes_into_its_own_header() -> None:
    shop = FakeShop()
    sink(shop).read([])
    assert {request.headers["vendure-api-key"] for request in shop.asked} == {"key-1"}
    assert not shop.asked_for("omsyncLogIn")


def test_a_login_is_made_once_in_a_read_and_its_token_sent_from_then_on() -> None:
    shop = FakeShop(variant("10", "TEE"))
    sink(shop, api_key=None, username="admin", password="right").read(["TEE"])
    assert len(shop.asked_for("omsyncLogIn")) == 1
    assert {request.headers["authorization"] for request in shop.asked[1:]} == {"Bearer session-1"}


def test_a_wrong_password_is_unauthorized_although_vendure_says_200() -> None:
    with pytest.raises(UnauthorizedError, match="'admin' was refused: The credentials are invalid"):
        sink(FakeShop(), api_key=None, username="admin", password="wrong").read([])


def test_a_shop_that_gives_no_session_token_is_told_to_allow_bearer() -> None:
    shop = FakeShop()
    shop.token = None
    with pytest.raises(RefusedError, match="authOptions") as caught:
        sink(shop, api_key=None, username="admin", password="right").read([])
    assert caught.value.code == "no_session_token"


def test_forbidden_names_the_missing_permission_as_a_cause_too() -> None:
    shop = FakeShop(variant("10", "TEE"))
    shop.writes = [
        lambda _: fault("You are not currently authorized", "FORBIDDEN", ("updateProductVariants",))
    ]
    with pytest.raises(UnauthorizedError, match="their role lacks a permission"):
        sink(shop).push([change("TEE", 1)])


def test_the_channels_token_goes_with_every_request() -> None:
    shop = FakeShop()
    sink(shop, channel="default-token").read([])
    assert {request.headers["vendure-token"] for request in shop.asked} == {"default-token"}
    sink(shop).read([])
    assert "vendure-token" not in shop.asked[-1].headers


def test_an_unknown_channel_is_refused_although_a_shop_of_one_channel_ignores_it() -> None:
    with pytest.raises(SettingsError, match="answered for '__default_channel__' instead") as caught:
        sink(FakeShop(), channel="mistyped").read([])
    assert caught.value.code == "unknown_channel"


def test_an_unknown_channel_is_refused_by_a_shop_of_several() -> None:
    def refusing(_: Request) -> Response:
        return fault('The channel with the token "mistyped" was not found', "CHANNEL_NOT_FOUND")

    with pytest.raises(SettingsError) as caught:
        Vendure("https://shop.example", api_key="k", channel="mistyped", handler=refusing).read([])
    assert caught.value.code == "unknown_channel"


# --- reading ------------------------------------------------------------------------------------------


def test_a_listing_is_shown_under_every_way_in_which_a_row_may_name_its_location() -> None:
    shop = FakeShop(variant("10", "TEE", levels={MAIN: (10, 4), EAST: (5, 0)}))
    assert figures(sink(shop, location="East").read(["TEE"])) == {
        ("TEE", None): (5, 0),
        ("TEE", MAIN): (10, 4),
        ("TEE", "Main"): (10, 4),
        ("TEE", EAST): (5, 0),
        ("TEE", "East"): (5, 0),
    }


def test_a_listing_that_repeats_a_location_under_another_name_says_which() -> None:
    shop = FakeShop(variant("10", "TEE", levels={MAIN: (10, 4), EAST: (5, 0)}))
    shown = sink(shop, location="East").read(["TEE"])
    assert {one.location_id: one.same_as for one in shown} == {
        None: EAST,
        MAIN: None,
        "Main": MAIN,
        EAST: None,
        "East": EAST,
    }


def test_the_only_location_is_the_one_for_rows_that_name_none() -> None:
    shop = FakeShop(variant("10", "TEE", levels={MAIN: (10, 4)}), locations={MAIN: "Main"})
    assert figures(sink(shop).read(["TEE"]))["TEE", None] == (10, 4)


def test_with_several_locations_and_none_chosen_no_figure_is_made_up() -> None:
    shop = FakeShop(variant("10", "TEE", levels={MAIN: (10, 4), EAST: (5, 0)}))
    assert ("TEE", None) not in figures(sink(shop).read(["TEE"]))


def test_a_name_that_could_mean_two_locations_means_none() -> None:
    shop = FakeShop(variant("10", "TEE"), locations={"1": "Main", "2": "1", "3": "Main"})
    shown = sink(shop, location="2").read(["TEE"])
    assert [one.location_id for one in shown] == [None, "2", "3"]
    results = sink(shop).push([change("TEE", 1, "1"), change("TEE", 1, "Main"), change("TEE", 1, "3")])
    assert [one.reason for one in results] == ["unknown_location", "unknown_location", ""]


def test_a_channel_without_a_stock_location_is_an_error() -> None:
    with pytest.raises(SettingsError) as caught:
        sink(FakeShop(locations={})).read([])
    assert caught.value.code == "no_cart_location"


def test_a_location_without_a_level_shows_nothing_on_hand() -> None:
    shop = FakeShop(variant("10", "TEE", levels={MAIN: (10, 0)}))
    assert figures(sink(shop, location=MAIN).read(["TEE"]))["TEE", EAST] == (0, 0)


def test_a_negative_on_hand_is_read_as_it_is() -> None:
    shop = FakeShop(variant("10", "TEE", levels={MAIN: (-3, 0)}))
    assert figures(sink(shop, location=MAIN).read(["TEE"]))["TEE", MAIN] == (-3, 0)


@pytest.mark.parametrize("location", ["North", "Twin"])
def test_a_location_that_is_unknown_or_ambiguous_is_an_error_that_lists_the_choices(location: str) -> None:
    shop = FakeShop(locations={MAIN: "Twin", EAST: "Twin"})
    with pytest.raises(SettingsError, match=r"'Twin' \(id 1\), 'Twin' \(id 2\)") as caught:
        sink(shop, location=location).read([])
    assert caught.value.code == "unknown_cart_location"


def test_variants_that_share_a_sku_are_a_duplicate_without_a_figure() -> None:
    shop = FakeShop(
        variant("10", "TWIN", levels={MAIN: (1, 0)}), variant("11", "TWIN", levels={MAIN: (2, 0)})
    )
    shown = sink(shop, location=MAIN).read(["TWIN"])
    assert {one.state for one in shown} == {"duplicate"}
    assert {one.quantity for one in shown} == {None}


def test_of_duplicates_the_only_enabled_one_may_be_preferred() -> None:
    old = variant("10", "TWIN", enabled=False, levels={MAIN: (1, 0)})
    shop = FakeShop(old, variant("11", "TWIN", levels={MAIN: (2, 0)}))
    careful = sink(shop, location=MAIN, duplicates="prefer_enabled")
    assert figures(careful.read(["TWIN"]))["TWIN", None] == (2, 0)
    old["enabled"] = True
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
    shop = FakeShop(variant("10", "TEE", tracking=tracking))
    shop.tracks_by_default = by_default
    assert {one.state for one in sink(shop, location=MAIN).read(["TEE"])} == {state}


def test_a_sku_is_compared_exactly_although_the_shops_database_may_not() -> None:
    shop = FakeShop(variant("10", "tee", levels={MAIN: (1, 0)}))
    shop.ignores_case = True
    shown = sink(shop, location=MAIN).read(["TEE"])
    assert [one.listing_sku for one in shown] == ["tee"]
    assert shown[0].quantity is None
    assert outcomes(sink(shop).push([change("TEE", 5)])) == [("TEE", "rejected", "not_in_cart", None)]


def test_all_other_listings_are_named_page_by_page_and_each_once() -> None:
    shop = FakeShop(*(variant(str(n), f"SKU-{n}") for n in range(7)), variant("7", ""))
    shop.limit = 3
    shown = sink(shop, location=MAIN).read(["SKU-1"])
    others = [one for one in shown if one.listing_sku != "SKU-1"]
    assert sorted(one.listing_sku for one in others) == ["SKU-0", *(f"SKU-{n}" for n in range(2, 7))]
    assert {(one.quantity, one.location_id) for one in others} == {(None, None)}
    assert sorted(one["skip"] for one in shop.asked_for("omsyncNames")) == [0, 3, 6]


def test_a_variant_that_shifts_to_the_next_page_is_not_a_duplicate() -> None:
    shop = FakeShop(*(variant(str(n), f"SKU-{n}") for n in range(4)))
    shop.limit = 2
    plain = shop.names

    def shifting(request: Request) -> Response:
        page = plain(request)
        if request.body["variables"]["skip"] == 0:
            shop.variants.insert(0, variant("0new", "NEW"))
        return page

    shop.names = shifting  # type: ignore[method-assign]  # the catalogue grows while it is read
    states = {one.listing_sku: one.state for one in sink(shop, location=MAIN).read([])}
    assert states["SKU-1"] == "listed"


def test_look_ups_ask_for_a_page_of_skus_at_a_time_and_each_sku_once() -> None:
    shop = FakeShop(*(variant(str(n), f"SKU-{n}") for n in range(5)))
    sink(shop, page_size=2).read(["SKU-0", "SKU-1", "SKU-0", "SKU-2", "SKU-3", "SKU-4"])
    assert sorted(len(one["skus"]) for one in shop.asked_for("omsyncFind")) == [1, 2, 2]


def test_a_look_up_that_answers_in_pages_is_read_to_its_end() -> None:
    shop = FakeShop(*(variant(str(n), "TWIN") for n in range(5)))
    shop.limit = 2
    assert {one.state for one in sink(shop, location=MAIN).read(["TWIN"])} == {"duplicate"}
    assert [one["skip"] for one in shop.asked_for("omsyncFind")] == [0, 2, 4]


def test_look_ups_of_long_skus_stay_below_the_body_limit() -> None:
    shop = FakeShop()
    sink(shop, page_size=1000).read([f"{n:04d}" + "é" * 251 for n in range(1000)])
    sizes = [len(one.content or b"") for one in shop.asked]
    assert max(sizes) <= MAX_BYTES
    assert len(shop.asked_for("omsyncFind")) > 5


def test_more_stock_locations_than_a_page_are_all_known() -> None:
    shop = FakeShop(variant("10", "TEE"), locations={str(n): f"Place {n}" for n in range(5)})
    shop.limit = 2
    assert {f"Place {n}" for n in range(5)} < {
        one.location_id for one in sink(shop, location="Place 4").read(["TEE"])
    }


# --- pushing ------------------------------------------------------------------------------------------


def test_a_push_writes_on_hand_and_gives_what_the_shop_shows_after() -> None:
    shop = FakeShop(variant("10", "TEE", levels={MAIN: (7, 4)}), variant("11", "CAP"))
    results = sink(shop, location="East").push([change("TEE", 9), change("TEE", 2, None), change("CAP", 0)])
    assert outcomes(results) == [
        ("TEE", "accepted", "", 9),
        ("TEE", "accepted", "", 2),
        ("CAP", "accepted", "", 0),
    ]
    shown = figures(sink(shop, location="East").read(["TEE"]))
    assert (shown["TEE", MAIN], shown["TEE", EAST], shown["TEE", None]) == ((9, 4), (2, 0), (2, 0))


def test_every_written_quantity_names_its_location_and_one_variant_is_one_entry() -> None:
    shop = FakeShop(variant("10", "TEE"))
    sink(shop).push([change("TEE", 9, "Main"), change("TEE", 2, EAST)])
    (sent,) = shop.asked_for("omsyncWrite")
    levels = [{"stockLocationId": MAIN, "stockOnHand": 9}, {"stockLocationId": EAST, "stockOnHand": 2}]
    assert sent == {"input": [{"id": "10", "stockLevels": levels}]}


def test_a_push_of_nothing_asks_nothing() -> None:
    shop = FakeShop()
    assert sink(shop).push([]) == []
    assert not shop.asked


def test_rows_that_name_no_location_need_one_where_there_are_several() -> None:
    shop = FakeShop(variant("10", "TEE"))
    with pytest.raises(SettingsError, match=r"'Main' \(id 1\), 'East' \(id 2\)") as caught:
        sink(shop).push([change("TEE", 9, None)])
    assert caught.value.code == "choose_cart_location"
    assert not shop.asked_for("omsyncWrite")


def test_what_must_not_be_sent_is_not_sent_and_says_why() -> None:
    shop = FakeShop(
        variant("10", "TEE"),
        variant("11", "TWIN"),
        variant("12", "TWIN"),
        variant("13", "NOTE", tracking="FALSE"),
    )
    results = sink(shop).push(
        [
            change("TEE", 2**31),
            change("TEE", 1, "777"),
            change("GONE", 1),
            change("TWIN", 1),
            change("NOTE", 1),
        ]
    )
    assert outcomes(results) == [
        ("TEE", "rejected", "out_of_range", None),
        ("TEE", "rejected", "unknown_location", None),
        ("GONE", "rejected", "not_in_cart", None),
        ("TWIN", "rejected", "duplicate_in_cart", None),
        ("NOTE", "skipped", "untracked_in_cart", None),
    ]
    assert "'Main' (id 1), 'East' (id 2)" in results[1].message
    assert "ids 11, 12" in results[3].message
    assert not shop.asked_for("omsyncWrite")


@pytest.mark.parametrize("quantity", [-1, 1.5, "5", True, None])
def test_a_quantity_that_is_no_whole_number_from_0_cannot_even_be_written_down(quantity: object) -> None:
    with pytest.raises(InvalidValueError):
        QuantityChange(listing_sku="TEE", quantity=quantity, available=0)  # type: ignore[arg-type]  # wrong on purpose


def test_the_largest_quantity_is_sent() -> None:
    shop = FakeShop(variant("10", "TEE"))
    assert outcomes(sink(shop).push([change("TEE", 2147483647)])) == [("TEE", "accepted", "", 2147483647)]


def test_tracking_is_switched_on_where_that_is_the_policy() -> None:
    shop = FakeShop(variant("13", "NOTE", tracking="FALSE"), variant("10", "TEE"))
    sink(shop, untracked_policy="track").push([change("NOTE", 5), change("TEE", 5)])
    (sent,) = shop.asked_for("omsyncWrite")
    assert [entry.get("trackInventory") for entry in sent["input"]] == ["TRUE", None]


def test_an_untracked_variant_is_rejected_where_that_is_the_policy() -> None:
    shop = FakeShop(variant("13", "NOTE", tracking="FALSE"))
    results = sink(shop, untracked_policy="error").push([change("NOTE", 5)])
    assert outcomes(results) == [("NOTE", "rejected", "untracked_in_cart", None)]


def test_rows_that_contradict_each_other_are_not_sent_and_equal_ones_are_sent_once() -> None:
    shop = FakeShop(variant("10", "TEE"), variant("11", "CAP"))
    rows = [change("TEE", 1), change("TEE", 2, "Main"), change("CAP", 3), change("CAP", 3, None)]
    assert outcomes(sink(shop, location=MAIN).push(rows)) == [
        ("TEE", "rejected", "contradiction", None),
        ("TEE", "rejected", "contradiction", None),
        ("CAP", "accepted", "", 3),
        ("CAP", "accepted", "", 3),
    ]
    (sent,) = shop.asked_for("omsyncWrite")
    assert sent["input"] == [{"id": "11", "stockLevels": [{"stockLocationId": MAIN, "stockOnHand": 3}]}]


def test_an_answer_that_shows_another_quantity_says_so() -> None:
    shop = FakeShop(variant("10", "TEE"))
    echo = variant("10", "TEE", levels={MAIN: (6, 0)})
    shop.writes = [lambda _: answer({"data": {"updateProductVariants": [echo]}})]
    (result,) = sink(shop).push([change("TEE", 7)])
    assert (result.status, result.echo, result.message) == ("accepted", 6, "the shop shows 6 after the write")


def test_an_answer_that_shows_nothing_of_a_row_leaves_it_pending() -> None:
    shop = FakeShop(variant("10", "TEE"))
    shop.writes = [lambda _: answer({"data": {"updateProductVariants": [variant("10", "TEE")]}})]
    assert outcomes(sink(shop).push([change("TEE", 7)])) == [("TEE", "pending", "not_echoed", None)]


# --- what the shop refuses ----------------------------------------------------------------------------


def gone(key: str) -> Answer:
    message = f'Es konnte kein/e ProductVariant mit der ID "{key}" gefunden werden'
    return lambda _: fault(message, "ENTITY_NOT_FOUND", ("updateProductVariants",))


def test_a_variant_that_the_shop_names_as_gone_is_dropped_and_the_rest_sent_again() -> None:
    shop = FakeShop(variant("10", "TEE"), variant("11", "CAP"), variant("12", "MUG"))
    shop.writes = [gone("11")]
    assert outcomes(sink(shop).push([change("TEE", 1), change("CAP", 2), change("MUG", 3)])) == [
        ("TEE", "accepted", "", 1),
        ("CAP", "rejected", "not_in_cart", None),
        ("MUG", "accepted", "", 3),
    ]
    assert [len(one["input"]) for one in shop.asked_for("omsyncWrite")] == [3, 2]


def test_a_batch_of_which_nothing_is_left_is_not_sent_again() -> None:
    shop = FakeShop(variant("10", "TEE"))
    shop.writes = [gone("10")]
    assert outcomes(sink(shop).push([change("TEE", 1)])) == [("TEE", "rejected", "not_in_cart", None)]
    assert len(shop.asked_for("omsyncWrite")) == 1


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
    shop = FakeShop(variant("10", "TEE"), variant("11", "CAP"))
    shop.writes = [lambda _: refusal]
    with pytest.raises(RefusedError) as caught:
        sink(shop).push([change("TEE", 1), change("CAP", 2)])
    assert caught.value.code == "row_refused"


def test_an_error_below_the_operation_means_that_it_may_have_been_carried_out() -> None:
    shop = FakeShop(variant("10", "TEE"))
    broken = fault("Cannot read properties of null", None, ("updateProductVariants", 0, "stockLevels"))
    shop.writes = [lambda _: broken]
    with pytest.raises(LostAnswerError):
        sink(shop).push([change("TEE", 1)])


def many(count: int) -> tuple[FakeShop, list[QuantityChange]]:
    skus = [f"SKU-{n}" for n in range(count)]
    return FakeShop(*(variant(f"{n:036d}", sku) for n, sku in enumerate(skus))), [
        change(sku, 1) for sku in skus
    ]


def test_bodies_are_split_by_the_bytes_they_really_have() -> None:
    shop, rows = many(1500)
    results = sink(shop).push(rows)
    assert {(one.status, one.echo) for one in results} == {("accepted", 1)}
    sizes = [len(one.content or b"") for one in shop.asked if "omsyncWrite" in one.body["query"]]
    assert max(sizes) <= MAX_BYTES
    assert len(sizes) == 2
    assert sizes[0] > MAX_BYTES - 200


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (fault("FOREIGN KEY constraint failed"), ("rejected", "row_refused")),
        (answer({"statusCode": 503, "message": "down"}, 503), ("pending", "server_fault")),
    ],
)
def test_a_later_body_that_fails_does_not_hide_that_the_first_was_written(
    second: Response, expected: tuple[str, str]
) -> None:
    shop, rows = many(1500)
    plain, bodies = shop.write, []

    def write(request: Request) -> Response:
        bodies.append(request)
        return plain(request) if len(bodies) == 1 else second

    shop.write = write  # type: ignore[method-assign]  # the second body and its repeats fail
    results = sink(shop).push(rows)
    assert (results[0].status, results[0].echo) == ("accepted", 1)
    assert (results[-1].status, results[-1].reason) == expected


# --- what is tried again ------------------------------------------------------------------------------


def test_the_empty_500_for_a_large_body_is_permanent() -> None:
    shop, rows = many(800)
    shop.writes = [lambda _: answer({"statusCode": 500, "message": "", "path": "/admin-api"}, 500)]
    with pytest.raises(RefusedError) as caught:
        sink(shop).push(rows)
    assert caught.value.code == "body_too_large"
    assert len(shop.asked_for("omsyncWrite")) == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [(1, ""), (800, "Internal server error")],
    ids=["a small body", "a message"],
)
def test_any_other_500_is_tried_again(rows: int, message: str) -> None:
    shop, changes = many(rows)
    shop.writes = [lambda _: answer({"statusCode": 500, "message": message}, 500)] * 2
    assert {one.status for one in sink(shop).push(changes)} == {"accepted"}
    assert len(shop.asked_for("omsyncWrite")) == 3


def test_a_proxy_that_refuses_the_size_is_believed() -> None:
    shop = FakeShop(variant("10", "TEE"))
    shop.writes = [lambda _: Response(status=413, content=b"<html>too large</html>")]
    with pytest.raises(RefusedError) as caught:
        sink(shop).push([change("TEE", 1)])
    assert caught.value.code == "body_too_large"


@pytest.mark.parametrize("message", ["SqliteError: database is locked", "deadlock detected"])
def test_a_busy_database_is_asked_again_and_in_the_end_reported_as_a_fault(message: str) -> None:
    shop = FakeShop(variant("10", "TEE"))
    busy = fault(message, None, ("updateProductVariants",))
    shop.writes = [lambda _: busy]
    assert outcomes(sink(shop).push([change("TEE", 1)])) == [("TEE", "accepted", "", 1)]
    shop.writes = [lambda _: busy] * 3
    with pytest.raises(ServerFaultError):
        sink(shop).push([change("TEE", 1)])


@pytest.mark.parametrize(
    ("response", "error", "code"),
    [
        (Response(status=401, content=b"{}"), UnauthorizedError, "unauthorized"),
        (Response(status=403, content=b"<html>"), UnauthorizedError, "unauthorized"),
        (Response(status=404, content=b"<html>"), RefusedError, "no_admin_api"),
        (Response(status=302, content=b""), RefusedError, "no_admin_api"),
        (Response(status=200, content=b'<html>"errors"'), DecodeError, "not_json"),
        (Response(status=200, content=b'{"data": {"act'), DecodeError, "not_json"),
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
        Vendure("https://shop.example", api_key="k", handler=lambda _: response).read([])
    assert caught.value.code == code


def test_a_long_message_of_the_shop_is_cut() -> None:
    with pytest.raises(RefusedError) as caught:
        Vendure("https://shop.example", api_key="k", handler=lambda _: fault("x" * 5000)).read([])
    assert len(str(caught.value)) < 500


# --- answers are read strictly ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("stockOnHand", "5", r"stockLevels\[0\].stockOnHand must be a whole number, not '5' \(str\)"),
        ("stockOnHand", 5.0, "stockOnHand must be a whole number"),
        ("stockOnHand", None, "stockOnHand must be a whole number"),
        ("stockAllocated", True, "stockAllocated must be a whole number"),
        ("stockLocationId", 1, "stockLocationId must be text"),
    ],
)
def test_a_stock_level_of_another_shape_is_refused_by_name(name: str, value: object, says: str) -> None:
    shop = FakeShop(variant("10", "TEE", levels={MAIN: (1, 0)}))
    shop.variants[0]["stockLevels"][0][name] = value
    with pytest.raises(DecodeError, match=says):
        sink(shop, location=MAIN).read(["TEE"])


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("id", 10, r"answer.data.productVariants.items\[0\].id must be text, not 10 \(int\)"),
        ("sku", None, "sku must be text"),
        ("enabled", "true", "enabled must be true or false"),
        ("trackInventory", "MAYBE", "trackInventory must be TRUE or FALSE or INHERIT"),
        ("trackInventory", ["TRUE"], "trackInventory must be TRUE or FALSE or INHERIT"),
        ("stockLevels", {}, "stockLevels must be a list"),
    ],
)
def test_a_variant_of_another_shape_is_refused_by_name(name: str, value: object, says: str) -> None:
    shop = FakeShop(variant("10", "TEE"))

    def find(request: Request) -> Response:
        rows = [{**shop.variants[0], name: value}]
        return answer({"data": {"productVariants": shop.page(rows, request)}})

    shop.find = find  # type: ignore[method-assign]  # one broken answer
    with pytest.raises(DecodeError, match=says):
        sink(shop, location=MAIN).read(["TEE"])


@pytest.mark.parametrize("body", [{"data": None}, {"data": []}, {}, [], {"data": {"activeChannel": {}}}])
def test_an_answer_without_its_parts_is_refused(body: object) -> None:
    with pytest.raises(DecodeError):
        Vendure("https://shop.example", api_key="k", handler=lambda _: answer(body)).read([])


def test_optional_fields_may_be_missing_or_null_but_not_asked_of_a_list() -> None:
    wire = Wire(value={"a": None, "b": 1}, path="answer", place="POST shop")
    found = wire.get("b")
    assert (wire.get("a"), wire.get("c"), found and found.whole()) == (None, None, 1)
    with pytest.raises(DecodeError, match="answer must be an object"):
        Wire(value=[], path="answer", place="POST shop").get("a")


# --- conversations by hand, and both runners ----------------------------------------------------------


def test_a_write_is_one_request_and_its_answer() -> None:
    talking = api.write(api.Access(url="u"), [api.Entry(variant_id="10", on_hand={MAIN: 3})])
    request = next(talking)
    assert request.repeatable
    assert request.body["variables"]["input"][0]["id"] == "10"
    with pytest.raises(StopIteration) as finished:
        talking.send(
            answer({"data": {"updateProductVariants": [variant("10", "TEE", levels={MAIN: (3, 1)})]}})
        )
    assert finished.value.value.levels == {("10", MAIN): api.Level(on_hand=3, allocated=1)}


def test_the_judge_hands_ordinary_answers_to_the_conversation() -> None:
    request = api.Access(url="u").ask(api.NAMES, skip=0)
    assert judge(request, answer({"data": {}})) is None
    assert judge(request, fault("no", "FORBIDDEN")) is None


def test_blocking_and_awaiting_give_the_same() -> None:
    def shop() -> FakeShop:
        return FakeShop(*(variant(str(n), f"SKU-{n}", levels={MAIN: (n, 0)}) for n in range(5)))

    skus, rows = [f"SKU-{n}" for n in range(4)], [change("SKU-1", 9), change("GONE", 1)]
    blocking = sink(shop(), location=MAIN, page_size=2)

    async def awaiting() -> tuple[list[PushResult], list[CartListing]]:
        cart = sink(shop(), location=MAIN, page_size=2)
        async with AsyncRunner() as runner:
            return await runner.run(cart.push_steps(rows)), await runner.run(cart.read_steps(skus))

    assert asyncio.run(awaiting()) == (blocking.push(rows), blocking.read(skus))


def test_rows_are_packed_by_weight_and_number_and_a_heavy_one_goes_alone() -> None:
    assert list(packed([3, 3, 3, 9, 1], lambda row: row, room=6)) == [[3, 3], [3], [9], [1]]
    assert list(packed([1, 1, 1], lambda row: row, room=60, most=2)) == [[1, 1], [1]]
    assert list(packed([], lambda row: row, room=6)) == []


# --- the page about it --------------------------------------------------------------------------------


def test_every_trap_on_the_page_names_a_test_that_exists_and_where_it_runs() -> None:
    root = Path(__file__).parent.parent
    without, real = (
        set(re.findall(r"^def (test_\w+)", (root / "tests" / path).read_text(), re.MULTILINE))
        for path in ("test_vendure.py", "vendure/test_real_vendure.py")
    )
    named = re.findall(r"(\*?)`(test_\w+)`", (root / "docs/carts/vendure.md").read_text())
    assert len(named) > 20
    assert [name for star, name in named if name not in (real if star else without)] == []
