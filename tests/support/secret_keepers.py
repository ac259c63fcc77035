"""Every source and sink that holds a secret, and a search for secrets in whatever is shown or kept."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import attrs
from conformance_bench import ONCE
from conformance_benches import BENCHES

from omsync.secrets import Secret
from omsync.sinks.adobe_commerce import AdminLogin, AdobeCommerce, BearerToken, ServerToServer
from omsync.sinks.medusa import Medusa
from omsync.sinks.shopify import ClientCredentials, RefreshToken, Shopify
from omsync.sinks.vendure import Vendure
from omsync.sinks.woocommerce import WooCommerce
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.sources.integration_manager import IntegrationManager
from omsync.sources.tryton import Tryton
from omsync.testing import OrderManagerSandbox, demo_merchant

__all__ = ["SINKS", "SOURCES", "Keeper", "disguised", "secrets_of", "written"]

Keeper = Callable[[Path], Any]
URL = "https://shop.example"
_TELLING = 7
"""Shorter pieces of what is encoded may come about by chance."""
_WITHOUT = ("edi", "csv", "jsonl")
"""Files have no secrets."""


def _on_the_bench(name: str, folder: Path) -> Any:
    return BENCHES[name](folder, 0).sink


def _adobe(access: Any, _: Path) -> AdobeCommerce:
    return AdobeCommerce(URL, access=access, location="default", retry=ONCE)


def _shopify(access: Any, _: Path) -> Shopify:
    return Shopify("acme", access=access, location="Main", retry=ONCE)


def _extensiv(_: Path) -> ExtensivOrderManager:
    sandbox = OrderManagerSandbox(demo_merchant())
    return ExtensivOrderManager(sandbox.token, handler=sandbox.handle, retry=ONCE)


SINKS: Mapping[str, Keeper] = {
    **{name: partial(_on_the_bench, name) for name in BENCHES if not name.startswith(_WITHOUT)},
    "adobe commerce, token": partial(_adobe, BearerToken("adobe-bearer-1")),
    "adobe commerce, login": partial(_adobe, AdminLogin(username="admin", password="adobe-password-1")),
    "adobe commerce, cloud": partial(
        _adobe, ServerToServer(client_id="cloud", client_secret="adobe-secret-1", organization="x@AdobeOrg")
    ),
    "shopify, credentials": partial(_shopify, ClientCredentials("client", "shopify-secret-1")),
    "shopify, refreshed": partial(
        _shopify, RefreshToken("client", "shopify-secret-1", "shopify-refresh-1", print)
    ),
    "vendure, login": lambda _: Vendure(URL, username="admin", password="vendure-password-1", retry=ONCE),
    "medusa, login": lambda _: Medusa(URL, email="a@shop.example", password="medusa-password-1", retry=ONCE),
    "woocommerce, query": lambda _: WooCommerce(URL, key="ck_k", secret="cs_s", auth="query", retry=ONCE),
    "woocommerce, signed": lambda _: WooCommerce(URL, key="ck_k", secret="cs_s", auth="oauth1", retry=ONCE),
}

SOURCES: Mapping[str, Keeper] = {
    "extensiv": _extensiv,
    "integration manager": lambda _: IntegrationManager(api_user="u", api_key="im-key-123456", retry=ONCE),
    "tryton, login": lambda _: Tryton(URL, "acme", user="omsync", password="tryton-password-1", retry=ONCE),
    "tryton, key": lambda _: Tryton(URL, "acme", key="tryton-key-123456", retry=ONCE),
}


def disguised(value: Any) -> Any:
    """Give a copy of a source or sink whose secrets occur nowhere else."""
    changes: dict[str, Any] = {}
    for attribute in attrs.fields(type(value)):
        held = getattr(value, attribute.name)
        if isinstance(held, Secret):
            changes[attribute.name] = Secret(f"hush+{attribute.name}/7f3a91c2==")
        elif attribute.name == "access" and attrs.has(type(held)):
            changes[attribute.name] = disguised(held)
    return attrs.evolve(value, **changes)


def secrets_of(value: Any) -> set[str]:
    """Find the secrets in a source or sink: what it was given, and what it was granted."""
    found: set[str] = set()
    for attribute in attrs.fields(type(value)):
        held = getattr(value, attribute.name)
        if isinstance(held, Secret):
            found.add(held.reveal())
        elif attribute.name == "keeper":
            token = held.current()
            # What signs its requests keeps a word instead of a token.
            found |= {token.value.reveal()} - {"signed"} if token is not None else set()
        elif attribute.name == "access" and attrs.has(type(held)):
            found |= secrets_of(held)
    return found


def written(secrets: Iterable[str]) -> Iterator[str]:
    """Give every way in which secrets may be written: plain, in an address, as basic authorization."""
    for secret in secrets:
        yield from {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
        encoded = secret.encode()
        # Wherever it stands in what is encoded, some letters in its middle come out as one of these.
        middles = (base64.b64encode(encoded[start:])[4:-4].decode() for start in range(3))
        yield from (middle for middle in middles if len(middle) > _TELLING)
