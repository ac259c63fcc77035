"""Three ways into a Shopify shop: a token that stays, one asked for day by day, one renewed by the hour."""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import urlencode

from attrs import field, frozen

from omsync import checks
from omsync.errors import DecodeError, InvalidValueError, UnauthorizedError
from omsync.http.messages import Conversation, Request, Response
from omsync.http.steps import Steps, call
from omsync.http.tokens import Token
from omsync.secrets import Secret, as_secret
from omsync.sinks._credentials import secret
from omsync.sinks._graphql import body_of

__all__ = ["SCOPES", "ClientCredentials", "RefreshToken", "StaticToken"]

SCOPES = "read_inventory, write_inventory, read_locations and read_products"
_OK = 200
_REFUSED = range(400, 500)


def _given(instance: object, attribute: object, value: object) -> None:
    if value is None:
        name = f"{type(instance).__name__}.{getattr(attribute, 'name', '')}"
        raise InvalidValueError(f"{name} must be given", code="credentials")


_SECRET = [_given, secret]


@frozen
class StaticToken:
    """A token that is good until it is taken back: of an app made in the shop's own administration.

    Args:
        value: The Admin API access token.
    """

    value: Secret = field(converter=as_secret, repr=False, validator=_SECRET)

    def grant(self, _: str) -> Conversation[Token]:
        """Give the token; nothing is asked."""
        yield from ()
        return Token(value=self.value)

    def announce(self) -> Steps[None]:
        """Tell nobody: the token stays."""
        yield from ()


@frozen
class ClientCredentials:
    """Credentials of an app of your own organization; they give a token for 24 hours.

    Args:
        client_id: The app's client id.
        client_secret: The app's client secret.

    Source: "Using the client credentials grant" in Shopify's documentation.
    """

    client_id: str = field(validator=_SECRET)
    client_secret: Secret = field(converter=as_secret, repr=False, validator=_SECRET)

    def grant(self, address: str) -> Conversation[Token]:
        """Ask for a token."""
        response = yield _ask(
            address,
            grant_type="client_credentials",
            client_id=self.client_id,
            client_secret=self.client_secret.reveal(),
        )
        return _token(response, self.client_secret.reveal())

    def announce(self) -> Steps[None]:
        """Tell nobody: the credentials stay."""
        yield from ()


class _Rotation:
    """The newest refresh token, and the one that is to be kept safe before anything else happens."""

    def __init__(self) -> None:
        self.newest: str | None = None
        self.untold: str | None = None
        self.lock = threading.Lock()


@frozen
class RefreshToken:
    """An offline token that ends after an hour, and the refresh token that renews it and is replaced by it.

    ``on_change`` gets each new refresh token before the token that came with it is used, so a process that
    dies loses nothing: Shopify takes the old refresh token until its successor is used. If it raises, nothing
    goes on, and it is called again at the next push.

    Args:
        client_id: The app's client id.
        client_secret: The app's client secret.
        refresh_token: The newest refresh token that you keep.
        on_change: Keeps its successor, durably, before returning.

    Source: "About offline access tokens" in Shopify's documentation, and the changelog of 28 August 2026.
    """

    client_id: str = field(validator=_SECRET)
    client_secret: Secret = field(converter=as_secret, repr=False, validator=_SECRET)
    refresh_token: Secret = field(converter=as_secret, repr=False, validator=_SECRET)
    on_change: Callable[[str], object] = field(repr=False, validator=checks.instance_of(Callable))  # type: ignore[arg-type]  # an ABC, which isinstance takes
    _rotation: _Rotation = field(factory=_Rotation, init=False, eq=False, repr=False)

    def grant(self, address: str) -> Conversation[Token]:
        """Renew the token; the new refresh token waits until ``announce`` has told of it."""
        newest = self._rotation.newest or self.refresh_token.reveal()
        response = yield _ask(
            address,
            grant_type="refresh_token",
            client_id=self.client_id,
            client_secret=self.client_secret.reveal(),
            refresh_token=newest,
        )
        token = _token(response, self.client_secret.reveal(), newest)
        with self._rotation.lock:
            self._rotation.untold = body_of(response).field("refresh_token").text()
        return token

    def announce(self) -> Steps[None]:
        """Let ``on_change`` keep a new refresh token, if there is one; only then it counts."""
        untold = self._rotation.untold
        if untold is None:
            return
        yield from call(self.on_change, untold)
        with self._rotation.lock:
            self._rotation.newest = untold
            if self._rotation.untold == untold:
                self._rotation.untold = None


def _ask(address: str, **form: str) -> Request:
    return Request(
        method="POST",
        url=f"{address}/admin/oauth/access_token",
        headers={"content-type": "application/x-www-form-urlencoded"},
        raw=urlencode(form).encode(),
        lane="token",
    )


def _token(response: Response, *secrets: str) -> Token:
    if response.status in _REFUSED:
        raise UnauthorizedError(
            f"{response.place}: no token was granted (HTTP {response.status}): {_said(response, secrets)}",
            remedy="Check the client id and secret and that the app is installed in this shop. Client "
            "credentials are for apps of the shop's own organization; a refresh token is good for 90 days.",
        )
    if response.status != _OK:
        raise DecodeError(f"{response.place}: HTTP {response.status} instead of a token", code="no_token")
    granted = body_of(response)
    return Token(
        value=granted.field("access_token").text(), seconds=float(granted.field("expires_in").whole())
    )


def _said(response: Response, secrets: tuple[str, ...]) -> str:
    """Give the error's own words, without anything that was sent in confidence."""
    try:
        answer = body_of(response)
        words = [answer.get(name) for name in ("error", "error_description")]
        said = ": ".join(word.text() for word in words if word is not None)
    except DecodeError:
        return "no reason that can be read"
    for word in secrets:
        said = said.replace(word, "***")
    return said[:300]
