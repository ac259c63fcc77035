"""Vendure 2 and 3: quantities go to stock levels (variant and stock location) through the Admin API.

    Vendure("https://shop.example", api_key="...", location="Default Stock Location")

Vendure keeps units on hand and subtracts those promised to its own open orders, so a listing shows both and
what is sent is on hand. See ``docs/carts/vendure.md`` for permissions, outcomes and limits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from attrs import field, frozen

from omsync import checks
from omsync.errors import SettingsError
from omsync.http.messages import Conversation, Handler
from omsync.http.network import Network
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, talk, talk_all
from omsync.http.tokens import Token, TokenKeeper, with_token
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities
from omsync.secrets import Secret, as_optional_secret
from omsync.sinks import _vendure as api
from omsync.sinks._credentials import address, secret
from omsync.sinks._http import SteppedSink, encoded_size, packed, refused, results_of
from omsync.sinks._vendure_answers import MAX_BYTES, judge
from omsync.sinks._vendure_rows import MAX_QUANTITY, Row, entries_of, result_of, write_entries

__all__ = ["Vendure"]

T = TypeVar("T")

_MAX_ROWS = 100
_BYTES_PER_ROW = 180
_BYTES_PER_CALL = 400
_LONGEST_PAGE = 1000


@frozen
class Vendure(SteppedSink):
    """A Vendure shop.

    Args:
        url: The shop's address, or that of its Admin API if the path is not ``/admin-api``.
        api_key: An API key of an administrator (Vendure 3.6 and later). Costs the shop some 0.2 s a call.
        username: An administrator's user name, instead of an API key. One login serves all calls until the
            shop refuses its token; then comes the next.
        password: Its password.
        channel: The token of the shop's channel; None for the default channel.
        location: Id or exact name of the stock location for rows that name none; None for the only one.
        page_size: SKUs in one look-up.
        duplicates: When several variants share a SKU: ``"refuse"``, or ``"prefer_enabled"`` to take the one
            that is enabled if exactly one is.
        untracked_policy: When the shop does not track a variant's stock: ``"skip"``, ``"track"`` (switch
            tracking on) or ``"error"``.
        retry: How often and how long to try again.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network.

    Raises:
        SettingsError: Not exactly one kind of credential, or an address that cannot be one.

    Source: Vendure's Admin API; what it really answers was tried against Vendure 3.7.3.
    """

    url: str = field(validator=address)
    api_key: Secret | None = field(
        default=None, kw_only=True, converter=as_optional_secret, repr=False, validator=secret
    )
    username: str | None = field(default=None, kw_only=True, validator=secret)
    password: Secret | None = field(
        default=None, kw_only=True, converter=as_optional_secret, repr=False, validator=secret
    )
    channel: str | None = field(default=None, kw_only=True, validator=checks.optional(checks.text))
    location: str | None = field(default=None, kw_only=True, validator=checks.optional(checks.text))
    page_size: int = field(
        default=100, kw_only=True, validator=checks.whole(minimum=1, maximum=_LONGEST_PAGE)
    )
    duplicates: str = field(
        default="refuse", kw_only=True, validator=checks.one_of("refuse", "prefer_enabled")
    )
    untracked_policy: str = field(
        default="skip", kw_only=True, validator=checks.one_of("skip", "track", "error")
    )
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    handler: Handler | None = field(default=None, kw_only=True, repr=False)
    keeper: TokenKeeper = field(factory=TokenKeeper, kw_only=True, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        given = [name for name in ("api_key", "username", "password") if getattr(self, name) is not None]
        if given not in (["api_key"], ["username", "password"]):
            raise SettingsError(
                f"Vendure needs one kind of credential, and was given {' and '.join(given) or 'none'}",
                code="credentials",
                remedy="Give api_key, or username and password.",
            )

    @property
    def capabilities(self) -> SinkCapabilities:
        """What Vendure can do."""
        return SinkCapabilities(
            destination=f"vendure at {urlsplit(self.url).netloc}",
            quantity_meaning="on_hand",
            lists_all=True,
            locations="optional",
            max_rows=_MAX_ROWS,
            max_bytes=MAX_BYTES,
            bytes_per_row=_BYTES_PER_ROW,
            bytes_per_call=_BYTES_PER_CALL,
            atomicity="call",
            compare_and_set="blind",
            completion="immediate",
            max_in_flight=1,
            max_quantity=MAX_QUANTITY,
            untracked_policy=self.untracked_policy,
        )

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Read what the shop shows at every stock location of the channel, as steps.

        The SKUs asked for are looked up with their figures, ``page_size`` a call. All other variants are then
        listed by name only, without a figure, as many a call as the shop allows: stock levels cost the shop
        one query a row. A variant without a level at a location has 0 there, since writing makes the level.
        Each figure is given under every way in which a row may name its location: the id, the exact name,
        and ``None`` for the sink's own location (left out while that is undecided).
        """
        return (yield from self._inside(lambda line, shop: self._read(line, shop, listing_skus)))

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Look the batch's SKUs up, refuse what must not be sent, write the rest; as steps.

        Raises:
            SettingsError: A row names no location and the shop has several, or the sink's is unknown.
            RefusedError: The shop refused the batch, and nothing of it was written.
            TransientError: Nobody knows whether the batch was written.
        """
        if not changes:
            return []
        return (yield from self._inside(lambda line, shop: self._push(line, shop, changes)))

    def _read(self, line: Line, shop: api.Shop, skus: Sequence[str]) -> Steps[list[CartListing]]:
        target = self._target(shop)
        asked = yield from self._look_up(line, shop, skus, api.find)
        listed = yield from self._names(line, shop)
        shown = [
            listing
            for sku, variants in asked.items()
            for listing in self._listings(shop, target, sku, variants)
        ]
        others = [
            CartListing(listing_sku=sku, state=_state(shop, self._chosen(variants)))
            for sku, variants in listed.items()
            if sku and sku not in asked
        ]
        return shown + others

    def _push(self, line: Line, shop: api.Shop, changes: Sequence[QuantityChange]) -> Steps[list[PushResult]]:
        target = self._target(shop)
        if target is None and any(change.location_id is None for change in changes):
            raise SettingsError(
                f"{self.capabilities.destination} has no single stock location, and rows name none; "
                f"it has {shop.choices}",
                code="choose_cart_location",
                remedy="Give Vendure(location=...) one of them, or send a breakdown with a location_map.",
            )
        skus = [change.listing_sku for change in changes]
        found = yield from self._look_up(line, shop, skus, api.identify)
        sorted_out = [self._sort_out(shop, target, found, change) for change in changes]
        entries, contradicted = entries_of([row for row in sorted_out if isinstance(row, Row)])
        answers = yield from write_entries(line, shop, entries)
        return [
            row if isinstance(row, PushResult) else result_of(row, contradicted, answers)
            for row in sorted_out
        ]

    @property
    def _line(self) -> Line:
        return Line(
            account=self.capabilities.destination,
            retry=self.retry,
            network=self.network,
            judge=judge,
            max_in_flight=2,
            handler=self.handler,
        )

    @property
    def _access(self) -> api.Access:
        address = self.url.rstrip("/")
        url = address if urlsplit(address).path else f"{address}/admin-api"
        access = api.Access(url=url)
        return access if self.channel is None else access.plus(vendure_token=self.channel)

    def _inside(self, work: Callable[[Line, api.Shop], Steps[T]]) -> Steps[T]:
        """Get in, look around, and do the work there; once more if a login of before is over."""
        line, access = self._line, self._access

        def enter(within: api.Access) -> Steps[T]:
            shop = yield from talk(line, api.look_around(within, self.channel))
            return (yield from work(line, shop))

        if self.api_key is not None:
            return (yield from enter(access.plus(vendure_api_key=self.api_key.reveal())))

        def log_in() -> Conversation[Token]:
            return api.log_in(access, self.username or "", self.password.reveal() if self.password else "")

        def with_session(token: str) -> Steps[T]:
            return enter(access.plus(authorization=f"Bearer {token}"))

        return (yield from with_token(self.keeper, line, log_in, with_session))

    def _target(self, shop: api.Shop) -> str | None:
        """Give the location of rows that name none; None while that is undecided."""
        if not shop.locations:
            raise SettingsError(
                f"{self.capabilities.destination} has no stock location in this channel",
                code="no_cart_location",
                remedy="Assign a stock location to the channel in the shop's administration.",
            )
        if self.location is None:
            return next(iter(shop.locations)) if len(shop.locations) == 1 else None
        target = shop.names.get(self.location)
        if target is None:
            raise SettingsError(
                f"{self.capabilities.destination} has no one stock location {self.location!r}; "
                f"it has {shop.choices}",
                code="unknown_cart_location",
                remedy="Give the id or the exact name of one of them, of this channel.",
            )
        return target

    def _look_up(
        self,
        line: Line,
        shop: api.Shop,
        skus: Sequence[str],
        ask: Callable[[api.Access, Sequence[str]], Conversation[list[api.Variant]]],
    ) -> Steps[dict[str, list[api.Variant]]]:
        pages = packed(dict.fromkeys(skus), encoded_size, room=MAX_BYTES // 2, most=self.page_size)
        found = yield from talk_all(line, [ask(shop.access, page) for page in pages])
        return _by_sku(variant for page in results_of(found) for variant in page)

    def _names(self, line: Line, shop: api.Shop) -> Steps[dict[str, list[api.Variant]]]:
        first, total = yield from talk(line, api.name_page(shop.access, 0))
        rest = range(len(first), total, len(first)) if first else ()
        pages = yield from talk_all(line, [api.name_page(shop.access, skip) for skip in rest])
        once = {
            variant.id: variant
            for page in [first, *(rows for rows, _ in results_of(pages))]
            for variant in page
        }
        return _by_sku(once.values())

    def _chosen(self, variants: Sequence[api.Variant]) -> api.Variant | None:
        """Give the one variant that a SKU means, or None when several claim it."""
        if self.duplicates == "prefer_enabled" and len(variants) > 1:
            variants = [variant for variant in variants if variant.enabled]
        return variants[0] if len(variants) == 1 else None

    def _listings(
        self, shop: api.Shop, target: str | None, sku: str, variants: Sequence[api.Variant]
    ) -> Iterator[CartListing]:
        variant = self._chosen(variants)
        state = _state(shop, variant)
        own = [] if target is None else [(None, target)]
        for named, location_id in (*own, *shop.names.items()):
            level = variant.levels.get(location_id, api.Level()) if variant else None
            yield CartListing(
                listing_sku=sku,
                location_id=named,
                quantity=level.on_hand if level else None,
                allocated=level.allocated if level else None,
                state=state,
                same_as=location_id if named != location_id else None,
            )

    def _sort_out(
        self,
        shop: api.Shop,
        target: str | None,
        found: Mapping[str, Sequence[api.Variant]],
        change: QuantityChange,
    ) -> Row | PushResult:
        """Give the row to write, or the reason why it is not sent."""
        wanted = change.location_id
        location_id = target if wanted is None else shop.names.get(wanted)
        if location_id is None:
            return refused(change, "unknown_location", f"no one stock location is {wanted!r}: {shop.choices}")
        if not 0 <= change.quantity <= MAX_QUANTITY:
            return refused(change, "out_of_range", f"{change.quantity} is not within 0 and {MAX_QUANTITY}")
        variants = found.get(change.listing_sku, ())
        if not variants:
            return refused(
                change, "not_in_cart", f"no variant of this channel has the SKU {change.listing_sku!r}"
            )
        variant = self._chosen(variants)
        if variant is None:
            ids = ", ".join(variant.id for variant in variants)
            return refused(change, "duplicate_in_cart", f"several variants have this SKU: ids {ids}")
        tracked = shop.tracks(variant)
        if not tracked and self.untracked_policy != "track":
            message = "the shop does not track this variant's stock, so a quantity would have no effect"
            status = "skipped" if self.untracked_policy == "skip" else "rejected"
            return refused(change, "untracked_in_cart", message, status=status)
        return Row(change=change, variant_id=variant.id, location_id=location_id, track=not tracked)


def _state(shop: api.Shop, variant: api.Variant | None) -> str:
    if variant is None:
        return "duplicate"
    return "listed" if shop.tracks(variant) else "untracked"


def _by_sku(variants: Iterable[api.Variant]) -> dict[str, list[api.Variant]]:
    found: defaultdict[str, list[api.Variant]] = defaultdict(list)
    for variant in variants:
        found[variant.sku].append(variant)
    return dict(found)
