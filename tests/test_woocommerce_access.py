"""How the WooCommerce sink shows its key, and what it says when it is not let in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from two_runners import run_awaiting

from omsync.errors import (
    DecodeError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    SettingsError,
    UnauthorizedError,
)
from omsync.http.messages import Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.ports import PushResult, QuantityChange
from omsync.sinks.woocommerce import WooCommerce
from omsync.testing.carts.platform import json_answer
from omsync.testing.carts.woocommerce import WooCommerceShop

ONCE = RetryPolicy(attempts=1)
AT_ONCE = RetryPolicy(attempts=3, first_wait=0.0, max_wait=0.0)


def shop(**options: Any) -> WooCommerceShop:
    there = WooCommerceShop(**options)
    there.add("MUG", 10)
    there.add("CUP", 3)
    return there


def sink(there: WooCommerceShop, url: str = "https://shop.example", **options: Any) -> WooCommerce:
    options = {
        "key": there.key,
        "secret": there.secret,
        "retry": ONCE,
        "calls_per_second": 1e6,
        "handler": there.handle,
        **options,
    }
    return WooCommerce(url, **options)


def push(bench: WooCommerce) -> list[PushResult]:
    return bench.push([QuantityChange(listing_sku="MUG", quantity=7, available=7)])


def names(there: WooCommerceShop) -> set[str]:
    return {name for asked in there.requests for name, _ in asked.query}


def refusal(attempt: Callable[[], object]) -> OmsyncError:
    with pytest.raises(OmsyncError) as caught:
        attempt()
    return caught.value


def test_an_https_address_is_shown_the_key_in_a_header() -> None:
    there = shop()
    assert push(sink(there))[0].echo == 7
    assert all(asked.headers["authorization"].startswith("Basic ") for asked in there.requests)
    assert names(there) & {"consumer_key", "oauth_signature"} == set()


def test_a_plain_address_is_shown_a_signature_and_never_the_key() -> None:
    there = shop()
    assert push(sink(there, "http://shop.example"))[0].echo == 7
    assert {"oauth_signature", "oauth_nonce", "oauth_timestamp"} <= names(there)
    assert all("authorization" not in asked.headers for asked in there.requests)
    assert {asked.first("oauth_signature_method") for asked in there.requests} == {"HMAC-SHA256"}
    assert there.secret not in str(there.requests)


def test_the_key_goes_in_the_address_where_a_header_would_be_dropped() -> None:
    there = shop()
    assert push(sink(there, auth="query"))[0].echo == 7
    assert all("authorization" not in asked.headers for asked in there.requests)
    assert {asked.first("consumer_secret") for asked in there.requests} == {there.secret}


def test_a_signature_is_taken_over_https_too() -> None:
    assert push(sink(shop(), auth="oauth1"))[0].echo == 7


def test_the_key_itself_is_taken_on_a_plain_address_behind_a_proxy_that_ends_tls() -> None:
    there = shop()
    there.door.behind_tls = True
    assert push(sink(there, "http://10.0.0.5:8080", auth="basic"))[0].echo == 7


def test_a_retry_is_signed_anew_since_a_signature_is_good_once() -> None:
    there = shop()
    there.trouble("lost", times=2)
    assert sink(there, "http://shop.example", retry=AT_ONCE).read(["MUG"])[0].quantity == 10
    nonces = [asked.first("oauth_nonce") for asked in there.requests]
    assert len(set(nonces)) == len(nonces) == 3


def test_skus_of_any_characters_are_signed_as_the_shop_reads_them() -> None:
    there = shop()
    sku = "Größe 1/2 & 50% +~*'(x)=?#"
    there.add(sku, 4)
    assert sink(there, "http://shop.example").read([sku])[0].quantity == 4


@pytest.mark.parametrize("url", ["http://10.0.0.5:8080", "http://10.0.0.5:8080/"])
def test_a_signature_is_made_over_the_configured_address(url: str) -> None:
    there = shop()
    wrong = refusal(lambda: sink(there, url).read(["MUG"]))
    assert isinstance(wrong, UnauthorizedError)
    assert "home_url" in wrong.remedy
    assert sink(there, url, home_url="http://shop.example/").read(["MUG"])[0].quantity == 10


def test_a_shop_in_a_folder_is_reached_and_signed_there() -> None:
    there = shop(home_url="http://example.com/shop")
    bench = sink(there, "http://example.com/shop/")
    assert bench.capabilities.destination == "woocommerce at example.com/shop"
    assert bench.read(["MUG"])[0].quantity == 10


@pytest.mark.parametrize("auth", ["basic", "query"])
def test_a_key_over_plain_http_is_refused_and_the_remedy_says_why(auth: str) -> None:
    wrong = refusal(lambda: sink(shop(), "http://shop.example", auth=auth).read(["MUG"]))
    assert isinstance(wrong, UnauthorizedError)
    assert wrong.code == "key_in_the_clear"
    assert "https" in wrong.remedy
    assert "oauth1" in wrong.remedy


@pytest.mark.parametrize(
    ("url", "options", "remedy"),
    [
        ("https://shop.example", {"key": "ck_other"}, "Check the consumer key"),
        ("https://shop.example", {"secret": "cs_other"}, "Check the consumer secret"),
        ("http://shop.example", {"key": "ck_other"}, "may have been revoked"),
        ("http://shop.example", {"secret": "cs_other"}, "home_url"),
    ],
)
def test_each_wrong_credential_has_its_own_remedy(url: str, options: dict[str, str], remedy: str) -> None:
    wrong = refusal(lambda: sink(shop(), url, **options).read(["MUG"]))
    assert isinstance(wrong, UnauthorizedError)
    assert remedy in wrong.remedy


def test_a_read_only_key_reads_and_is_refused_when_it_writes() -> None:
    there = shop()
    there.door.rights = "read"
    assert sink(there).read(["MUG"])[0].quantity == 10
    wrong = refusal(lambda: push(sink(there)))
    assert isinstance(wrong, UnauthorizedError)
    assert "Read/Write" in wrong.remedy


def test_a_user_who_may_not_manage_the_shop_is_named() -> None:
    there = shop()
    there.door.may_manage = False
    wrong = refusal(lambda: sink(there).read(["MUG"]))
    assert isinstance(wrong, UnauthorizedError)
    assert "shop manager" in wrong.remedy


def test_a_clock_that_is_off_is_named() -> None:
    there = shop(clock=lambda: 0.0)
    wrong = refusal(lambda: sink(there, "http://shop.example").read(["MUG"]))
    assert "clock" in wrong.remedy


def test_a_proxy_that_repeats_calls_is_named() -> None:
    there = shop()

    def twice(request: Request) -> Response:
        there.handle(request)
        return there.handle(request)

    wrong = refusal(lambda: sink(there, "http://shop.example", handler=twice).read(["MUG"]))
    assert "proxy" in wrong.remedy


def test_words_in_the_sites_own_language_get_a_remedy_for_all_of_them() -> None:
    there = shop()
    there.trouble(json_answer({"code": "woocommerce_rest_authentication_error", "message": "Ungültig."}, 401))
    wrong = refusal(lambda: sink(there).read(["MUG"]))
    assert isinstance(wrong, UnauthorizedError)
    assert "Read/Write" in wrong.remedy
    assert "Ungültig" in wrong.message


def test_a_password_before_the_whole_site_is_told_from_a_wrong_key() -> None:
    there = shop()
    there.trouble(Response(status=401, content=b"<html>Authorization required</html>"))
    wrong = refusal(lambda: sink(there).read(["MUG"]))
    assert isinstance(wrong, UnauthorizedError)
    assert "auth='query'" in wrong.remedy


@pytest.mark.parametrize(
    "answer",
    [
        Response(status=403, content=b"<html>Wordfence: blocked</html>"),
        json_answer({"code": "rest_forbidden", "message": "REST API disabled."}, 403),
    ],
)
def test_a_security_plugin_that_refuses_is_named_and_nothing_more_is_tried(answer: Response) -> None:
    there = shop()
    there.trouble(answer, when=lambda asked: asked.method == "POST", times=9)
    wrong = refusal(lambda: push(sink(there, retry=AT_ONCE)))
    assert isinstance(wrong, UnauthorizedError)
    assert wrong.code == "blocked"
    assert "security plugin" in wrong.remedy
    assert len(there.requests) == 2


def test_without_pretty_permalinks_the_remedy_names_them() -> None:
    there = shop()
    there.pretty_permalinks = False
    wrong = refusal(lambda: sink(there).read(["MUG"]))
    assert isinstance(wrong, SettingsError)
    assert wrong.code == "no_rest_api"
    assert "Permalinks" in wrong.remedy


def test_an_inactive_woocommerce_is_named() -> None:
    there = shop()
    there.trouble(json_answer({"code": "rest_no_route", "message": "No route was found."}, 404))
    assert refusal(lambda: sink(there).read(["MUG"])).code == "no_rest_api"


def test_a_404_of_something_else_is_a_refusal() -> None:
    there = shop()
    there.trouble(json_answer({"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID."}, 404))
    assert isinstance(refusal(lambda: sink(there).read(["MUG"])), RefusedError)


def test_a_page_in_place_of_data_is_named() -> None:
    there = shop()
    there.trouble(Response(status=200, content=b"<!doctype html><title>Coming soon</title>"))
    wrong = refusal(lambda: sink(there).read(["MUG"]))
    assert isinstance(wrong, DecodeError)
    assert "HTML" in wrong.message
    assert "plugin" in wrong.remedy


def test_a_redirection_is_not_followed_and_names_the_right_address() -> None:
    there = shop()
    location = "https://www.shop.example/wp-json/wc/v3/products?consumer_secret=cs_only_for_tests"
    there.trouble(Response(status=301, headers={"location": location}))
    wrong = refusal(lambda: sink(there).read(["MUG"]))
    assert isinstance(wrong, RefusedError)
    assert wrong.code == "redirected"
    assert "https://www.shop.example/wp-json" in wrong.message
    assert "only_for_tests" not in str(wrong)


def test_an_address_that_is_too_long_for_the_server_is_named() -> None:
    there = shop()
    there.trouble(Response(status=414, content=b"<html>URI Too Long</html>"))
    wrong = refusal(lambda: sink(there).read(["MUG"]))
    assert wrong.code == "address_too_long"
    assert "max_url_bytes" in wrong.remedy


@pytest.mark.parametrize("value", [["x"], {"code": 1, "message": "x"}, {"code": "x"}])
def test_an_error_of_another_form_is_still_an_error(value: Any) -> None:
    there = shop()
    there.trouble(json_answer(value, 400))
    assert refusal(lambda: sink(there).read(["MUG"])).code == "refused"


@pytest.mark.parametrize("auth", ["basic", "query", "oauth1"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 500])
def test_a_page_that_echoes_the_key_does_not_bring_it_into_an_error(auth: str, status: int) -> None:
    there = shop()

    def echo(request: Request) -> Response:
        text = (
            f"<html>you asked for {dict(request.query)} with {dict(request.headers)}, {there.secret}</html>"
        )
        return Response(status=status, content=text.encode(), place=request.place)

    bench = sink(there, auth=auth, handler=echo)
    wrong = refusal(lambda: bench.read(["MUG"]))
    told = f"{wrong} {wrong!r} {wrong.__cause__} {wrong.__context__} {bench!r} {bench.capabilities!r}"
    for secret in (there.key, there.secret):
        assert secret not in told


def test_a_server_fault_quotes_the_page_without_the_key() -> None:
    there = shop()
    there.trouble(Response(status=500, content=b"<html>consumer_secret=cs_only_for_tests</html>"))
    wrong = refusal(lambda: sink(there, auth="query").read(["MUG"]))
    assert isinstance(wrong, ServerFaultError)
    assert "<html>consumer_secret=***</html>" in wrong.message
    assert there.secret not in wrong.message


def test_words_of_the_shop_are_quoted_without_the_key() -> None:
    there = shop()
    there.trouble(
        json_answer({"code": "rest_invalid_param", "message": "?consumer_secret=cs_only_for_tests"}, 400)
    )
    wrong = refusal(lambda: sink(there, auth="query").read(["MUG"]))
    assert "?consumer_secret=*** (rest_invalid_param)" in wrong.message
    assert there.secret not in wrong.message


def test_requests_name_no_credential_in_their_place() -> None:
    there = shop()
    there.trouble("unreachable")
    wrong = refusal(lambda: sink(there, auth="query").read(["MUG"]))
    assert "sku=MUG" in wrong.message
    assert "only_for_tests" not in str(wrong)


def test_the_awaiting_runner_signs_too() -> None:
    there = shop()
    assert run_awaiting(sink(there, "http://shop.example").read_steps(["MUG"]))[0].quantity == 10


@pytest.mark.parametrize(
    "options",
    [
        {"url": "shop.example"},
        {"url": "https://ck_1:cs_1@shop.example"},
        {"url": "https://shop.example/wp-json/wc/v3"},
        {"key": ""},
        {"secret": "cs_1\n"},
        {"home_url": "shop.example"},
        {"auth": "digest"},
        {"parent_stock": "both"},
        {"untracked_policy": "ignore"},
        {"rows_per_call": 0},
        {"timeout": 0},
        {"calls_per_second": 0},
        {"max_url_bytes": 10},
    ],
    ids=str,
)
def test_settings_that_cannot_be_right_are_refused_at_once(options: dict[str, Any]) -> None:
    given = {"url": "https://shop.example", "key": "ck_1", "secret": "cs_1", **options}
    with pytest.raises(OmsyncError) as caught:
        WooCommerce(**given)
    assert "cs_1\n" not in str(caught.value)
