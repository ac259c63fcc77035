"""Medusa 2: quantities go to inventory levels (inventory item and stock location) through the Admin API.

    Medusa("https://shop.example", api_key="sk_...", location="Main warehouse")

Medusa keeps units on hand and subtracts those reserved for its own open orders, so a listing shows both and
what is sent is on hand. See ``docs/carts/medusa.md`` for credentials, outcomes and limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from attrs import Attribute, evolve, field, frozen

from omsync import checks
from omsync.errors import InvalidValueError, SettingsError
from omsync.http.messages import Conversation, Handler, Request, Response
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy, Verdict
from omsync.http.retrying import judge as usual_judge
from omsync.http.steps import Line, Steps, talk, talk_all
from omsync.http.tokens import Token, TokenKeeper, with_token
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities, SourceMemory
from omsync.secrets import Secret, as_optional_secret
from omsync.sinks import _medusa as api
from omsync.sinks._credentials import address, basic, secret
from omsync.sinks._http import SteppedSink, refused, results_of, starts_of_pages
from omsync.sinks._medusa_answers import inner_judge
from omsync.sinks._medusa_rows import MAX_QUANTITY, Row, entries_of, result_of, write_entries

__all__ = ["Medusa"]

T = TypeVar("T")

_LARGEST_BODY = 2 * 1024 * 1024
_BYTES_PER_ROW = 180
_BYTES_PER_CALL = 40
_LONGEST_PAGE = 500


def _above_zero(instance: object, attribute: Attribute[Any], value: object) -> None:
    checks.measure(instance, attribute, value)
    if not value:
        raise InvalidValueError(f"{type(instance).__name__}.{attribute.name} must be above 0, not {value!r}")


@frozen
class Medusa(SteppedSink):
    """A Medusa 2 shop.

    Args:
        url: The address of the shop's server, without a path unless it has one before ``/admin``.
        api_key: A secret API key, ``sk_...``.
        email: An administrator's e-mail address, instead of a key.
        password: Its password.
        location: Id or exact name of the stock location for rows that name none; None for the only one.
        page_size: SKUs in one look-up at most.
        max_rows: Rows in one push at most.
        max_bytes: Bytes in one body at most.
        timeout: Seconds to wait for an answer.
        calls_per_second: How fast to call; Medusa itself has no limit, a host or a proxy may.
        max_in_flight: Look-ups at once.
        untracked_policy: When the shop does not count a variant's stock: ``"skip"`` or ``"error"``.
        retry: How often and how long to try again.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network.

    Raises:
        SettingsError: Not exactly one kind of credential, or an address that cannot be one.

    Source: Medusa's Admin API; what it really answers was tried against Medusa 2.21.2.
    """

    url: str = field(validator=address)
    api_key: Secret | None = field(
        default=None, kw_only=True, converter=as_optional_secret, repr=False, validator=secret
    )
    email: str | None = field(default=None, kw_only=True, validator=secret)
    password: Secret | None = field(
        default=None, kw_only=True, converter=as_optional_secret, repr=False, validator=secret
    )
    location: str | None = field(default=None, kw_only=True, validator=checks.optional(checks.text))
    page_size: int = field(
        default=100, kw_only=True, validator=checks.whole(minimum=1, maximum=_LONGEST_PAGE)
    )
    max_rows: int = field(default=2000, kw_only=True, validator=checks.whole(minimum=1))
    max_bytes: int = field(
        default=2_000_000, kw_only=True, validator=checks.whole(minimum=1000, maximum=_LARGEST_BODY)
    )
    timeout: float = field(default=30.0, kw_only=True, validator=_above_zero)
    calls_per_second: float | None = field(default=None, kw_only=True, validator=checks.optional(_above_zero))
    max_in_flight: int = field(default=2, kw_only=True, validator=checks.whole(minimum=1))
    untracked_policy: str = field(default="skip", kw_only=True, validator=checks.one_of("skip", "error"))
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    handler: Handler | None = field(default=None, kw_only=True, repr=False)
    keeper: TokenKeeper = field(factory=TokenKeeper, kw_only=True, eq=False, repr=False)
    seen: dict[str, str] | None = field(default=None, kw_only=True, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        given = [name for name in ("api_key", "email", "password") if getattr(self, name) is not None]
        if given not in (["api_key"], ["email", "password"]):
            raise SettingsError(
                f"Medusa needs one kind of credential, and was given {' and '.join(given) or 'none'}",
                code="credentials",
                remedy="Give api_key, or email and password.",
            )

    @property
    def capabilities(self) -> SinkCapabilities:
        """What Medusa can do."""
        return SinkCapabilities(
            destination=f"medusa at {urlsplit(self.url).netloc}",
            quantity_meaning="on_hand",
            lists_all=True,
            locations="optional",
            max_rows=self.max_rows,
            max_bytes=self.max_bytes,
            bytes_per_row=_BYTES_PER_ROW,
            bytes_per_call=_BYTES_PER_CALL,
            atomicity="call",
            compare_and_set="blind",
            completion="immediate",
            max_in_flight=1,
            calls_per_second=self.calls_per_second,
            max_quantity=MAX_QUANTITY,
            untracked_policy=self.untracked_policy,
        )

    def remembering(self, _: SourceMemory | None, /) -> Self:
        """Give the sink for one run: it knows at a push which inventory item a SKU was when it was read.

        Nothing is kept between runs, since the read that every run makes gives the ids anyway.
        """
        return evolve(self, seen={})

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Read what the shop has at every stock location, as steps.

        The SKUs asked for are looked up with their figures, ``page_size`` a call. All other inventory items
        are then listed by name only. An item without a level at a location has 0 there, since writing makes
        the level. Each figure is given under every way in which a row may name its location: the id, the
        exact name, and ``None`` for the sink's own location (left out while that is undecided).
        """
        return (yield from self._inside(lambda shop: self._read(shop, listing_skus)))

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Look the batch's SKUs up, refuse what must not be sent, write the rest; as steps.

        SKUs may change hands between the read and the push, so no id of the read is written to unseen.

        Raises:
            SettingsError: A row names no location and the shop has several, or the sink's is unknown.
            RefusedError: The shop refused the batch, and nothing of it was written.
            TransientError: Nobody knows whether the batch was written.
        """
        if not changes:
            return []
        return (yield from self._inside(lambda shop: self._push(shop, changes)))

    def _line(self, judge: Callable[[Request, Response], Verdict]) -> Line:
        return Line(
            account=self.capabilities.destination,
            pace=Pace(per_second=self.calls_per_second, burst=1) if self.calls_per_second else Pace(),
            retry=self.retry,
            network=self.network,
            judge=judge,
            max_in_flight=self.max_in_flight,
            handler=self.handler,
        )

    def _inside(self, work: Callable[[api.Shop], Steps[T]]) -> Steps[T]:
        """Get in, look around, and do the work there."""
        access = api.Access(url=self.url.rstrip("/"), timeout=self.timeout)
        door = self._line(usual_judge)

        def enter(authorization: str) -> Steps[T]:
            within = evolve(access, headers={"authorization": authorization})
            shop = yield from talk(door, api.look_around(within))
            return (yield from work(shop))

        if self.api_key is not None:
            return (yield from enter(basic(self.api_key.reveal(), "")))

        def grant() -> Conversation[Token]:
            return api.log_in(access, self.email or "", self.password.reveal() if self.password else "")

        return (yield from with_token(self.keeper, door, grant, lambda token: enter(f"Bearer {token}")))

    def _read(self, shop: api.Shop, skus: Sequence[str]) -> Steps[list[CartListing]]:
        line = self._line(inner_judge)
        target = self._target(shop)
        found = yield from self._look_up(line, shop, skus)
        if self.seen is not None:
            self.seen.update((sku, one.item.id) for sku, one in found.items() if one.item)
        names = yield from self._names(line, shop)
        shown = [listing for sku, one in found.items() for listing in _listings(shop, target, sku, one)]
        return shown + [CartListing(listing_sku=sku) for sku in names if sku not in found]

    def _push(self, shop: api.Shop, changes: Sequence[QuantityChange]) -> Steps[list[PushResult]]:
        line = self._line(inner_judge)
        target = self._target(shop)
        if target is None and any(change.location_id is None for change in changes):
            raise SettingsError(
                f"{self.capabilities.destination} has no single stock location, and rows name none; "
                f"it has {shop.choices}",
                code="choose_cart_location",
                remedy="Give Medusa(location=...) one of them, or send a breakdown with a location_map.",
            )
        found = yield from self._look_up(line, shop, [change.listing_sku for change in changes])
        sorted_out = [self._sort_out(shop, target, found, change) for change in changes]
        entries, contradicted = entries_of(row for row in sorted_out if isinstance(row, Row))
        answers = yield from write_entries(
            line, shop, entries, max_bytes=self.max_bytes, page_size=self.page_size
        )
        return [
            row if isinstance(row, PushResult) else result_of(row, contradicted, answers)
            for row in sorted_out
        ]

    def _target(self, shop: api.Shop) -> str | None:
        """Give the location of rows that name none; None while that is undecided."""
        if not shop.locations:
            raise SettingsError(
                f"{self.capabilities.destination} has no stock location",
                code="no_cart_location",
                remedy="Add one in the shop's administration, and link it to the sales channel.",
            )
        if self.location is None:
            return next(iter(shop.locations)) if len(shop.locations) == 1 else None
        target = shop.names.get(self.location)
        if target is None:
            raise SettingsError(
                f"{self.capabilities.destination} has no one stock location {self.location!r}; "
                f"it has {shop.choices}",
                code="unknown_cart_location",
                remedy="Give the id or the exact name of one of them.",
            )
        return target

    def _look_up(self, line: Line, shop: api.Shop, skus: Sequence[str]) -> Steps[dict[str, api.Found]]:
        pages = api.pages(dict.fromkeys(skus), self.page_size)
        answers = yield from talk_all(line, [api.find(shop.access, page) for page in pages])
        return {sku: one for page in results_of(answers) for sku, one in page.items()}

    def _names(self, line: Line, shop: api.Shop) -> Steps[list[str]]:
        first, total = yield from talk(line, api.name_page(shop.access, 0))
        rest = starts_of_pages(len(first), total, place=self.url)
        pages = yield from talk_all(line, [api.name_page(shop.access, offset) for offset in rest])
        names = [*first, *(name for page, _ in results_of(pages) for name in page)]
        return list(dict.fromkeys(name for name in names if name))

    def _sort_out(
        self,
        shop: api.Shop,
        target: str | None,
        found: Mapping[str, api.Found],
        change: QuantityChange,
    ) -> Row | PushResult:
        """Give the row to write, or the reason why it is not sent."""
        sku, wanted = change.listing_sku, change.location_id
        location_id = target if wanted is None else shop.names.get(wanted)
        if location_id is None:
            return refused(change, "unknown_location", f"no one stock location is {wanted!r}: {shop.choices}")
        if change.quantity > MAX_QUANTITY:
            return refused(change, "out_of_range", f"{change.quantity} is more than {MAX_QUANTITY}")
        one = found.get(sku, api.Found())
        if one.item is None or one.state != "listed":
            return self._left_alone(change, one)
        read = (self.seen or {}).get(sku, one.item.id)
        if read != one.item.id:
            # The planned quantity holds units that are reserved for orders of the other item.
            message = (
                f"the SKU {sku!r} was that of inventory item {read} when it was read and is that of "
                f"{one.item.id} now; nothing was written to either"
            )
            return refused(change, "renamed_in_cart", message, status="conflict")
        return Row(change=change, item=one.item, location_id=location_id)

    def _left_alone(self, change: QuantityChange, one: api.Found) -> PushResult:
        if one.state == "untracked":
            message = "the shop does not count this variant's stock, so a quantity would have no effect"
            status = "skipped" if self.untracked_policy == "skip" else "rejected"
            return refused(change, "untracked_in_cart", message, status=status)
        if one.state == "unmanaged":
            message = f"the shop works this quantity out from {one.needs}; send quantities of those"
            return refused(change, "unmanaged_in_cart", message, status="skipped")
        message = f"no inventory item and no variant has the SKU {change.listing_sku!r}"
        return refused(change, "not_in_cart", message)


def _listings(shop: api.Shop, target: str | None, sku: str, found: api.Found) -> Iterator[CartListing]:
    own = [] if target is None else [(None, target)]
    for named, location_id in (*own, *shop.names.items()):
        level = found.item.levels.get(location_id, api.Level()) if found.item else None
        yield CartListing(
            listing_sku=sku,
            location_id=named,
            quantity=level.on_hand if level else None,
            allocated=level.reserved if level else None,
            state=found.state,
            same_as=location_id if named != location_id else None,
        )
