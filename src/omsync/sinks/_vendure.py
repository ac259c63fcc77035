"""Vendure's Admin API as conversations: each is one page or one batch of GraphQL over HTTP."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from attrs import field, frozen

from omsync.errors import RefusedError, UnauthorizedError
from omsync.http.messages import Conversation, Request, Response
from omsync.http.tokens import Token
from omsync.sinks._graphql import faults_of
from omsync.sinks._http import Wire
from omsync.sinks._vendure_answers import data_of, unknown_channel

__all__ = [
    "Access",
    "Entry",
    "Level",
    "Shop",
    "Variant",
    "Written",
    "find",
    "identify",
    "log_in",
    "look_around",
    "name_page",
    "write",
]

LOG_IN = """mutation omsyncLogIn($username: String!, $password: String!) {
  login(username: $username, password: $password) {
    __typename ... on CurrentUser { id } ... on ErrorResult { errorCode message }
  }
}"""
LOOK_AROUND = """query omsyncLookAround($skip: Int!) {
  activeChannel { token code }
  globalSettings { trackInventory }
  stockLocations(options: {skip: $skip, sort: {id: ASC}}) { totalItems items { id name } }
}"""
FIND = """query omsyncFind($skus: [String!]!, $skip: Int!) {
  productVariants(options: {filter: {sku: {in: $skus}}, skip: $skip, sort: {id: ASC}}) {
    totalItems
    items { id sku enabled trackInventory stockLevels { stockLocationId stockOnHand stockAllocated } }
  }
}"""
IDENTIFY = """query omsyncIdentify($skus: [String!]!, $skip: Int!) {
  productVariants(options: {filter: {sku: {in: $skus}}, skip: $skip, sort: {id: ASC}}) {
    totalItems items { id sku enabled trackInventory }
  }
}"""
NAMES = """query omsyncNames($skip: Int!) {
  productVariants(options: {skip: $skip, sort: {id: ASC}}) {
    totalItems items { id sku enabled trackInventory }
  }
}"""
WRITE = """mutation omsyncWrite($input: [UpdateProductVariantInput!]!) {
  updateProductVariants(input: $input) {
    id sku stockLevels { stockLocationId stockOnHand stockAllocated }
  }
}"""


@frozen(kw_only=True)
class Access:
    """Where a shop is and as whom it is asked."""

    url: str
    headers: Mapping[str, str] = field(factory=dict, repr=False)

    def ask(self, query: str, **variables: Any) -> Request:
        """Make the request for one GraphQL operation; each of ours may be repeated."""
        return Request(
            method="POST", url=self.url, headers=self.headers, body={"query": query, "variables": variables}
        )

    def plus(self, **headers: str) -> Access:
        """Add headers; underscores stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Access(url=self.url, headers={**self.headers, **named})


@frozen(kw_only=True)
class Level:
    """Units of one variant at one stock location."""

    on_hand: int = 0
    allocated: int = 0


@frozen(kw_only=True)
class Variant:
    """A product variant; several may share one SKU."""

    id: str
    sku: str
    enabled: bool
    tracking: str
    levels: Mapping[str, Level] = field(factory=dict)


@frozen(kw_only=True)
class Shop:
    """What has to be known of a shop before its variants mean anything.

    Args:
        access: The way in, with credentials.
        locations: The channel's stock locations, name by id.
        tracks_by_default: The global setting behind ``INHERIT``.
    """

    access: Access
    locations: Mapping[str, str]
    tracks_by_default: bool

    def tracks(self, variant: Variant) -> bool:
        """Tell whether the variant's stock decides what can be bought."""
        return variant.tracking == "TRUE" or (variant.tracking == "INHERIT" and self.tracks_by_default)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The location id by every id and exact name that means one location only."""
        meant: defaultdict[str, set[str]] = defaultdict(set)
        for key, name in self.locations.items():
            meant[key].add(key)
            meant[name].add(key)
        return {wanted: min(keys) for wanted, keys in meant.items() if wanted and len(keys) == 1}

    @property
    def choices(self) -> str:
        """The locations, for messages."""
        return ", ".join(f"{name!r} (id {key})" for key, name in self.locations.items()) or "none"


@frozen(kw_only=True)
class Entry:
    """One variant of a write: on hand by location id, and whether tracking is switched on."""

    variant_id: str
    on_hand: Mapping[str, int]
    track: bool = False

    @property
    def wire(self) -> dict[str, Any]:
        """The entry as Vendure's ``UpdateProductVariantInput``."""
        levels = [{"stockLocationId": key, "stockOnHand": units} for key, units in self.on_hand.items()]
        tracking = {"trackInventory": "TRUE"} if self.track else {}
        return {"id": self.variant_id, **tracking, "stockLevels": levels}


@frozen(kw_only=True)
class Written:
    """What a write came to: levels by (variant id, location id) as answered, and variants that have gone."""

    levels: Mapping[tuple[str, str], Level]
    gone: frozenset[str] = frozenset()


