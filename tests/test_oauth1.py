"""OAuth 1.0a: what we sign is what a server checks."""

from __future__ import annotations

import sys
from string import ascii_letters, digits
from urllib.parse import parse_qsl, urlencode

import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, RequestValidator, SignatureOnlyEndpoint

from omsync.errors import InvalidValueError, SettingsError
from omsync.http.messages import Request
from omsync.http.oauth1 import OAuth1

KEYS = {"consumer_key": "ck_test_key_1", "consumer_secret": "cs_test_secret_1"}


class Checker(RequestValidator):
    """A server's side: knows the secrets and forgets no nonce."""

    enforce_ssl = False
    client_key_length = (3, 60)
    nonce_length = (3, 60)
    allowed_signature_methods = (SIGNATURE_HMAC_SHA256,)
    safe_characters = set(ascii_letters + digits + "_-")  # noqa: RUF012  the library reads it so

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def get_client_secret(self, client_key: str, request: object) -> str:  # noqa: ARG002  the library's form
        return KEYS["consumer_secret"]

    def validate_client_key(self, client_key: str, request: object) -> bool:  # noqa: ARG002  likewise
        return client_key == KEYS["consumer_key"]

    def validate_timestamp_and_nonce(
        self,
        client_key: str,  # noqa: ARG002  likewise
        timestamp: object,  # noqa: ARG002  likewise
        nonce: str,
        request: object,  # noqa: ARG002  likewise
        request_token: str | None = None,  # noqa: ARG002  likewise
        access_token: str | None = None,  # noqa: ARG002  likewise
    ) -> bool:
        fresh = nonce not in self.seen
        self.seen.add(nonce)
        return fresh


def holds(checker: Checker, request: Request) -> bool:
    address = f"{request.url}?{urlencode(request.query)}" if request.query else request.url
    valid, _ = SignatureOnlyEndpoint(checker).validate_request(
        address, request.method, body=None, headers=dict(request.headers)
    )
    return bool(valid)


REQUEST = Request(
    method="GET",
    url="http://shop.example:8080/wp-json/wc/v3/products",
    query=(("sku", "A B,C/Ä,50%"), ("per_page", "100"), ("sku", "")),
)


@pytest.mark.parametrize("place", ["header", "query"])
def test_a_server_accepts_the_signature_wherever_it_is(place: str) -> None:
    checker = Checker()
    signed = OAuth1(**KEYS, place=place).sign(REQUEST)
    assert holds(checker, signed)
    assert set(REQUEST.query) <= set(signed.query)
    assert ("authorization" in signed.headers) == (place == "header")


def test_each_signature_is_good_for_one_try() -> None:
    checker, key = Checker(), OAuth1(**KEYS, place="query")
    signed = key.sign(REQUEST)
    assert [holds(checker, signed), holds(checker, signed), holds(checker, key.sign(REQUEST))] == [
        True,
        False,
        True,
    ]


def test_another_secret_does_not_hold() -> None:
    wrong = OAuth1(consumer_key=KEYS["consumer_key"], consumer_secret="other", place="query")
    assert not holds(Checker(), wrong.sign(REQUEST))


def test_a_request_without_a_query_and_with_a_token_is_signed() -> None:
    key = OAuth1(**KEYS, token="access-token-1", token_secret="its-secret")
    signed = key.sign(Request(method="POST", url="https://shop.example/rest/V1/x", body={"a": 1}))
    assert 'oauth_token="access-token-1"' in signed.headers["authorization"]
    assert signed.body == {"a": 1}
    assert signed.query == ()


def test_a_token_needs_its_secret() -> None:
    with pytest.raises(SettingsError, match="without its"):
        OAuth1(**KEYS, token="access-token-1")


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(InvalidValueError):
        OAuth1(consumer_key="", consumer_secret="x")


def test_signatures_and_secrets_are_shown_nowhere() -> None:
    signed = OAuth1(**KEYS, token="the-token", token_secret="token-secret", place="query").sign(REQUEST)
    said = f"{OAuth1(**KEYS)!r} {signed.place}"
    for name, value in parse_qsl(urlencode(signed.query)):
        assert not name.startswith("oauth_") or f"={value}" not in said
    assert "ck_test_key_1" not in said
    assert "oauth_signature=***" in said


def test_without_oauthlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "oauthlib", None)
    with pytest.raises(SettingsError, match="oauthlib") as caught:
        OAuth1(**KEYS).sign(REQUEST)
    assert "omsync[oauth1]" in caught.value.remedy


def test_an_address_that_somebody_signed_for_us_is_not_quoted() -> None:
    request = Request(method="PUT", url="https://bucket.example/doc?X-Signature=abc", raw=b"{}")
    assert request.place == "PUT https://bucket.example/doc?***"
    assert request.content == b"{}"
