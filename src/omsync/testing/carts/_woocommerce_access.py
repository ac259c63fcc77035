"""Who may speak to a WooCommerce shop in memory: keys over TLS, signatures over plain HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from omsync.http.messages import Response
from omsync.testing.carts.platform import Asked, json_answer

__all__ = ["Door", "fault"]

_WINDOW = 15 * 60
_SIGNED = (
    "oauth_consumer_key",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
)
_HASHES = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}
_READS = {"GET", "HEAD"}


def fault(code: str, message: str, status: int, **data: object) -> Response:
    """Give an error as WordPress words it."""
    return json_answer({"code": code, "message": message, "data": {"status": status, **data}}, status)


class Door:
    """Checks one API key.

    Args:
        home_url: The site's address as it is configured; signatures are made over it.
        key: The consumer key.
        secret: The consumer secret.
        clock: Gives the seconds since 1970.
    """

    def __init__(self, *, home_url: str, key: str, secret: str, clock: Callable[[], float]) -> None:
        self.home_url = home_url
        self.key = key
        self.secret = secret
        self.rights = "read_write"
        self.may_manage = True
        self.behind_tls = False
        self.clock = clock
        self._nonces: dict[str, float] = {}

    def check(self, asked: Asked) -> Response | None:
        """Give the refusal, or None to let the request pass."""
        secure = asked.secure or self.behind_tls
        known = False
        if secure:
            key, secret = self._presented(asked)
            if key == self.key:
                if secret != self.secret:
                    return _refusal("Consumer secret is invalid.")
                known = True
        if not known:
            given = {name: value for name, value in asked.query if name in _SIGNED}
            if given:
                refusal = self._check_signature(asked, given, secure=secure)
                if refusal:
                    return refusal
                known = True
        if not known:
            return _nobody(asked, 401)
        needed = "read" if asked.method in _READS else "write"
        if self.rights not in {needed, "read_write"}:
            return _refusal(f"The API key provided does not have {needed} permissions.")
        return None if self.may_manage else _nobody(asked, 403)

    def _presented(self, asked: Asked) -> tuple[str, str]:
        if asked.first("consumer_key") and asked.first("consumer_secret"):
            return asked.first("consumer_key"), asked.first("consumer_secret")
        kind, _, value = asked.headers.get("authorization", "").partition(" ")
        if kind != "Basic":
            return "", ""
        key, _, secret = base64.b64decode(value).decode().partition(":")
        return key, secret

    def _check_signature(self, asked: Asked, given: dict[str, str], *, secure: bool) -> Response | None:
        missing = [name for name in _SIGNED if not given.get(name)]
        if missing:
            message = f"Missing OAuth parameters {', '.join(missing)}"
            return fault("woocommerce_rest_authentication_missing_parameter", message, 401)
        if given["oauth_consumer_key"] != self.key:
            return _refusal("Consumer key is invalid.")
        method = given["oauth_signature_method"]
        if method not in _HASHES:
            return _refusal("Invalid signature - signature method is invalid.")
        if not hmac.compare_digest(
            self._signature(asked, method, secure=secure).encode(), given["oauth_signature"].encode()
        ):
            return _refusal("Invalid signature - provided signature does not match.")
        return self._check_moment(given)

    def _check_moment(self, given: dict[str, str]) -> Response | None:
        now, nonce = self.clock(), given["oauth_nonce"]
        if not now - _WINDOW <= int(given["oauth_timestamp"]) <= now + _WINDOW:
            return _refusal("Invalid timestamp.")
        self._nonces = {used: at for used, at in self._nonces.items() if at >= now - _WINDOW}
        if nonce in self._nonces:
            return _refusal("Invalid nonce - nonce has already been used.")
        self._nonces[nonce] = now
        return None

    def _signature(self, asked: Asked, method: str, *, secure: bool) -> str:
        """Sign as RFC 5849 says, over the home address in the scheme by which the site was reached."""
        home = urlsplit(self.home_url)
        path = asked.path.removeprefix(home.path.rstrip("/"))
        address = f"{'https' if secure else 'http'}://{home.netloc}{home.path.rstrip('/')}{path}"
        pairs = sorted(
            (quote(name, safe="~"), quote(value, safe="~"))
            for name, value in asked.query
            if name != "oauth_signature"
        )
        parameters = "&".join(f"{name}={value}" for name, value in pairs)
        text = "&".join(quote(part, safe="~") for part in (asked.method, address, parameters))
        digest = hmac.new(
            f"{quote(self.secret, safe='~')}&".encode(), text.encode(), _HASHES[method]
        ).digest()
        return base64.b64encode(digest).decode()


def _refusal(message: str) -> Response:
    return fault("woocommerce_rest_authentication_error", message, 401)


def _nobody(asked: Asked, status: int) -> Response:
    if asked.path.endswith("/batch"):
        message = "Sorry, you are not allowed to batch manipulate this resource."
        return fault("woocommerce_rest_cannot_batch", message, status)
    if asked.method in _READS:
        return fault("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.", status)
    return fault("woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource.", status)