def log_in(access: Access, username: str, password: str) -> Conversation[Token]:
    """Log in; give the session's token, which is good until the shop refuses it."""
    response = yield access.ask(LOG_IN, username=username, password=password)
    result = data_of(response).field("login")
    if result.field("__typename").text() != "CurrentUser":
        said = result.get("message")
        raise UnauthorizedError(
            f"{response.place}: the login of {username!r} was refused: {said.text() if said else ''}",
            remedy="Check the user name and the password of the Vendure administrator.",
        )
    token = response.headers.get("vendure-auth-token")
    if not token:
        raise RefusedError(
            f"{response.place}: logged in, but no vendure-auth-token header came back",
            code="no_session_token",
            remedy="Add 'bearer' to authOptions.tokenMethod in the shop's configuration, or use an API key.",
        )
    return Token(value=token)


def look_around(access: Access, channel: str | None = None) -> Conversation[Shop]:
    """Read the channel's stock locations and the global settings; make sure that it is the channel asked for.

    Vendure ignores an unknown channel token while it has only one channel, and the wrong one would answer.
    """
    locations: dict[str, str] = {}
    while True:
        response = yield access.ask(LOOK_AROUND, skip=len(locations))
        data = data_of(response)
        active = data.field("activeChannel")
        if channel is not None and active.field("token").text() != channel:
            unknown_channel(response, f"answered for {active.field('code').text()!r} instead")
        tracks = data.field("globalSettings").field("trackInventory").flag()
        page = data.field("stockLocations")
        found = {_id(row): row.field("name").text() for row in page.field("items").rows()}
        locations |= found
        if not found or len(locations) >= page.field("totalItems").whole():
            return Shop(access=access, locations=locations, tracks_by_default=tracks)


def find(access: Access, skus: Sequence[str]) -> Conversation[list[Variant]]:
    """Look variants up by SKU, with their stock levels; several variants may share a SKU."""
    return _matching(access, FIND, skus)


def identify(access: Access, skus: Sequence[str]) -> Conversation[list[Variant]]:
    """Look variants up by SKU, without their stock levels, which cost the shop one query a variant."""
    return _matching(access, IDENTIFY, skus)


def _matching(access: Access, query: str, skus: Sequence[str]) -> Conversation[list[Variant]]:
    """Read all pages of a look-up.

    No ``take`` is sent, so that the server's own limit holds, and SKUs are compared again here, since some
    databases ignore letter case.
    """
    wanted = frozenset(skus)
    found: list[Variant] = []
    while True:
        response = yield access.ask(query, skus=list(skus), skip=len(found))
        page = data_of(response).field("productVariants")
        rows = [_variant(row) for row in page.field("items").rows()]
        found += rows
        if not rows or len(found) >= page.field("totalItems").whole():
            return [variant for variant in found if variant.sku in wanted]


def name_page(access: Access, skip: int) -> Conversation[tuple[list[Variant], int]]:
    """Read one page of all variants, without their stock levels; and how many variants there are."""
    response = yield access.ask(NAMES, skip=skip)
    page = data_of(response).field("productVariants")
    return [_variant(row) for row in page.field("items").rows()], page.field("totalItems").whole()


def write(access: Access, entries: Iterable[Entry]) -> Conversation[Written]:
    """Write one batch, for Vendure one transaction; a variant that it names as gone is dropped."""
    left = {entry.variant_id: entry for entry in entries}
    gone: set[str] = set()
    while left:
        response = yield write_request(access, left.values())
        missing = _named(response, left)
        if missing is None:
            rows = data_of(response, refusal="row_refused").field("updateProductVariants").rows()
            levels = {(_id(row), key): level for row in rows for key, level in _levels(row).items()}
            return Written(levels=levels, gone=frozenset(gone))
        gone.add(missing)
        del left[missing]
    return Written(levels={}, gone=frozenset(gone))


def write_request(access: Access, entries: Iterable[Entry]) -> Request:
    """Make the request that writes these entries."""
    return access.ask(WRITE, input=[entry.wire for entry in entries])


def _named(response: Response, entries: Mapping[str, Entry]) -> str | None:
    """Give the variant that the shop says it does not have; messages are translated, ids are not."""
    for fault in faults_of(response):
        if fault.code == "ENTITY_NOT_FOUND":
            return next((key for key in re.findall('"([^"]*)"', fault.message) if key in entries), None)
    return None


def _id(row: Wire) -> str:
    return row.field("id").text()


def _variant(row: Wire) -> Variant:
    return Variant(
        id=_id(row),
        sku=row.field("sku").text(),
        enabled=row.field("enabled").flag(),
        tracking=row.field("trackInventory").one_of("TRUE", "FALSE", "INHERIT"),
        levels=_levels(row) if row.get("stockLevels") else {},
    )


def _levels(row: Wire) -> dict[str, Level]:
    return {
        level.field("stockLocationId").text(): Level(
            on_hand=level.field("stockOnHand").whole(), allocated=level.field("stockAllocated").whole()
        )
        for level in row.field("stockLevels").rows()
    }
