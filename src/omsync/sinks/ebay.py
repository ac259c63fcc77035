"""eBay: quantities go to inventory items and to the offers that show them, through the Sell Inventory API.

    Ebay(client_id="...", client_secret="...", refresh_token="...")

A shopper sees the smaller of the item's quantity and the offer's, so both are written. See
``docs/carts/ebay.md``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from omsync import checks
from omsync.errors import OmsyncError
from omsync.http.clock import Clock, SystemClock
from omsync.http.messages import Conversation, Handler
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps
from omsync.http.tokens import Token, TokenKeeper
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities, SourceMemory
from omsync.secrets import Secret, as_secret
from omsync.sinks import _ebay as api
from omsync.sinks._credentials import address, given, secret
from omsync.sinks._ebay_budget import Budget
from omsync.sinks._ebay_pushing import (
    Known,
    Outcome,
    Rules,
    entries_of,
    outcome_of,
    spent,
    within_budget,
    write,
)
from omsync.sinks._granted import Ask, Granted, rate
from omsync.sinks._http import SteppedSink, packed, results_of, starts_of_pages
from omsync.sinks._ids import IdMap

__all__ = ["Ebay"]

_ROWS = 200
_ITEMS_A_CALL = 25
_ROUNDS = 3
_MAX_QUANTITY = 2**31 - 1


def _names(value: Iterable[str] | None) -> frozenset[str] | None:
    return None if value is None else frozenset(value)


@frozen
class Ebay(SteppedSink):
    """One seller's account on eBay.

    Args:
        client_id: The application's id.
        client_secret: The application's secret.
        refresh_token: The seller's, with the scope ``sell.inventory``; good for 18 months.
        url: Another environment, such as the vendor's sandbox.
        account: A name for messages and the ledger, where you sync several sellers.
        marketplaces: Write only to offers in these, such as ``{"EBAY_US"}``; None for all. The item's own
            quantity is one for all of them.
        skus_per_call: SKUs in one bulk update; eBay's texts disagree on 25 or 1, so 25 falls back to 1.
        lists_all: Read all items, 200 a call, instead of 25 a call those that are asked for.
        offers_good_for: Days after which the offers of a SKU are looked up anew, each SKU on its own day, so
            that an offer made since, in another marketplace, is found.
        revisions_per_day: How often eBay lets one listing be revised on one day (UTC).
        kept_for_falls: Of those, the last ones, which only a falling quantity may use.
        out_of_stock_control: Whether the account keeps a listing at 0 instead of ending it.
        calls_per_second: eBay states only a daily quota.
        retry: How often and how long to try again.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network.

    Raises:
        SettingsError: Credentials that cannot be some.

    Source: eBay's Sell Inventory API 1.18.4.
    """

    client_id: str = field(kw_only=True, validator=checks.text)
    client_secret: Secret = field(kw_only=True, converter=as_secret, repr=False, validator=[given, secret])
    refresh_token: Secret = field(kw_only=True, converter=as_secret, repr=False, validator=[given, secret])
    url: str = field(default="https://api.ebay.com", kw_only=True, validator=address)
    account: str = field(default="", kw_only=True, validator=checks.any_text)
    marketplaces: frozenset[str] | None = field(default=None, kw_only=True, converter=_names)
    skus_per_call: int = field(
        default=25, kw_only=True, validator=checks.whole(minimum=1, maximum=_ITEMS_A_CALL)
    )
    lists_all: bool = field(default=False, kw_only=True, validator=checks.flag)
    offers_good_for: int = field(default=7, kw_only=True, validator=checks.whole(minimum=1))
    revisions_per_day: int = field(default=250, kw_only=True, validator=checks.whole(minimum=1))
    kept_for_falls: int = field(default=25, kw_only=True, validator=checks.whole(minimum=0))
    out_of_stock_control: bool = field(default=False, kw_only=True, validator=checks.flag)
    calls_per_second: float = field(default=5.0, kw_only=True, validator=rate)
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    handler: Handler | None = field(default=None, kw_only=True, repr=False)
    clock: Clock = field(factory=SystemClock, kw_only=True, eq=False, repr=False)
    keeper: TokenKeeper = field(factory=TokenKeeper, kw_only=True, eq=False, repr=False)
    ids: IdMap = field(factory=IdMap, kw_only=True, eq=False, repr=False)
    budget: Budget = field(factory=Budget, kw_only=True, eq=False, repr=False)

    def remembering(self, memory: SourceMemory | None, /) -> Self:
        """Begin a run: offers and revisions that the ledger knows are not asked for again."""
        here = self.capabilities.destination
        return evolve(
            self,
            ids=IdMap(memory, f"ids of {here}"),
            budget=self.budget.of_run(memory, f"revisions of {here}"),
        )

    @property
    def capabilities(self) -> SinkCapabilities:
        """What eBay can do."""
        account = f" ({self.account})" if self.account else ""
        return SinkCapabilities(
            destination=f"ebay at {urlsplit(self.url).netloc}{account}",
            lists_all=self.lists_all,
            locations="optional",
            max_rows=_ROWS,
            rows_per_call=self.skus_per_call,
            atomicity="row",
            compare_and_set="blind",
            completion="immediate",
            max_in_flight=2,
            calls_per_second=float(self.calls_per_second),
            zero_ends_listing=not self.out_of_stock_control,
            max_quantity=_MAX_QUANTITY,
        )

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Read items and, where they are not known yet, the offers that show them; as steps.

        An item that no offer shows is not in the cart and is left out. In the run that finds an offer the
        smaller of both quantities is given; later the item's, since omsync writes both alike. Where a write
        was not taken as a whole, the offers are looked up anew.
        """
        found = yield from self._items(listing_skus)
        yield from self.ids.load()
        # An offer never comes to mean another SKU, so an item that is there confirms the offers known of it.
        today = self.clock.now().date()
        remembered = self.ids.remembered(sku for sku in listing_skus if sku in found)
        yield from self.ids.learn(
            {
                sku: text
                for sku, text in remembered.items()
                if not api.due(sku, text, today, self.offers_good_for)
            }
        )
        shown = yield from self._offers(sku for sku in listing_skus if sku in found)
        listings = [
            listing
            for sku in dict.fromkeys(listing_skus)
            if shown.get(sku)
            for listing in _listings(found[sku], shown[sku])
        ]
        asked = set(listing_skus)
        return listings + [CartListing(listing_sku=sku) for sku in found if sku not in asked]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Write both quantities of each SKU, within the listing's budget; as steps.

        Raises:
            UnauthorizedError: The seller's consent has ended, or the scope is missing.
            TransientError: Nobody knows whether anything was written.
        """
        by_sku: defaultdict[str, list[QuantityChange]] = defaultdict(list)
        for change in changes:
            by_sku[change.listing_sku].append(change)
        said: dict[str, Outcome | api.Said | OmsyncError] = {}
        left = set(by_sku)
        for rounds_left in range(_ROUNDS - 1, -1, -1):
            if not left:
                break
            try:
                said.update((yield from self._push_once({sku: by_sku[sku] for sku in by_sku if sku in left})))
            except OmsyncError as error:
                if len(said) < len(by_sku):
                    raise
                said.update(dict.fromkeys(left, error))
                break
            # An offer that was ended and made anew has another id: its SKU is looked up again.
            ended = {sku for sku in left if _says(said[sku], api.NO_OFFER)}
            left = (ended | {sku for sku in left if _says(said[sku], api.BUSY)}) if rounds_left else set()
        return [outcome_of(change, said[change.listing_sku]) for change in changes]

    @property
    def _door(self) -> Granted:
        line = Line(
            account=self.capabilities.destination,
            pace=Pace(per_second=float(self.calls_per_second)),
            retry=self.retry,
            network=self.network,
            judge=api.judge,
            max_in_flight=2,
            handler=self.handler,
        )
        return Granted(line=line, keeper=self.keeper, grant=self._grant)

    def _grant(self) -> Conversation[Token]:
        return api.grant(self.url, self.client_id, self.client_secret.reveal(), self.refresh_token.reveal())

    def _access(self, token: str) -> api.Access:
        return api.Access(url=self.url, token=token)

    def _push_once(
        self, changes: Mapping[str, Sequence[QuantityChange]]
    ) -> Steps[dict[str, Outcome | api.Said | OmsyncError]]:
        known = Known(
            offers=(yield from self._offers(changes)),
            items=(yield from self._items_of(_located(changes))),
        )
        entries = entries_of(changes, known, _MAX_QUANTITY)
        today = self.clock.now().date()
        entries = yield from within_budget(entries, changes, known, self.budget, self._rules, today)
        ready = [entry for entry in entries.values() if isinstance(entry, api.Entry)]
        try:
            answers = (yield from write(self._door, self.url, ready, self.skus_per_call)) if ready else {}
        except OmsyncError:
            yield from self.ids.learn({}, absent=[entry.sku for entry in ready])
            raise
        # Item and offer may differ now, so their offers are looked up with their quantities at the next read.
        yield from self.ids.learn({}, absent=[sku for sku, one in answers.items() if not _taken(one)])
        yield from self.budget.spend(spent(answers, known), today)
        return {
            sku: answers[sku] if isinstance(entry, api.Entry) else entry for sku, entry in entries.items()
        }

    @property
    def _rules(self) -> Rules:
        return Rules(revisions_per_day=self.revisions_per_day, kept_for_falls=self.kept_for_falls)

    def _items(self, skus: Sequence[str]) -> Steps[dict[str, api.Item]]:
        if not self.lists_all:
            return (yield from self._items_of(skus))
        door = self._door
        first, total = yield from door.ask(lambda token: api.items_page(self._access(token), 0))
        offsets = starts_of_pages(len(first), total, place=self.url)
        pages = yield from door.ask_all([self._page(offset) for offset in offsets])
        rows = [*first, *(item for page, _ in results_of(pages) for item in page)]
        found = {item.sku: item for item in rows}
        if len(found) < total:
            # The list shifted while it was read: what it left out may still be there.
            found |= yield from self._items_of(sku for sku in skus if sku not in found)
        return found

    def _page(self, offset: int) -> Ask[tuple[list[api.Item], int]]:
        return lambda token: api.items_page(self._access(token), offset)

    def _items_of(self, skus: Iterable[str]) -> Steps[dict[str, api.Item]]:
        possible = [sku for sku in dict.fromkeys(skus) if len(sku) <= api.LONGEST_SKU]
        pages = packed(possible, lambda _: 1, room=_ITEMS_A_CALL)
        found = yield from self._door.ask_all([self._some(page) for page in pages])
        return {item.sku: item for page in results_of(found) for item in page}

    def _some(self, skus: Sequence[str]) -> Ask[list[api.Item]]:
        return lambda token: api.items(self._access(token), skus)

    def _offers(self, skus: Iterable[str]) -> Steps[dict[str, tuple[api.Offer, ...]]]:
        """Give the offers of items; those that the ledger knows cost no call."""
        yield from self.ids.load()
        today = self.clock.now().date()
        wanted = list(dict.fromkeys(skus))
        confirmed = self.ids.confirmed(wanted)
        known = {sku: api.recalled(text) for sku, text in confirmed.items()}
        new = [sku for sku in wanted if sku not in known]
        found = results_of((yield from self._door.ask_all([self._offers_of(sku) for sku in new])))
        fresh = {sku: tuple(filter(self._is_ours, several)) for sku, several in zip(new, found, strict=True)}
        yield from self.ids.learn(
            {sku: api.kept(several, today) for sku, several in fresh.items() if several},
            absent=[sku for sku, several in fresh.items() if not several],
        )
        return known | fresh

    def _offers_of(self, sku: str) -> Ask[list[api.Offer]]:
        return lambda token: api.offers(self._access(token), sku)

    def _is_ours(self, offer: api.Offer) -> bool:
        return self.marketplaces is None or offer.marketplace in self.marketplaces


def _located(changes: Mapping[str, Sequence[QuantityChange]]) -> list[str]:
    return [sku for sku, rows in changes.items() if any(row.location_id is not None for row in rows)]


def _taken(said: api.Said | OmsyncError) -> bool:
    return isinstance(said, api.Said) and said.ok


def _says(said: Outcome | api.Said | OmsyncError, ids: set[int]) -> bool:
    return isinstance(said, api.Said) and bool(said.ids & ids)


def _listings(item: api.Item, offers: Iterable[api.Offer]) -> Iterator[CartListing]:
    """Give what a shopper sees: the smaller of the item's quantity and the offers'."""
    shown = [units for units in (item.quantity, *(offer.quantity for offer in offers)) if units is not None]
    yield CartListing(
        listing_sku=item.sku,
        quantity=min(shown) if shown else None,
        # The total says again what stands at the locations, so it is no place beside them.
        same_as=min(item.places, default=None),
    )
    for place, units in item.places.items():
        yield CartListing(listing_sku=item.sku, location_id=place, quantity=units)
