"""Ways into an Adobe Commerce shop: an integration that signs, a token that stays, a login that gives one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlencode

from attrs import field, frozen

from omsync import checks
from omsync.errors import UnauthorizedError
from omsync.http.messages import Conversation, Request, Response
from omsync.http.oauth1 import OAuth1
from omsync.http.tokens import Token
from omsync.secrets import Secret, as_secret
from omsync.sinks._credentials import address, given, secret
from omsync.sinks._http import Wire

__all__ = ["Access", "AdminLogin", "BearerToken", "Integration", "ServerToServer"]

_OK = 200
_REFUSED = range(400, 500)
_SCOPE = (
    "openid,AdobeID,email,profile,additional_info.roles,additional_info.projectedProductContext,commerce.accs"
)


class Access(Protocol):
    """What the sink needs of credentials."""

    @property
    def saas(self) -> bool:
        """Whether they belong to Adobe Commerce as a Cloud Service, whose paths differ."""
        ...

    def grant(self, root: str) -> Conversation[Token]:
        """Ask for a token, where one is needed."""
        ...

    def headers(self, token: str) -> Mapping[str, str]:
        """Give the headers of a call."""
        ...

    def sign(self, request: Request) -> Request:
        """Complete a request before each try."""
        ...


@frozen(kw_only=True)
class Integration:
    """The four credentials of an integration; every request is signed (OAuth 1.0a, HMAC-SHA256).

    Args:
        consumer_key: The integration's consumer key.
        consumer_secret: Its secret.
        access_token: The integration's access token.
        access_token_secret: Its secret.

    Source: "OAuth-based authentication" in Adobe Commerce's documentation.
    """

    consumer_key: Secret = field(converter=as_secret, repr=False, validator=[given, secret])
    consumer_secret: Secret = field(converter=as_secret, repr=False, validator=[given, secret])
    access_token: Secret = field(converter=as_secret, repr=False, validator=[given, secret])
    access_token_secret: Secret = field(converter=as_secret, repr=False, validator=[given, secret])
    saas: bool = field(default=False, init=False)

    def grant(self, _: str) -> Conversation[Token]:
        """Ask for nothing: each request is signed."""
        yield from ()
        return Token(value="signed")

    def headers(self, _: str) -> Mapping[str, str]:
        """Give none: the signature makes its own."""
        return {}

    def sign(self, request: Request) -> Request:
        """Sign a request for one try."""
        return OAuth1(
            consumer_key=self.consumer_key,
            consumer_secret=self.consumer_secret,
            token=self.access_token,
            token_secret=self.access_token_secret,
        ).sign(request)


@frozen
class BearerToken:
    """An integration's access token on its own, in shops that have switched this on.

    The shop's setting is ``oauth/consumer/enable_integration_as_bearer``; it is off unless set.

    Args:
        value: The access token.
    """

    value: Secret = field(converter=as_secret, repr=False, validator=[given, secret])
    saas: bool = field(default=False, init=False)

    def grant(self, _: str) -> Conversation[Token]:
        """Give the token; nothing is asked."""
        yield from ()
        return Token(value=self.value)

    def headers(self, token: str) -> Mapping[str, str]:
        """Give the header that carries it."""
        return {"authorization": f"Bearer {token}"}

    def sign(self, request: Request) -> Request:
        """Give the request as it is."""
        return request


@frozen(kw_only=True)
class AdminLogin:
    """An administrator's login, which gives a token for some hours; not for shops with a second factor.

    Args:
        username: The administrator.
        password: The password.
        hours: How long the shop's tokens are good for: its setting "Admin Token Lifetime".

    Source: "Token-based authentication" in Adobe Commerce's documentation.
    """

    username: str = field(validator=checks.text)
    password: Secret = field(converter=as_secret, repr=False, validator=[given, secret])
    hours: float = field(default=4.0, validator=[checks.instance_of(int, float), checks.measure])
    saas: bool = field(default=False, init=False)

    def grant(self, root: str) -> Conversation[Token]:
        """Log in."""
        response = yield Request(
            method="POST",
            url=f"{root}/V1/integration/admin/token",
            body={"username": self.username, "password": self.password.reveal()},
            lane="token",
        )
        _check_granted(
            response,
            "Check user name and password. Where administrators log in with a second factor, use an "
            "Integration instead; after several wrong tries the shop locks the account for a while.",
        )
        value = Wire(value=response.json(), path="answer", place=response.place).text()
        return Token(value=value, seconds=self.hours * 3600)

    def headers(self, token: str) -> Mapping[str, str]:
        """Give the header that carries the token."""
        return {"authorization": f"Bearer {token}"}

    def sign(self, request: Request) -> Request:
        """Give the request as it is."""
        return request


@frozen(kw_only=True)
class ServerToServer:
    """Credentials for Adobe Commerce as a Cloud Service: an OAuth server-to-server credential of IMS.

    Args:
        client_id: The credential's client id.
        client_secret: Its secret.
        organization: The organization's id, such as ``"...@AdobeOrg"``.
        token_url: Where Adobe's Identity Management Service grants tokens.

    Source: "Server-to-server authentication" in the documentation of Adobe Commerce as a Cloud Service.
    """

    client_id: str = field(validator=[checks.text, secret])
    client_secret: Secret = field(converter=as_secret, repr=False, validator=[given, secret])
    organization: str = field(validator=checks.text)
    token_url: str = field(default="https://ims-na1.adobelogin.com/ims/token/v3", validator=address)
    saas: bool = field(default=True, init=False)

    def grant(self, _: str) -> Conversation[Token]:
        """Ask the Identity Management Service for a token."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret.reveal(),
            "scope": _SCOPE,
        }
        response = yield Request(
            method="POST",
            url=self.token_url,
            headers={"content-type": "application/x-www-form-urlencoded"},
            raw=urlencode(form).encode(),
            lane="token",
        )
        _check_granted(
            response, "Check client_id and client_secret; the credential needs the scope commerce.accs."
        )
        body = Wire(value=response.json(), path="answer", place=response.place)
        return Token(value=body.field("access_token").text(), seconds=float(body.field("expires_in").whole()))

    def headers(self, token: str) -> Mapping[str, str]:
        """Give the headers that the service asks for."""
        return {
            "authorization": f"Bearer {token}",
            "x-api-key": self.client_id,
            "x-gw-ims-org-id": self.organization,
        }

    def sign(self, request: Request) -> Request:
        """Give the request as it is."""
        return request


def _check_granted(response: Response, remedy: str) -> None:
    """Check that a token came; the answer is not quoted, since it may repeat what was sent."""
    if response.status in _REFUSED:
        raise UnauthorizedError(
            f"{response.place}: no token is granted (HTTP {response.status})", remedy=remedy
        )
    if response.status != _OK:
        raise UnauthorizedError(
            f"{response.place}: HTTP {response.status} instead of a token",
            remedy="Check the address.",
        )
