"""BigCommerce: quantities go to items at locations, as absolute adjustments of the Inventory API.

    BigCommerce("abc123", token="...", location="Main warehouse")

The store applies adjustments some seconds later, so what it took shows in the next run. See
``docs/carts/bigcommerce.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote

from attrs import Attribute, evolve, field, frozen

from omsync import checks
from omsync.errors import OmsyncError, SettingsError
from omsync.http.clock import Clock, SystemClock
from omsync.http.messages import Handler
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, call, talk, talk_all
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities, SourceMemory
from omsync.secrets import Secret, as_secret
from omsync.sinks import _bigcommerce as api
from omsync.sinks._credentials import address, given, secret
from omsync.sinks._http import SteppedSink, accepted, packed, refused, results_of, starts_of_pages
from omsync.sinks._ids import IdMap
from omsync.sinks._rows import failed

__all__ = ["BigCommerce"]

_ROWS = 2000
_WINDOW, _BURST = 30.0, 4
_QUERY_BYTES, _SKUS_A_CALL = 4000, 100
_MAX_QUANTITY = 2**31 - 1


def _store_hash(_: object, __: Attribute[Any], value: object) -> None:
    if type(value) is not str or not value.isalnum() or not value.isascii():
        raise SettingsError(
            f"BigCommerce.store_hash must be letters and digits, not {checks.shown(value)}",
            code="bad_address",
            remedy="It is the part after /stores/ in the API path of the account.",
        )


@frozen
class BigCommerce(SteppedSink):
    """A BigCommerce store.

    Args:
        store_hash: The store, as in ``/stores/{store_hash}``.
        token: An API account's token, with the scope ``store_inventory`` and read access to locations.
        location: Id, code or exact label of the location for rows that name none; None for the only one.
        safety_stock: ``"keep"``: the store holds its safety stock back from what omsync sends.
            ``"add"``: it is added, so that shoppers may buy what was planned.
        aggregated_stock: Whether the storefront sells what stands at all locations. By default it sells the
            default location's only, and plans by location say so.
        lists_all: Read all items, 1,000 a call, instead of looking up those that are asked for.
        verify_after: Wait so many seconds after a push and read the rows back; None to leave that to the
            next run.
        quota_per_window: Calls in 30 seconds that the store's plan allows; all its applications share them.
        reason: What the store's history shows beside an adjustment.
        url: Another host.
        retry: How often and how long to try again.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network.
        clock: Waits for ``verify_after``.

    Raises:
        SettingsError: A store hash or a token that cannot be one.

    Source: BigCommerce's Inventory API v3.
    """

    store_hash: str = field(validator=_store_hash)
    token: Secret = field(kw_only=True, converter=as_secret, repr=False, validator=[given, secret])
    location: str | None = field(default=None, kw_only=True, validator=checks.optional(checks.text))
    safety_stock: str = field(default="keep", kw_only=True, validator=checks.one_of("keep", "add"))
    aggregated_stock: bool = field(default=False, kw_only=True, validator=checks.flag)
    lists_all: bool = field(default=True, kw_only=True, validator=checks.flag)
    verify_after: float | None = field(default=None, kw_only=True, validator=checks.measure)
    quota_per_window: int = field(default=150, kw_only=True, validator=checks.whole(minimum=1))
    reason: str = field(default="omsync", kw_only=True, validator=checks.text)
    url: str = field(default="https://api.bigcommerce.com", kw_only=True, validator=address)
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    handler: Handler | None = field(default=None, kw_only=True, repr=False)
    clock: Clock = field(factory=SystemClock, kw_only=True, eq=False, repr=False)
    ids: IdMap = field(factory=IdMap, kw_only=True, eq=False, repr=False)

    def remembering(self, memory: SourceMemory | None, /) -> Self:  # noqa: ARG002  SKUs are keys in this store
        """Begin a run: which SKUs the store has is asked anew, since the read tells it at no cost."""
        return evolve(self, ids=IdMap())

    @property
    def capabilities(self) -> SinkCapabilities:
        """What BigCommerce can do."""
        return SinkCapabilities(
            destination=f"bigcommerce store {self.store_hash}",
            quantity_meaning="on_hand" if self.safety_stock == "add" else "available",
            lists_all=self.lists_all,
            locations="optional",
            sells_all_locations=self.aggregated_stock,
            max_rows=_ROWS,
            grouping="by_location",
            atomicity="call",
            compare_and_set="blind",
            completion="eventual",
            max_in_flight=1,
            calls_per_second=self.quota_per_window / _WINDOW,
            max_quantity=_MAX_QUANTITY,
        )

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Read what stands on hand at every location, as steps.

        An item without a level at a location has no quantity there until a first push makes one. Each figure
        is given under every name of its location (id, code, label), and under None for the sink's own.
        """
        store = yield from talk(self._line, api.look_around(self._access))
        target = self._target(store)
        found = yield from (self._everything(listing_skus) if self.lists_all else self._find(listing_skus))
        yield from self._learn(found)
        asked = set(listing_skus)
        return [
            listing
            for item in found.values()
            for listing in (
                self._listings(store, target, item)
                if item.sku in asked
                else [CartListing(listing_sku=item.sku)]
            )
        ]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Set quantities, one location after the other; as steps.

        Raises:
            SettingsError: A row names no location and the store has several, or the sink's is unknown.
            TransientError: Nobody knows whether anything was written.
        """
        if not changes:
            return []
        store = yield from talk(self._line, api.look_around(self._access))
        target = self._target(store)
        if target is None and any(change.location_id is None for change in changes):
            raise SettingsError(
                f"{self.capabilities.destination} has several locations, and rows name none; "
                f"it has {store.choices}",
                code="choose_cart_location",
                remedy="Give BigCommerce(location=...) one of them, or send a breakdown with a location_map.",
            )
        products = yield from self._products([change.listing_sku for change in changes])
        rows: list[api.Row | PushResult] = [
            self._sort_out(store, target, products, change) for change in changes
        ]
        wanted: dict[tuple[str, str], set[int]] = {}
        for row in rows:
            if isinstance(row, api.Row):
                wanted.setdefault((row.location_id, row.sku), set()).add(row.quantity)
        several = {key for key, quantities in wanted.items() if len(quantities) > 1}
        ready = {
            (row.location_id, row.sku): row
            for row in rows
            if isinstance(row, api.Row) and (row.location_id, row.sku) not in several
        }
        answers = yield from self._write(list(ready.values()), products)
        shown = yield from self._read_back(ready, answers)
        return [
            row if isinstance(row, PushResult) else _result(change, row, several, answers, shown)
            for change, row in zip(changes, rows, strict=True)
        ]

    @property
    def _line(self) -> Line:
        return Line(
            account=self.capabilities.destination,
            # In any 30 seconds no more than the quota, the burst included.
            pace=Pace(per_second=max(1, self.quota_per_window - _BURST) / _WINDOW, burst=_BURST),
            retry=self.retry,
            network=self.network,
            judge=api.judge,
            foresee=api.foresee,
            max_in_flight=1,
            handler=self.handler,
        )

    @property
    def _access(self) -> api.Access:
        return api.Access(url=f"{self.url}/stores/{self.store_hash}/v3", token=self.token.reveal())

    def _target(self, store: api.Store) -> str | None:
        if self.location is None:
            return next(iter(store.locations)) if len(store.locations) == 1 else None
        target = store.names.get(self.location)
        if target is None:
            raise SettingsError(
                f"{self.capabilities.destination} has no one location {self.location!r}; "
                f"it has {store.choices}",
                code="unknown_cart_location",
                remedy="Give the id, the code or the exact label of one of them.",
            )
        return target

    def _everything(self, skus: Sequence[str]) -> Steps[dict[str, api.Item]]:
        first, pages = yield from talk(self._line, api.page(self._access, 1))
        rest = yield from talk_all(
            self._line, [api.page(self._access, n + 1) for n in starts_of_pages(1, pages, place=self.url)]
        )
        rows = [*first, *(item for page, _ in results_of(rest) for item in page)]
        found = {item.sku: item for item in rows if item.sku}
        missing = [sku for sku in skus if sku not in found] if pages > 1 else []
        # Pages shift when something is deleted while they are read: what they left out may still be there.
        return found | ((yield from self._find(missing)) if missing else {})

    def _find(self, skus: Sequence[str]) -> Steps[dict[str, api.Item]]:
        if any("," in sku for sku in skus):
            # It would fall apart in the list of a filter.
            found = yield from self._everything(())
            return {sku: found[sku] for sku in dict.fromkeys(skus) if sku in found}
        pages = packed(
            dict.fromkeys(skus), lambda sku: len(quote(sku)) + 3, room=_QUERY_BYTES, most=_SKUS_A_CALL
        )
        listed = yield from talk_all(self._line, [api.find(self._access, page) for page in pages])
        return {item.sku: item for page in results_of(listed) for item in page}

    def _learn(self, found: Mapping[str, api.Item]) -> Steps[None]:
        yield from self.ids.learn({sku: str(item.product_id or "-") for sku, item in found.items()})

    def _products(self, skus: Sequence[str]) -> Steps[dict[str, int | None]]:
        """Give the product id of each SKU that the store has; those seen in this run cost no call."""
        new = [sku for sku in dict.fromkeys(skus) if sku not in self.ids.confirmed([sku])]
        if new:
            yield from self._learn((yield from self._find(new)))
        known = self.ids.confirmed(skus)
        return {sku: None if text == "-" else int(text) for sku, text in known.items()}

    def _listings(self, store: api.Store, target: str | None, item: api.Item) -> Iterator[CartListing]:
        own = [] if target is None else [(None, target)]
        for named, location_id in (*own, *store.names.items()):
            level = item.levels.get(location_id, api.Level(on_hand=None))
            yield CartListing(
                listing_sku=item.sku,
                location_id=named,
                quantity=level.on_hand,
                allocated=level.safety_stock if self.safety_stock == "add" else None,
                same_as=location_id if named != location_id else None,
            )

    def _sort_out(
        self,
        store: api.Store,
        target: str | None,
        products: Mapping[str, int | None],
        change: QuantityChange,
    ) -> api.Row | PushResult:
        wanted = change.location_id
        location_id = target if wanted is None else store.names.get(wanted)
        if location_id is None:
            return refused(change, "unknown_location", f"no one location is {wanted!r}: {store.choices}")
        if change.quantity > _MAX_QUANTITY:
            return refused(change, "out_of_range", f"{change.quantity} is more than {_MAX_QUANTITY}")
        if change.listing_sku not in products:
            return refused(change, "not_in_cart", f"the store has no item {change.listing_sku!r}")
        return api.Row(sku=change.listing_sku, location_id=location_id, quantity=change.quantity)

    def _write(
        self, rows: Sequence[api.Row], products: Mapping[str, int | None]
    ) -> Steps[dict[tuple[str, str], str | OmsyncError]]:
        """Write location by location; give by (location, SKU) what went wrong. Raises while nothing is."""
        answers: dict[tuple[str, str], str | OmsyncError] = {}
        by_location: dict[str, list[api.Row]] = {}
        for row in rows:
            by_location.setdefault(row.location_id, []).append(row)
        begun = False
        for location_id, some in by_location.items():
            (said,) = yield from talk_all(self._line, [api.adjust(self._access, some, self.reason)])
            if isinstance(said, OmsyncError):
                if not begun:
                    raise said
                answers.update(((location_id, row.sku), said) for row in some)
                continue
            begun = True
            answers.update(((location_id, sku), why) for sku, why in said.items())
            yield from self._by_product(some, said, products, answers)
        return answers

    def _by_product(
        self,
        rows: Sequence[api.Row],
        said: Mapping[str, str | OmsyncError],
        products: Mapping[str, int | None],
        answers: dict[tuple[str, str], str | OmsyncError],
    ) -> Steps[None]:
        """Send rows once more whose item is tracked by its product, where the product means one SKU only."""
        tracked = {
            row.sku: product
            for row in rows
            if isinstance(why := said.get(row.sku), str)
            and api.tracked_by_product(why)
            and (product := products[row.sku]) is not None
        }
        if not tracked:
            return
        pages = packed(sorted(set(tracked.values())), lambda _: 1, room=_SKUS_A_CALL)
        found = yield from talk_all(self._line, [api.of_products(self._access, page) for page in pages])
        if any(isinstance(outcome, OmsyncError) for outcome in found):
            return  # Nobody knows which variants share the stock, so the refusal stands.
        sharing = Counter(item.product_id for page in results_of(found) for item in page)
        again = [
            evolve(row, product_id=tracked[row.sku])
            for row in rows
            if row.sku in tracked and sharing[tracked[row.sku]] == 1
        ]
        if not again:
            return
        (outcome,) = yield from talk_all(self._line, [api.adjust(self._access, again, self.reason)])
        for row in again:
            if isinstance(outcome, OmsyncError):
                answers[row.location_id, row.sku] = outcome
            elif row.sku in outcome:
                answers[row.location_id, row.sku] = outcome[row.sku]
            else:
                del answers[row.location_id, row.sku]

    def _read_back(
        self,
        ready: Mapping[tuple[str, str], api.Row],
        answers: Mapping[tuple[str, str], str | OmsyncError],
    ) -> Steps[dict[tuple[str, str], int]]:
        """Wait, and give what shows by now as it was sent; what does not show yet may still come."""
        taken = {key: row for key, row in ready.items() if key not in answers}
        if self.verify_after is None or not taken:
            return {}
        yield from call(self.clock.sleep, float(self.verify_after))
        try:
            found = yield from self._find(sorted({sku for _, sku in taken}))
        except OmsyncError:
            return {}  # The rows were taken; whether they show is for the next run to see.
        return {
            (place, sku): row.quantity
            for (place, sku), row in taken.items()
            if sku in found
            and place in found[sku].levels
            and found[sku].levels[place].on_hand == row.quantity
        }


def _result(
    change: QuantityChange,
    row: api.Row,
    several: set[tuple[str, str]],
    answers: Mapping[tuple[str, str], str | OmsyncError],
    shown: Mapping[tuple[str, str], int],
) -> PushResult:
    key = row.location_id, row.sku
    if key in several:
        message = "several rows of this push give this item and location different quantities"
        return refused(change, "contradiction", message)
    said = answers.get(key)
    if isinstance(said, OmsyncError):
        return failed(change, said)
    if said is None:
        return accepted(change, shown.get(key))
    if api.tracked_by_product(said):
        return refused(change, "unmanaged_in_cart", f"several variants share the product's stock: {said}")
    return refused(change, "row_refused", said)
