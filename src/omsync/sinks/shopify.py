"""Shopify: quantities go to inventory levels (inventory item and location) through the GraphQL Admin API.

    Shopify("acme", access=ClientCredentials("client id", "client secret"), location="Main street")

Quantities are compared by Shopify before they are set, so an order in between is never overwritten.
See ``docs/carts/shopify.md`` for scopes, outcomes and limits.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from typing import Self
from urllib.parse import quote

from attrs import Attribute, evolve, field, frozen

from omsync import checks
from omsync.errors import SettingsError
from omsync.http.messages import Handler
from omsync.http.network import Network
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps
from omsync.http.tokens import TokenKeeper
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities, SourceMemory
from omsync.sinks import _shopify as api
from omsync.sinks._credentials import address
from omsync.sinks._http import SteppedSink
from omsync.sinks._ids import IdMap
from omsync.sinks._shopify_access import ClientCredentials, RefreshToken, StaticToken
from omsync.sinks._shopify_door import Door
from omsync.sinks._shopify_points import PLANS, WRITE_POINTS, Meter
from omsync.sinks._shopify_pushing import set_quantities
from omsync.sinks._shopify_reading import MOST_ITEMS, Reader, Seen
from omsync.sinks._shopify_rows import (
    MAX_QUANTITY,
    Row,
    Sending,
    contradicted,
    contradictions,
    renamed,
    result_of,
)
from omsync.sinks._shopify_terms import Terms

__all__ = ["ClientCredentials", "RefreshToken", "Shopify", "StaticToken"]

_OLDEST = "2026-04"


def _shop_name(instance: object, attribute: Attribute[str], value: object) -> None:
    if not (isinstance(value, str) and re.fullmatch(r"[a-z0-9][a-z0-9-]*", value)):
        raise SettingsError(
            f"{type(instance).__name__}.{attribute.name} must be the part of the shop's address before "
            ".myshopify.com, in small letters",
            code="bad_address",
            remedy="Write 'acme' for acme.myshopify.com, whatever address shoppers use.",
        )


def _version(instance: object, attribute: Attribute[str], value: object) -> None:
    if not (isinstance(value, str) and re.fullmatch(r"20\d\d-(01|04|07|10)", value) and value >= _OLDEST):
        raise SettingsError(
            f"{type(instance).__name__}.{attribute.name} must be a version from {_OLDEST} on, such as "
            f"'2026-07', not {checks.shown(value)}",
            code="bad_version",
            remedy="Before 2026-04 Shopify had another way to compare and no idempotency keys.",
        )


def _bare_name(value: object) -> object:
    return value.removesuffix(".myshopify.com") if isinstance(value, str) else value


def _new_key() -> str:
    return uuid.uuid4().hex


@frozen
class Shopify(SteppedSink):
    """A Shopify shop.

    Args:
        shop: The shop's name, the part before ``.myshopify.com``.
        access: ``StaticToken``, ``ClientCredentials`` or ``RefreshToken``.
        location: Id (``gid://shopify/Location/...``) or exact name of the location for rows that name none;
            None for the only one.
        quantity_name: ``"available"``, what shoppers may still buy, or ``"on_hand"``: what stands on the
            shelf, from which Shopify subtracts its open orders and what is reserved or damaged.
        duplicates: When several items share a SKU: ``"refuse"``, or ``"write_all"`` to tell each of them.
        untracked_policy: When the shop does not count an item's stock: ``"skip"``, ``"track"`` (switch
            counting on) or ``"error"``.
        activate: Whether items are stocked at a location where they are not yet, before they are written to.
        service_locations: Whether to write to locations of fulfilment services: ``"skip"`` or ``"write"``,
            for the service's own app.
        lists_all: Whether a read also lists all other items. Costs a point or so an item in every run, and
            is not possible beyond 25,000 items.
        plan: The shop's plan, for the pace until Shopify's first answer says it: ``"standard"``,
            ``"advanced"``, ``"plus"`` or ``"enterprise"``.
        verify_ids: When it is noticed that an item got another SKU between the read and the push of one run:
            ``"before"`` the write, which then does not happen, at a point a row; or ``"after"`` it, by its
            answer, for nothing.
        page_size: Items in one read at most; a read takes fewer where they would cost too many points.
        search_size: SKUs in one search; Shopify does not say how long a search may be.
        max_in_flight: Calls at once.
        version: The version of the Admin API.
        url: Another address than ``https://{shop}.myshopify.com``, such as a proxy's.
        retry: How often and how long to try again.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network.
        new_key: Sets a push apart whose rows have no keys of their own.

    Raises:
        SettingsError: A shop's name or a version that cannot be one.

    Source: the documentation of the GraphQL Admin API, versions 2026-04 to 2026-10.
    """

    shop: str = field(converter=_bare_name, validator=_shop_name)
    access: StaticToken | ClientCredentials | RefreshToken = field(
        kw_only=True, validator=checks.instance_of(StaticToken, ClientCredentials, RefreshToken)
    )
    location: str | None = field(default=None, kw_only=True, validator=checks.optional(checks.text))
    quantity_name: str = field(
        default="available", kw_only=True, validator=checks.one_of("available", "on_hand")
    )
    duplicates: str = field(default="refuse", kw_only=True, validator=checks.one_of("refuse", "write_all"))
    untracked_policy: str = field(
        default="skip", kw_only=True, validator=checks.one_of("skip", "track", "error")
    )
    activate: bool = field(default=False, kw_only=True, validator=checks.flag)
    service_locations: str = field(default="skip", kw_only=True, validator=checks.one_of("skip", "write"))
    lists_all: bool = field(default=False, kw_only=True, validator=checks.flag)
    plan: str = field(default="standard", kw_only=True, validator=checks.one_of(*PLANS))
    verify_ids: str = field(default="before", kw_only=True, validator=checks.one_of("before", "after"))
    page_size: int = field(
        default=MOST_ITEMS, kw_only=True, validator=checks.whole(minimum=1, maximum=MOST_ITEMS)
    )
    search_size: int = field(default=50, kw_only=True, validator=checks.whole(minimum=1, maximum=MOST_ITEMS))
    max_in_flight: int = field(default=4, kw_only=True, validator=checks.whole(minimum=1, maximum=20))
    version: str = field(default="2026-07", kw_only=True, validator=_version)
    url: str | None = field(default=None, kw_only=True, validator=checks.optional(address))
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    handler: Handler | None = field(default=None, kw_only=True, repr=False)
    new_key: Callable[[], str] = field(default=_new_key, kw_only=True, repr=False)
    ids: IdMap = field(factory=IdMap, kw_only=True, eq=False, repr=False)
    keeper: TokenKeeper = field(factory=TokenKeeper, kw_only=True, eq=False, repr=False)
    meter: Meter = field(kw_only=True, eq=False, repr=False)
    seen: Seen = field(factory=Seen, kw_only=True, eq=False, repr=False)

    @meter.default
    def _meter(self) -> Meter:
        # Defaults are made before validators speak; an unknown plan is refused right after.
        return Meter(PLANS.get(self.plan, PLANS["standard"]), self.version)

    @property
    def capabilities(self) -> SinkCapabilities:
        """What Shopify can do."""
        return SinkCapabilities(
            destination=f"shopify at {self.shop}.myshopify.com",
            quantity_meaning=self.quantity_name,
            lists_all=self.lists_all,
            locations="optional",
            max_rows=MOST_ITEMS * self.max_in_flight,
            rows_per_call=MOST_ITEMS,
            atomicity="call",
            compare_and_set="cas",
            completion="immediate",
            idempotency_keys=True,
            max_in_flight=self.max_in_flight,
            calls_per_second=PLANS[self.plan] / WRITE_POINTS,
            max_quantity=MAX_QUANTITY,
            untracked_policy=self.untracked_policy,
        )

    def remembering(self, memory: SourceMemory | None, /) -> Self:
        """Give this sink for one run, which keeps item ids in the ledger's memory."""
        ids = IdMap(memory, f"ids of {self.capabilities.destination}")
        return evolve(self, ids=ids, seen=Seen())

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Read what the shop shows at each of its locations, as steps.

        Items whose ids an earlier run has learned are read by id, the others are searched for; with
        ``lists_all`` every item is listed by name first, and none is searched for. Each figure is given
        under every way in which a row may name its location: the id, the exact name, and ``None`` for the
        sink's own location (left out while that is undecided). A location where the item is not stocked has
        no figure.
        """
        self.seen.shop = None  # a sink may live long, and locations change
        reader = self._reader(self._door)
        terms = self._terms((yield from reader.shop()))
        wanted = list(dict.fromkeys(listing_skus))
        for sku in wanted:
            self.seen.moved.pop(sku, None)
        others: list[api.Item] = []
        if self.lists_all:
            others = yield from reader.list_all(wanted)
        else:
            yield from reader.look_up(wanted)
        shown = [one for sku in wanted for one in terms.listings(sku, self.seen.items[sku])]
        return shown + [
            CartListing(listing_sku=sku, state=terms.state([] if item.twins else [item]))
            for sku, item in {item.sku: item for item in others}.items()
        ]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Refuse what must not be sent, set the rest, as steps; SKUs not read before are looked up first.

        Items that were read are asked for their SKUs once more, unless ``verify_ids`` is ``"after"``.

        Raises:
            SettingsError: A row names no location and the shop has several, or the sink's is unknown.
            RefusedError: The shop refused the batch, and nothing of it was written.
            TransientError: Nobody knows whether the batch was written.
        """
        if not changes:
            return []
        door = self._door
        reader = self._reader(door)
        shop = yield from reader.shop()
        terms = self._terms(shop)
        if terms.target is None and any(change.location_id is None for change in changes):
            raise SettingsError(
                f"{self.capabilities.destination} has no single location, and rows name none; "
                f"it has {shop.choices}",
                code="choose_cart_location",
                remedy="Give Shopify(location=...) one of them, or send a breakdown with a location_map.",
            )
        wanted = dict.fromkeys(change.listing_sku for change in changes)
        new = [sku for sku in wanted if sku not in self.seen.items]
        if self.verify_ids == "before":
            yield from reader.check(sku for sku in wanted if sku in self.seen.items)
        yield from reader.look_up(new)
        sorted_out = [self._sort_out(terms, change) for change in changes]
        rows = [row for row in sorted_out if isinstance(row, Row)]
        clash = contradictions(rows)
        targets = [one for row in rows for one in row.targets if one.place not in clash]
        answers = yield from set_quantities(door, reader, targets, self._sending(changes))
        results: list[PushResult] = []
        for row in sorted_out:
            if isinstance(row, PushResult):
                results.append(row)
            elif any(one.place in clash for one in row.targets):
                results.append(contradicted(row.change))
            else:
                results.append(result_of(row, answers))
        return results

    def _sort_out(self, terms: Terms, change: QuantityChange) -> Row | PushResult:
        """Give the row to write, or the reason why it is not sent; its plan may have meant another item."""
        one = terms.sort_out(change, self.seen.items[change.listing_sku])
        moved = self.seen.moved.get(change.listing_sku)
        return renamed(change, moved) if moved and isinstance(one, Row) else one

    @property
    def _door(self) -> Door:
        return Door(
            address=(self.url or f"https://{self.shop}.myshopify.com").rstrip("/"),
            version=self.version,
            access=self.access,
            keeper=self.keeper,
            meter=self.meter,
            line=Line(
                account=self.capabilities.destination,
                retry=self.retry,
                network=self.network,
                judge=self.meter.judge,
                foresee=self.meter.foresee,
                max_in_flight=self.max_in_flight,
                handler=self.handler,
            ),
        )

    def _reader(self, door: Door) -> Reader:
        return Reader(
            door=door,
            ids=self.ids,
            seen=self.seen,
            names=("available",) if self.quantity_name == "available" else ("available", "on_hand"),
            page_size=self.page_size,
            search_size=self.search_size,
        )

    def _terms(self, shop: api.Shop) -> Terms:
        return Terms(
            shop=shop,
            target=self._target(shop),
            quantity_name=self.quantity_name,
            write_all=self.duplicates == "write_all",
            untracked_policy=self.untracked_policy,
            activate=self.activate,
            write_services=self.service_locations == "write",
        )

    def _target(self, shop: api.Shop) -> str | None:
        """Give the location of rows that name none; None while that is undecided."""
        if not shop.active:
            raise SettingsError(
                f"{self.capabilities.destination} has no location that is open",
                code="no_cart_location",
                remedy="Open one in the shop's settings, under Locations.",
            )
        if self.location is None:
            return shop.own[0] if len(shop.own) == 1 else None
        target = shop.names.get(self.location)
        if target is None:
            raise SettingsError(
                f"{self.capabilities.destination} has no one location {self.location!r}; "
                f"it has {shop.choices}",
                code="unknown_cart_location",
                remedy="Give the id or the exact name of one of them.",
            )
        return target

    def _sending(self, changes: Sequence[QuantityChange]) -> Sending:
        run = changes[0].key.partition(":")[0]
        keyed = all(change.key for change in changes)
        salt = "" if keyed else self.new_key()
        return Sending(
            name=self.quantity_name,
            salt=salt,
            reference=f"gid://omsync/SyncRun/{quote(run, safe='')}" if run else f"gid://omsync/Push/{salt}",
        )
