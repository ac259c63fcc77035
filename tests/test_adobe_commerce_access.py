"""Ways into an Adobe Commerce shop: bearer tokens, administrators' logins, and the cloud service."""

from __future__ import annotations

from typing import Any

import pytest
from fake_memory import FakeClock
from two_runners import run_blocking

from omsync.errors import RefusedError, UnauthorizedError
from omsync.http.messages import Response
from omsync.http.retrying import RetryPolicy
from omsync.http.tokens import TokenKeeper
from omsync.ports import CartListing, QuantityChange
from omsync.sinks.adobe_commerce import AdminLogin, AdobeCommerce, BearerToken, ServerToServer
from omsync.testing.carts.adobe_commerce import AdobeShop

ONCE = RetryPolicy(attempts=1)
BEARER = BearerToken("adobe-test-access-token")
LOGIN = AdminLogin(username="omsync", password="adobe-test-password")
IMS = ServerToServer(
    client_id="adobe-test-client", client_secret="adobe-test-client-secret", organization="TEST@AdobeOrg"
)


def shop(**options: Any) -> AdobeShop:
    there = AdobeShop(**options)
    there.add("MUG", 10)
    return there


def sink(there: AdobeShop, access: Any, **options: Any) -> AdobeCommerce:
    url = "https://na1.api.commerce.adobe.com/tenant-1" if access.saas else "https://shop.example"
    given = {"retry": ONCE, "calls_per_second": 1000.0, "handler": there.handle, **options}
    return AdobeCommerce(url, access=access, **given)


def read(adobe: AdobeCommerce) -> list[CartListing]:
    return run_blocking(adobe.read_steps(["MUG"]), clock=FakeClock())


def logins(there: AdobeShop) -> int:
    return sum("token" in asked.path for asked in there.requests)


def test_a_bearer_token_is_sent_as_it_is() -> None:
    there = shop()
    assert read(sink(there, BEARER))
    assert {asked.headers["authorization"] for asked in there.requests} == {"Bearer adobe-test-access-token"}


def test_a_shop_that_takes_no_integrations_token_as_a_bearer_says_no() -> None:
    there = shop()
    there.doorkeeper.takes_bearer = False
    adobe = sink(there, BEARER)
    for _ in range(2):
        with pytest.raises(UnauthorizedError, match="isn't authorized to access self") as caught:
            read(adobe)
    assert "bearer token" in caught.value.remedy
    assert "adobe-test-access-token" not in str(caught.value)


def test_an_administrator_logs_in_once_and_again_when_the_token_has_ended() -> None:
    clock = FakeClock()
    there = shop(now=clock.monotonic)
    adobe = sink(there, LOGIN, keeper=TokenKeeper(clock))
    read(adobe)
    read(adobe.remembering(None))
    assert logins(there) == 1
    clock.sleep(4 * 3600)
    read(adobe)
    assert logins(there) == 2
    there.doorkeeper.end_tokens()
    read(adobe)
    assert logins(there) == 3


def test_a_wrong_password_is_unauthorized_and_not_shown() -> None:
    wrong = AdminLogin(username="omsync", password="not-the-password")
    with pytest.raises(UnauthorizedError, match="no token is granted") as caught:
        read(sink(shop(), wrong))
    assert "not-the-password" not in str(caught.value)


def test_a_shop_with_a_second_factor_gives_administrators_no_token() -> None:
    there = shop()
    there.doorkeeper.second_factor = True
    with pytest.raises(UnauthorizedError) as caught:
        read(sink(there, LOGIN))
    assert "second factor" in caught.value.remedy


def test_a_redirect_instead_of_a_token_is_named() -> None:
    there = shop()
    there.trouble(Response(status=301))
    with pytest.raises(RefusedError, match="HTTP 301: it points elsewhere"):
        read(sink(there, LOGIN))


def test_an_empty_answer_instead_of_a_token_is_unauthorized() -> None:
    there = shop()
    there.trouble(Response(status=204))
    with pytest.raises(UnauthorizedError, match="HTTP 204 instead of a token"):
        read(sink(there, LOGIN))


def test_the_cloud_service_has_other_paths_and_tokens_of_its_own() -> None:
    there = shop(saas=True)
    adobe = sink(there, IMS)
    assert adobe.capabilities.destination == "adobe commerce at na1.api.commerce.adobe.com/tenant-1"
    assert read(adobe)[0].quantity == 10
    row = QuantityChange(listing_sku="MUG", quantity=4, available=4)
    assert [one.status for one in run_blocking(adobe.push_steps([row]), clock=FakeClock())] == ["accepted"]
    queued = sink(there, IMS, mode="async")
    row = QuantityChange(listing_sku="MUG", quantity=5, available=5)
    assert [one.status for one in run_blocking(queued.push_steps([row]), clock=FakeClock())] == ["accepted"]
    assert there.quantity("MUG") == 5
    assert {asked.path for asked in there.requests if asked.method == "POST"} == {
        "/ims/token/v3",
        "/tenant-1/V1/inventory/source-items",
        "/tenant-1/V1/async/bulk/inventory/source-items",
    }


@pytest.mark.parametrize(("word", "wrong"), [("client_secret", "not-it"), ("organization", "OTHER@AdobeOrg")])
def test_wrong_credentials_for_the_cloud_service_are_unauthorized(word: str, wrong: str) -> None:
    given = {
        "client_id": "adobe-test-client",
        "client_secret": "adobe-test-client-secret",
        "organization": "TEST@AdobeOrg",
        word: wrong,
    }
    with pytest.raises(UnauthorizedError):
        read(sink(shop(saas=True), ServerToServer(**given)))


def test_the_service_of_tokens_wants_the_scope_of_the_cloud_service() -> None:
    there = shop(saas=True)
    form = b"client_id=adobe-test-client&client_secret=adobe-test-client-secret&scope=openid"
    from omsync.http.messages import Request

    raw = there.handle(Request(method="POST", url="https://ims.example/ims/token/v3", raw=form))
    assert (raw.status, raw.json()) == (400, {"error": "invalid_scope"})
