"""OAuth 1.0a, one-legged or with an integration's token: requests are signed anew for each try."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from urllib.parse import parse_qsl, urlencode

from attrs import evolve, field, frozen

from omsync import checks
from omsync.errors import SettingsError
from omsync.http.messages import Request
from omsync.secrets import Secret, as_optional_secret, as_secret, filled_secret

__all__ = ["OAuth1"]

_SIGNING = ContextVar("_SIGNING", default=False)


def _not_ours(_: logging.LogRecord) -> bool:
    return not _SIGNING.get()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library from logging our tokens: at DEBUG it shows what it signs."""
    for name in ("", ".signature"):
        logging.getLogger(f"oauthlib.oauth1.rfc5849{name}").addFilter(_not_ours)
    before = _SIGNING.set(True)
    try:
        yield
    finally:
        _SIGNING.reset(before)


@frozen(kw_only=True)
class OAuth1:
    """Credentials that sign requests with HMAC-SHA256, by the library ``oauthlib`` (extra ``oauth1``).

    Args:
        consumer_key: The key's public half.
        consumer_secret: Its secret; never shown.
        token: The integration's access token, where there is one.
        token_secret: Its secret; never shown.
        place: ``"header"`` or ``"query"``: where the signature goes.

    Raises:
        SettingsError: A token without its secret, or the other way round; when signing: oauthlib is missing.

    Source: RFC 5849, with HMAC-SHA256 as WooCommerce and Adobe Commerce document it.
    """

    consumer_key: Secret = field(converter=as_secret, repr=False, validator=filled_secret)
    consumer_secret: Secret = field(converter=as_secret, repr=False, validator=filled_secret)
    token: Secret | None = field(
        default=None, converter=as_optional_secret, repr=False, validator=checks.optional(filled_secret)
    )
    token_secret: Secret | None = field(
        default=None, converter=as_optional_secret, repr=False, validator=checks.optional(filled_secret)
    )
    place: str = field(default="header", validator=checks.one_of("header", "query"))

    def __attrs_post_init__(self) -> None:
        if (self.token is None) != (self.token_secret is None):
            raise SettingsError(
                "OAuth1 was given a token without its secret, or a secret without its token",
                code="credentials",
                remedy="Give token and token_secret, or neither.",
            )

    def sign(self, request: Request) -> Request:
        """Give the request with a signature that is good for one try."""
        try:
            from oauthlib import oauth1
        except ImportError as error:
            raise SettingsError(
                "Signing requests with OAuth 1.0a needs the library oauthlib, which is not installed",
                code="missing_library",
                remedy="Install it with: pip install 'omsync[oauth1]'",
            ) from error
        client = oauth1.Client(
            self.consumer_key.reveal(),
            client_secret=self.consumer_secret.reveal(),
            resource_owner_key=self.token and self.token.reveal(),
            resource_owner_secret=self.token_secret and self.token_secret.reveal(),
            signature_method=oauth1.SIGNATURE_HMAC_SHA256,
            signature_type=(
                oauth1.SIGNATURE_TYPE_QUERY if self.place == "query" else oauth1.SIGNATURE_TYPE_AUTH_HEADER
            ),
        )
        address = f"{request.url}?{urlencode(request.query)}" if request.query else request.url
        with _quiet():
            uri, headers, _ = client.sign(address, http_method=request.method)  # type: ignore[arg-type]  # any verb, as text
        if self.place == "header":
            return evolve(
                request, headers={**request.headers, "authorization": str(headers["Authorization"])}
            )
        query = parse_qsl(uri.partition("?")[2], keep_blank_values=True)
        return evolve(request, query=tuple(query))
