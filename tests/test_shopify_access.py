"""Ways into a Shopify shop: tokens that stay, are asked for, or are renewed and rotate."""

from __future__ import annotations

from typing import Any

import pytest
from fake_memory import FakeClock
from two_runners import RUNNERS

from omsync.errors import (
    DecodeError,
    OmsyncError,
    RefusedError,
    SettingsError,
    UnauthorizedError,
    WrongTypeError,
)
from omsync.http.messages import Response
from omsync.http.retrying import RetryPolicy
from omsync.http.tokens import TokenKeeper
from omsync.ports import QuantityChange
from omsync.sinks.shopify import ClientCredentials, RefreshToken, Shopify, StaticToken
from omsync.testing.carts.platform import Asked, json_answer
from omsync.testing.carts.shopify import ShopifyShop

AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)
CLIENT = ("client-id", "client-secret")


def sink(shop: ShopifyShop, access: Any, **options: Any) -> Shopify:
    return Shopify("acme", access=access, handler=shop.handle, retry=AT_ONCE, **options)


def stocked() -> ShopifyShop:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    return shop


def grants(shop: ShopifyShop) -> list[Asked]:
    return [one for one in shop.requests if one.path.endswith("access_token")]


def is_grant(asked: Asked) -> bool:
    return asked.path.endswith("access_token")


def test_a_token_that_stays_is_sent_in_its_own_header() -> None:
    shop = stocked()
    sink(shop, StaticToken("shpat_test")).read(["MUG"])
    assert {one.headers["x-shopify-access-token"] for one in shop.requests} == {"shpat_test"}
    assert not grants(shop)


def test_a_wrong_token_is_unauthorized_and_the_remedy_names_the_scopes() -> None:
    with pytest.raises(UnauthorizedError, match="Invalid API key or access token") as caught:
        sink(stocked(), StaticToken("hush-1")).read(["MUG"])
    for scope in ("read_inventory", "write_inventory", "read_locations"):
        assert scope in caught.value.remedy
    assert "hush" not in str(caught.value)


def test_client_credentials_give_a_token_that_is_kept_for_a_day() -> None:
    shop, clock = stocked(), FakeClock()
    shop.tokens.clear()
    keeper = TokenKeeper(clock)
    door = sink(shop, ClientCredentials(*CLIENT), keeper=keeper)
    door.read(["MUG"])
    door.read(["MUG"])
    (asked,) = grants(shop)
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.content == b"grant_type=client_credentials&client_id=client-id&client_secret=client-secret"
    clock.sleep(86_400)
    door.read(["MUG"])
    assert len(grants(shop)) == 2


def test_a_run_uses_the_token_that_the_last_run_was_granted() -> None:
    shop = stocked()
    door = sink(shop, ClientCredentials(*CLIENT))
    door.remembering(None).read(["MUG"])
    door.remembering(None).read(["MUG"])
    assert len(grants(shop)) == 1


def test_a_kept_token_that_is_refused_is_renewed_at_once() -> None:
    shop = stocked()
    door = sink(shop, ClientCredentials(*CLIENT))
    door.read(["MUG"])
    shop.tokens.clear()
    shown = door.read(["MUG"])
    assert {one.quantity for one in shown} == {3}
    assert len(grants(shop)) == 2


def test_a_token_that_ends_between_two_calls_of_a_read_is_renewed() -> None:
    shop = ShopifyShop()
    for number in range(60):
        shop.add(f"S{number}", number)
    door = sink(shop, ClientCredentials(*CLIENT), search_size=1)
    door.read([])

    def end(asked: Asked) -> None:
        if b'"S30"' in asked.content.replace(b"\\", b"") and len(grants(shop)) == 1:
            shop.tokens.clear()

    shop.meddle = end
    shown = door.read([f"S{number}" for number in range(60)])
    assert len({one.listing_sku for one in shown}) == 60
    assert len(grants(shop)) == 2


def stock_of(count: int) -> tuple[ShopifyShop, list[QuantityChange]]:
    shop = ShopifyShop(plan="enterprise")
    rows = [
        QuantityChange(listing_sku=f"S{number}", quantity=5, available=5, key=f"r:S{number}:")
        for number in range(count)
    ]
    for row in rows:
        shop.add(row.listing_sku, 1)
    return shop, rows


