"""What WooCommerce, WordPress and what stands before them answer: data, or an error with its remedy."""

from __future__ import annotations

from omsync.errors import (
    DecodeError,
    OmsyncError,
    RefusedError,
    SettingsError,
    UnauthorizedError,
)
from omsync.http.messages import Response
from omsync.sinks._http import Wire
from omsync.sinks._woocommerce_access import ROOT, Access

__all__ = ["data_of"]

_PERMALINKS = (
    f"Give the shop's address without a path behind it, check that WooCommerce is active, and set the "
    f"permalinks to anything but 'Plain' (Settings > Permalinks): {ROOT} exists only then."
)
_FIREWALL = (
    "A security plugin, a firewall or the host refuses the call before WooCommerce sees it: let calls to "
    "/wp-json, or this computer, through there."
)
_RIGHTS = "The key needs the permission Read/Write, and its user must be a shop manager or an administrator."
_UNKNOWN_KEY = (
    "Check the consumer key. If it is right, a server or proxy on the way drops the header Authorization, or "
    "a password protects the whole site: give auth='query'. " + _RIGHTS
)
_IN_THE_CLEAR = (
    "WooCommerce takes the key itself over https:// only. Give an https address; or auth='oauth1'; or let "
    "the proxy before WordPress tell it that TLS ended there (X-Forwarded-Proto)."
)
_BY_WORD = {
    "signature": "Check the secret, and give as home_url the address in Settings > General: it is signed.",
    "nonce": "A proxy sent the call twice, and a signature is good for one: let it not repeat calls.",
    "timestamp": "Set this computer's clock and the server's: they may be 15 minutes apart at most.",
    "secret": "Check the consumer secret: it is not the one that belongs to this key.",
    "key is invalid": "Check the consumer key; it may have been revoked (Settings > Advanced > REST API).",
    "permission": _RIGHTS,
}
_ANY = (
    "Check the consumer secret, that the key has the permission Read/Write, this computer's clock, and that "
    "home_url is the site's address as in Settings > General."
)


def data_of(access: Access, response: Response) -> Wire:
    """Give an answer's data.

    Raises:
        UnauthorizedError: The key was refused, or a firewall refused the call.
        SettingsError: There is no such API at the address, or it is elsewhere.
        RefusedError: The call was refused as a whole.
        DecodeError: The answer is not JSON.
    """
    response = access.clean(response)
    if response.status >= 300:  # noqa: PLR2004  beyond success
        raise _fault(access, response)
    try:
        return Wire(value=response.json(), path="answer", place=response.place)
    except DecodeError as error:
        raise DecodeError(
            error.message,
            code=error.code,
            remedy=f"A plugin's page or a PHP notice may have been sent instead. {_PERMALINKS}",
        ) from error


def _fault(access: Access, response: Response) -> OmsyncError:
    code, said = _words(response)
    what = f"{response.place}: HTTP {response.status}" + (f": {said} ({code})" if code else "")
    if response.status in {401, 403}:
        return _unauthorized(access, response.status, code, said, what)
    if response.status == 404 and code in {"", "rest_no_route"}:  # noqa: PLR2004  the status code's own name
        return SettingsError(f"{what}: there is no {ROOT}", code="no_rest_api", remedy=_PERMALINKS)
    if response.status == 413:  # noqa: PLR2004  the status code's own name
        return RefusedError(
            what, code="too_large", remedy="Lower rows_per_call to what the shop takes in a call."
        )
    if response.status == 414:  # noqa: PLR2004  the status code's own name
        return RefusedError(
            what, code="address_too_long", remedy="Lower max_url_bytes to what the server takes."
        )
    return RefusedError(what, remedy="Read what the shop says; its log may say more.")


def _unauthorized(access: Access, status: int, code: str, said: str, what: str) -> UnauthorizedError:
    if access.in_the_clear and status == 401:  # noqa: PLR2004  the status code's own name
        return UnauthorizedError(what, code="key_in_the_clear", remedy=_IN_THE_CLEAR)
    if code.startswith("woocommerce_rest_authentication"):
        # The words are in the site's language; the remedy for any of them stands in where they are not known.
        words = said.lower()
        remedy = next((remedy for word, remedy in _BY_WORD.items() if word in words), _ANY)
        return UnauthorizedError(what, remedy=remedy)
    if code.startswith("woocommerce_rest_cannot"):
        return UnauthorizedError(what, remedy=_UNKNOWN_KEY if status == 401 else _RIGHTS)  # noqa: PLR2004  likewise
    if status == 401:  # noqa: PLR2004  likewise
        return UnauthorizedError(what, remedy=_UNKNOWN_KEY)
    return UnauthorizedError(what, code="blocked", remedy=_FIREWALL)


def _words(response: Response) -> tuple[str, str]:
    """Give an error's code and message; empty where a page was sent instead."""
    try:
        value = response.json()
    except DecodeError:
        return "", ""
    code, said = (value.get("code"), value.get("message")) if isinstance(value, dict) else (None, None)
    return (code, said) if isinstance(code, str) and isinstance(said, str) else ("", "")
