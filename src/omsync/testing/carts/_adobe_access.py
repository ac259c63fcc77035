"""The doorkeeper of a fake Adobe Commerce shop: signatures, tokens, and which resources they open."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, unquote

from omsync.http.messages import Response
from omsync.testing.carts.platform import Asked, json_answer

__all__ = ["Doorkeeper"]

_LIFE = 4 * 3600
_PAIR = re.compile(r'(oauth_\w+)="([^"]*)"')
_WORDS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


class Doorkeeper:
    """Checks who asks; the invented credentials are in its attributes.

    Args:
        base_url: Where the shop thinks it lives.
        saas: Whether tokens come from the Identity Management Service.
        now: Counts seconds, for tokens that end.
    """

    def __init__(self, *, base_url: str, saas: bool, now: Callable[[], float]) -> None:
        self.base_url = base_url
        self.integration = {word: f"adobe-test-{word.replace('_', '-')}" for word in _WORDS}
        self.takes_bearer = True
        self.username = "omsync"
        self.password = "adobe-test-password"  # noqa: S105  an invented password
        self.second_factor = False
        self.client_id = "adobe-test-client"
        self.client_secret = "adobe-test-client-secret"  # noqa: S105  an invented secret
        self.organization = "TEST@AdobeOrg"
        self.resources = {
            "Magento_InventoryApi::source",
            "Magento_InventoryApi::stock_source_item_assign",
            "Magento_InventorySalesApi::stock",
            "Magento_Catalog::products",
            "Magento_CatalogInventory::cataloginventory",
            "Magento_Logging::system_magento_logging_bulk_operations",
        }
        self._saas = saas
        self._now = now
        self._tokens: dict[str, float] = {}
        self._nonces: set[str] = set()

    def grant(self, asked: Asked) -> Response | None:
        """Grant a token where one is asked for."""
        if asked.path == "/rest/all/V1/integration/admin/token" and not self._saas:
            return self._log_in(asked)
        if asked.path == "/ims/token/v3" and self._saas:
            return self._grant_by_ims(asked)
        return None

    def refuse(self, asked: Asked) -> Response | None:
        """Refuse a request whose credentials are none of the shop's; None lets it pass."""
        header = asked.headers.get("authorization", "")
        if header.startswith("OAuth ") and not self._saas:
            return self._check_signature(asked, dict(_PAIR.findall(header)))
        token = header.removeprefix("Bearer ")
        good = self._tokens.get(token, self._now()) > self._now()
        if self._saas:
            good &= asked.headers.get("x-api-key") == self.client_id
            good &= asked.headers.get("x-gw-ims-org-id") == self.organization
        elif self.takes_bearer and token == self.integration["access_token"]:
            good = True
        if not good:
            parameters = {"resources": "self"}
            message = "The consumer isn't authorized to access %resources."
            return json_answer({"message": message, "parameters": parameters}, 401)
        return None

    def end_tokens(self) -> None:
        """Let every token end."""
        self._tokens.clear()

    def _log_in(self, asked: Asked) -> Response:
        if self.second_factor:
            return _no("Please use the 2fa provider-specific endpoints to obtain a token.")
        body = asked.json()
        if (body.get("username"), body.get("password")) != (self.username, self.password):
            return _no("The account sign-in was incorrect or your account is disabled temporarily.")
        return json_answer(self._new_token())

    def _grant_by_ims(self, asked: Asked) -> Response:
        form = dict(parse_qsl(asked.content.decode()))
        given = form.get("client_id"), form.get("client_secret")
        if given != (self.client_id, self.client_secret):
            return json_answer({"error": "invalid_client"}, 401)
        if "commerce.accs" not in form.get("scope", ""):
            return json_answer({"error": "invalid_scope"}, 400)
        token = self._new_token()
        return json_answer({"access_token": token, "token_type": "bearer", "expires_in": _LIFE})

    def _new_token(self) -> str:
        token = f"adobe-test-token-{len(self._tokens) + 1}-{self._now()}"
        self._tokens[token] = self._now() + _LIFE
        return token

    def _check_signature(self, asked: Asked, oauth: dict[str, str]) -> Response | None:
        given = {name: unquote(value) for name, value in oauth.items()}
        signature = given.pop("oauth_signature", "")
        if given.get("oauth_signature_method") != "HMAC-SHA256":
            return _no("signature_method_rejected", 400)
        if given.get("oauth_consumer_key") != self.integration["consumer_key"]:
            return _no("A consumer with the specified key does not exist. Verify and try again.")
        if given.get("oauth_token") != self.integration["access_token"]:
            return _no("Specified token does not exist")
        pairs = sorted((_escaped(name), _escaped(value)) for name, value in (*asked.query, *given.items()))
        parameters = "&".join(f"{name}={value}" for name, value in pairs)
        base = "&".join([asked.method, _escaped(f"{self.base_url}{asked.path}"), _escaped(parameters)])
        secrets = "consumer_secret", "access_token_secret"
        key = "&".join(_escaped(self.integration[name]) for name in secrets)
        wanted = base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()
        if signature != wanted:
            return _no("The signature is invalid. Verify and try again.")
        if given["oauth_nonce"] in self._nonces:
            return _no("The nonce is already being used by the consumer with key %1.")
        self._nonces.add(given["oauth_nonce"])
        return None


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")


def _no(message: str, status: int = 401) -> Response:
    return json_answer({"message": message}, status)
