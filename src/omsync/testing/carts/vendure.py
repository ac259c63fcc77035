"""A Vendure shop in memory: its Admin API as far as stock goes.

    shop = VendureShop(locations=["Main", "East"])
    shop.add("TEE-S", {"Main": 10, "East": 5})
    cart = Vendure("https://shop.example", api_key=shop.api_key, location="Main", handler=shop.handle)

It answers as a running Vendure 3.7 did: wrong credentials and missing permissions alike, with HTTP 200; a
batch is one transaction; SKUs are not unique; negative quantities are taken; the last of two rows wins; a
body over the limit is an HTTP 500 with an empty message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from omsync.http.messages import Response
from omsync.testing.carts._vendure_language import Operation
from omsync.testing.carts._vendure_operations import Visit, carry_out
from omsync.testing.carts._vendure_schema import read
from omsync.testing.carts._vendure_state import Channel, Grant, Level, State
from omsync.testing.carts._vendure_values import Refusal
from omsync.testing.carts.platform import Asked, Platform, json_answer

__all__ = ["VendureShop"]


class VendureShop(Platform):
    """The shop; a location is named by its name or id, the first one is the default.

    Args:
        locations: Names of its stock locations.
        api_key: A key that may read and update the catalogue, in the default channel.
        username: The name of the administrator who may do everything.
        password: Its password.
        token_methods: How callers may show who they are; without ``"bearer"`` a login gives no token.
        list_limit: Rows in one page at most, and as many as there are when none are asked for.
        body_limit: Bytes in one request at most.
        foreign_keys: Whether the database refuses a stock location that there is not; with Vendure's sql.js
            driver it does not.
        ignores_case: Whether the database ignores letter case when it looks SKUs up.
        now: As for every platform; Vendure itself limits no rate.
    """

    def __init__(
        self,
        *,
        locations: Iterable[str] = ("Default Stock Location",),
        api_key: str = "vendure-test-key",
        username: str = "superadmin",
        password: str = "only-for-tests",  # noqa: S107  an invented one
        token_methods: Iterable[str] = ("bearer", "api-key"),
        list_limit: int = 1000,
        body_limit: int = 102_400,
        foreign_keys: bool = True,
        ignores_case: bool = False,
        now: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(now=now)
        self.api_key = api_key
        self.username = username
        self.password = password
        self.token_methods = frozenset(token_methods)
        self.list_limit = list_limit
        self.body_limit = body_limit
        self.foreign_keys = foreign_keys
        self.ignores_case = ignores_case
        self._state = State()
        for name in locations:
            self.add_location(name)
        self.add_api_key(api_key)
        self._state.passwords[username] = (password, Grant(username))

    # Setting it up

    @property
    def tracks_by_default(self) -> bool:
        """The global setting: whether variants that inherit have their stock tracked."""
        return self._state.tracks_by_default

    @tracks_by_default.setter
    def tracks_by_default(self, tracks: bool) -> None:
        self._state.tracks_by_default = tracks

    def add(
        self,
        sku: str,
        quantity: int | Mapping[str, int] = 0,
        *,
        tracking: str = "INHERIT",
        enabled: bool = True,
    ) -> str:
        """Add a variant and give its id; the same SKU again makes another variant.

        Args:
            sku: Its SKU.
            quantity: Units on hand at the first location, or by location. It has a level of 0 at every other
                location that there is, and none at one that is added later.
            tracking: ``"TRUE"``, ``"FALSE"``, or ``"INHERIT"`` for the global setting.
            enabled: Whether it is on sale.
        """
        variant = self._state.add_variant(sku, enabled=enabled, tracking=tracking)
        for place, units in (quantity if isinstance(quantity, Mapping) else {None: quantity}).items():
            variant.levels[self._state.location(place).id] = Level(units)
        return variant.id

    def remove(self, sku: str) -> None:
        """Delete a variant."""
        del self._state.variants[self._state.variant(sku).id]

    def add_location(self, name: str) -> str:
        """Add a stock location and give its id; no variant has a level there yet."""
        return self._state.add_location(name).id

    def add_channel(self, token: str, *, skus: Iterable[str] = (), locations: Iterable[str] = ()) -> None:
        """Add a channel that sells some variants from some locations, and give the variants levels there."""
        variants = [self._state.variant(sku) for sku in skus]
        places = {self._state.location(place).id for place in locations}
        self._state.channels.append(Channel(token, token, {one.id for one in variants}, places))
        for variant in variants:
            variant.levels |= {place: Level() for place in places if place not in variant.levels}

    def add_api_key(
        self,
        key: str,
        *,
        permissions: Iterable[str] = ("ReadCatalog", "UpdateCatalog", "ReadStockLocation"),
        channel: str | None = None,
    ) -> None:
        """Add an API key.

        Args:
            key: The key.
            permissions: What its role may do.
            channel: The token of the channel where it may do that; the default channel when left out.
        """
        token = self._state.channels[0].token if channel is None else channel
        self._state.keys[key] = Grant("key", frozenset(permissions), frozenset({token}))

    def end_sessions(self) -> None:
        """Take every login back, as the shop does after a while."""
        self._state.sessions.clear()

    # Looking, buying

    def location(self, name: str) -> str:
        """Give the id of a stock location."""
        return self._state.location(name).id

    def variant_id(self, sku: str) -> str:
        """Give the id of a variant."""
        return self._state.variant(sku).id

    def quantity(self, sku: str, location: str | None = None) -> int | None:
        """Give the units on hand, those of open orders included; None while there is no level.

        Args:
            sku: The variant's SKU, or its id where several share the SKU.
            location: Where.

        Raises:
            LookupError: There is no such variant or location, or several variants have the SKU.
        """
        level = self._state.variant(sku).levels.get(self._state.location(location).id)
        return None if level is None else level.on_hand

    def allocated(self, sku: str, location: str | None = None) -> int:
        """Give the units that open orders hold."""
        level = self._state.variant(sku).levels.get(self._state.location(location).id)
        return 0 if level is None else level.allocated

    def buyable(self, sku: str) -> int:
        """Give what shoppers may still buy: on hand less allocated, over all locations."""
        return sum(level.on_hand - level.allocated for level in self._state.variant(sku).levels.values())

    def tracks(self, sku: str) -> bool:
        """Tell whether the variant's stock counts."""
        tracking = self._state.variant(sku).tracking
        return tracking == "TRUE" or (tracking == "INHERIT" and self.tracks_by_default)

    def sell(self, sku: str, units: int, location: str | None = None) -> None:
        """Take a paid order: its units are allocated, and stay on hand until they are shipped."""
        self._level(sku, location).allocated += units

    def ship(self, sku: str, units: int, location: str | None = None) -> None:
        """Ship an order: its units are neither on hand nor allocated any more."""
        level = self._level(sku, location)
        level.on_hand -= units
        level.allocated -= units

    def _level(self, sku: str, location: str | None) -> Level:
        return self._state.variant(sku).levels.setdefault(self._state.location(location).id, Level())

    # Answering

    def answer(self, asked: Asked) -> Response:
        """Do what Vendure does."""
        if asked.path.rstrip("/") != "/admin-api":
            return _plain(404, f"Cannot {asked.method} {asked.path}", asked)
        if len(asked.content) > self.body_limit:
            return _plain(500, "", asked)
        try:
            body = asked.json()
        except ValueError as error:
            return _plain(400, str(error), asked)
        try:
            operation, variables = read(body)
            return self._carried_out(asked.headers, operation, variables)
        except Refusal as refusal:
            return _refused(refusal)

    def _carried_out(
        self, headers: Mapping[str, str], operation: Operation, variables: Mapping[str, Any]
    ) -> Response:
        channel, token = self._channel(headers.get("vendure-token")), _bearer(headers)
        if channel is None:
            said = f'No Channel with the token "{headers["vendure-token"]}" could be found'
            raise Refusal(said, "CHANNEL_NOT_FOUND", field=operation.fields[0].alias)
        visit = Visit(
            state=self._state,
            channel=channel,
            grant=self._grant(headers, token),
            token=token,
            list_limit=self.list_limit,
            foreign_keys=self.foreign_keys,
            ignores_case=self.ignores_case,
        )
        data = carry_out(visit, operation, variables)
        began = {"vendure-auth-token": visit.token} if visit.token != token else {}
        return json_answer({"data": data}, headers=began if "bearer" in self.token_methods else {})

    def _channel(self, wanted: str | None) -> Channel | None:
        """Find the channel that a request names; while there is only one, every name means it."""
        channels = self._state.channels
        if not wanted or len(channels) == 1:
            return channels[0]
        return next((one for one in channels if one.token == wanted), None)

    def _grant(self, headers: Mapping[str, str], token: str) -> Grant | None:
        if "bearer" in self.token_methods and token in self._state.sessions:
            return self._state.sessions[token]
        key = headers.get("vendure-api-key", "")
        return self._state.keys.get(key) if "api-key" in self.token_methods else None


def _bearer(headers: Mapping[str, str]) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token if kind == "Bearer" else ""


def _refused(refusal: Refusal) -> Response:
    """Give an answer of errors; one of a field that was reached has a place, and data that are null."""
    fault: dict[str, Any] = {"message": refusal.message}
    if refusal.field:
        fault["path"] = [refusal.field]
    if refusal.code is not None:
        fault["extensions"] = {"code": refusal.code}
    return json_answer({"errors": [fault], **({"data": None} if refusal.field else {})}, refusal.status)


def _plain(status: int, message: str, asked: Asked) -> Response:
    """Give an answer from before GraphQL."""
    return json_answer({"statusCode": status, "message": message, "path": asked.path}, status)