def is_last_write(one: Asked) -> bool:
    return b"omsyncWrite" in one.content and b'InventoryItem/260"' in one.content


@pytest.mark.parametrize(
    ("access", "rest"),
    [
        (StaticToken("shpat_test"), ("skipped", "not_sent")),
        (ClientCredentials(*CLIENT), ("accepted", "")),
    ],
)
def test_a_token_that_ends_in_the_middle_of_a_push_costs_nothing_that_was_written(
    access: Any, rest: tuple[str, str]
) -> None:
    shop, rows = stock_of(260)
    door = sink(shop, access, max_in_flight=1)
    door.read([row.listing_sku for row in rows])
    refused = json_answer({"errors": "[API] Invalid API key or access token"}, 401)
    times = 2 if isinstance(access, StaticToken) else 1
    shop.trouble(refused, when=is_last_write, times=times)
    results = door.push(rows)
    assert {(one.status, one.reason) for one in results[:250]} == {("accepted", "")}
    assert {(one.status, one.reason) for one in results[250:]} == {rest}
    writes = [one for one in shop.requests if b"omsyncWrite" in one.content]
    assert len(writes) == 3


def test_a_token_that_is_not_granted_again_costs_nothing_that_was_written() -> None:
    shop, rows = stock_of(260)
    door = sink(shop, ClientCredentials(*CLIENT), max_in_flight=1)
    door.read([row.listing_sku for row in rows])
    refused = json_answer({"errors": "[API] Invalid API key or access token"}, 401)
    shop.trouble(refused, when=is_last_write)
    shop.trouble(json_answer({"error": "invalid_client"}, 401), when=is_grant)
    results = door.push(rows)
    assert {(one.status, one.reason) for one in results[:250]} == {("accepted", "")}
    assert {(one.status, one.reason) for one in results[250:]} == {("skipped", "not_sent")}


@pytest.mark.parametrize("access", [ClientCredentials("client-id", "hush-1")])
def test_wrong_credentials_are_unauthorized_and_stay_secret(access: Any) -> None:
    with pytest.raises(UnauthorizedError, match="invalid_client") as caught:
        sink(stocked(), access).read(["MUG"])
    assert "hush" not in str(caught.value) + repr(access)


# --- a refresh token that rotates -----------------------------------------------------------------------


class Vault:
    """Where a user keeps refresh tokens; notes what the shop had been asked by the time of each."""

    def __init__(self, shop: ShopifyShop) -> None:
        self.shop = shop
        self.kept: list[tuple[str, int]] = []
        self.breaks = 0

    def keep(self, token: str) -> None:
        if self.breaks:
            self.breaks -= 1
            raise OSError("the disk is full")
        self.kept.append((token, len(self.shop.requests)))


def rotating() -> tuple[ShopifyShop, Vault, RefreshToken]:
    shop = stocked()
    shop.tokens.clear()
    vault = Vault(shop)
    return shop, vault, RefreshToken(*CLIENT, refresh_token="refresh-0", on_change=vault.keep)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_new_refresh_token_is_kept_before_the_token_beside_it_is_used(runner: str) -> None:
    shop, vault, access = rotating()
    RUNNERS[runner](sink(shop, access).read_steps(["MUG"]))
    assert vault.kept == [("refresh-1", 1)]
    assert b"refresh_token=refresh-0" in grants(shop)[0].content


def test_the_next_renewal_uses_the_newest_refresh_token() -> None:
    shop, vault, access = rotating()
    clock = FakeClock()
    door = sink(shop, access, keeper=TokenKeeper(clock))
    door.read(["MUG"])
    clock.sleep(3600)
    door.read(["MUG"])
    assert [token for token, _ in vault.kept] == ["refresh-1", "refresh-2"]
    assert b"refresh_token=refresh-1" in grants(shop)[1].content


def test_a_refresh_token_that_cannot_be_kept_stops_everything_and_is_offered_again() -> None:
    shop, vault, access = rotating()
    vault.breaks = 1
    door = sink(shop, access)
    with pytest.raises(OSError, match="disk is full"):
        door.read(["MUG"])
    assert len(shop.requests) == 1
    door.read(["MUG"])
    assert [token for token, _ in vault.kept] == ["refresh-1"]
    assert len(grants(shop)) == 1


def test_a_process_that_dies_before_it_kept_the_new_token_goes_on_with_the_old_one() -> None:
    shop, vault, access = rotating()
    vault.breaks = 1
    with pytest.raises(OSError, match="disk is full"):
        sink(shop, access).read(["MUG"])
    again = RefreshToken(*CLIENT, refresh_token="refresh-0", on_change=vault.keep)
    assert sink(shop, again).read(["MUG"])
    assert [token for token, _ in vault.kept] == ["refresh-1"]


def test_a_renewal_whose_answer_is_lost_is_asked_for_again() -> None:
    shop, vault, access = rotating()
    shop.trouble("lost", when=is_grant)
    assert sink(shop, access).read(["MUG"])
    assert [token for token, _ in vault.kept] == ["refresh-1"]


def test_a_refresh_token_that_is_used_up_is_unauthorized_and_stays_secret() -> None:
    shop, vault, _ = rotating()
    said = {"error": "invalid_request", "error_description": "refresh_token hush-2 of hush-1 is not active"}
    shop.trouble(json_answer(said, 400))
    access = RefreshToken("client-id", "hush-1", refresh_token="hush-2", on_change=vault.keep)
    with pytest.raises(UnauthorizedError, match="is not active") as caught:
        sink(shop, access).read(["MUG"])
    assert "hush" not in str(caught.value) + repr(access)
    assert not vault.kept


def test_a_successor_that_came_while_another_was_kept_is_not_forgotten() -> None:
    shop, vault, access = rotating()

    def renew() -> None:
        asking = access.grant("https://acme.myshopify.com")
        request = next(asking)
        with pytest.raises(StopIteration):
            asking.send(shop.handle(request))

    def keep_slowly(token: str) -> None:
        vault.keep(token)
        if token == "refresh-1":
            shop.trouble(json_answer({"access_token": "t", "expires_in": 3600, "refresh_token": "refresh-2"}))
            renew()

    access = RefreshToken(*CLIENT, refresh_token="refresh-0", on_change=keep_slowly)
    door = sink(shop, access)
    door.read([])
    door.read([])
    assert [token for token, _ in vault.kept] == ["refresh-1", "refresh-2"]


# --- odd answers, odd settings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Response(status=404, content=b"<html>"), UnauthorizedError, "no reason that can be read"),
        (Response(status=204), DecodeError, "HTTP 204 instead of a token"),
        (Response(status=302), RefusedError, "HTTP 302: it points elsewhere"),
        (json_answer({"access_token": "t"}), DecodeError, "expires_in is missing"),
        (json_answer({"access_token": 7, "expires_in": 5}), DecodeError, "must be text"),
        (json_answer({"access_token": "t", "expires_in": "5"}), DecodeError, "must be a whole number"),
    ],
)
def test_an_answer_that_grants_nothing_is_an_error(
    answer: Response, error: type[OmsyncError], words: str
) -> None:
    shop = stocked()
    shop.trouble(answer)
    with pytest.raises(error, match=words):
        sink(shop, ClientCredentials(*CLIENT)).read(["MUG"])


@pytest.mark.parametrize("value", ["", "with\nbreak", None, 7])
def test_a_secret_that_cannot_be_one_is_refused_without_showing_it(value: Any) -> None:
    for make in (
        lambda: StaticToken(value),
        lambda: ClientCredentials("id", value),
        lambda: RefreshToken("id", "secret", value, print),
    ):
        with pytest.raises(OmsyncError) as caught:
            make()
        assert caught.value.code == "credentials"


def test_a_refresh_token_needs_a_function_that_keeps_its_successor() -> None:
    with pytest.raises(WrongTypeError):
        RefreshToken("id", "secret", "refresh-0", None)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(SettingsError):
        Shopify("acme", access=StaticToken("a\n"))
