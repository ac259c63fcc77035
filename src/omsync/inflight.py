"""Orders that a snapshot has not seen: which they are, and what they add up to. Pure.

An order is subtracted until the order manager's figures hold it. Where the order manager says when it took
an order in, that decides; where nobody says, the time at which it was placed, with a margin (``order_lag``)
for its way from a cart into the order manager's figures. Doubt is resolved towards showing less.

Source: the founding product subtracts orders that came after the last read, from any cart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from attrs import field, frozen

from omsync import checks
from omsync.allocation import Notice
from omsync.allocation.notices import few
from omsync.checks import counted, to_the_second
from omsync.errors import InvalidValueError
from omsync.model import Alias, InventorySnapshot
from omsync.settings import CartSettings

__all__ = ["InFlightOrder", "OrderLine", "OrderWindow", "OrdersNetted", "net_orders"]

SETTLING = timedelta(minutes=2)
"""How long an order may take from its arrival in the order manager into the figures there; also the most by
which the order manager's clock may differ from ours."""


@frozen(kw_only=True)
class OrderLine:
    """One line of an order; it names the product by one of the two codes, or by both.

    Args:
        quantity: Pieces ordered.
        listing_sku: The code under which the cart sold it.
        master_sku: The order manager's own code.
    """

    quantity: int = field(validator=checks.whole(minimum=0))
    listing_sku: str | None = field(default=None, validator=checks.optional(checks.text))
    master_sku: str | None = field(default=None, validator=checks.optional(checks.text))

    def __attrs_post_init__(self) -> None:
        if self.listing_sku is None and self.master_sku is None:
            raise InvalidValueError(
                "An OrderLine names no product", remedy="Give its listing_sku, its master_sku, or both."
            )


@frozen(kw_only=True)
class InFlightOrder:
    """One order, as one place tells of it.

    Args:
        order_id: The channel's own order number. Blanks around it, a ``#`` before it and letter case say
            nothing, so that ``"#1001"`` of a cart is ``"1001"`` of the order manager.
        source: Who tells of it, such as ``"Extensiv Order Manager"`` or ``"cart shop"``.
        channel: Where it was sold: a cart's name, or a sales channel's id or exact name. Empty: nobody says;
            such an order is never taken for one that another place tells of.
        placed_at: When the shopper placed it; aware.
        taken_in_at: When the order manager took it in and promised its units; None where nobody says.
        lines: What was ordered.
        status: ``"open"``: it takes stock, or has taken it. ``"cancelled"``: it takes none.
        part: The source's own id where it keeps one order in several parts.
    """

    order_id: str = field(validator=checks.text)
    source: str = field(validator=checks.text)
    channel: str = field(default="", validator=checks.any_text)
    placed_at: datetime = field(converter=checks.to_utc, validator=checks.moment)
    taken_in_at: datetime | None = field(
        default=None, converter=checks.to_utc, validator=checks.optional(checks.moment)
    )
    lines: tuple[OrderLine, ...] = field(
        converter=checks.as_tuple, validator=checks.each(checks.instance_of(OrderLine))
    )
    status: str = field(default="open", validator=checks.one_of("open", "cancelled"))
    part: str = field(default="", validator=checks.any_text)

    @property
    def number(self) -> str:
        """The order number as it is compared."""
        return self.order_id.strip().removeprefix("#").strip().casefold()


@frozen(kw_only=True)
class OrderWindow:
    """From when to when orders may be missing from a snapshot.

    Args:
        taken_at: When the snapshot's reading began.
        lag: How long an order may take from a cart into the order manager's figures.
        until: When the orders were read.
    """

    taken_at: datetime = field(converter=checks.to_utc, validator=checks.moment)
    lag: timedelta = field(validator=checks.instance_of(timedelta))
    until: datetime = field(converter=checks.to_utc, validator=checks.moment)

    @property
    def since(self) -> datetime:
        """The earliest moment that matters, by whatever clock an order is told."""
        return self.taken_at - max(self.lag, SETTLING)

    def is_seen(self, order: InFlightOrder) -> bool:
        """Tell whether the snapshot holds the order."""
        if order.taken_in_at is not None:
            return order.taken_in_at < self.taken_at - SETTLING
        return order.placed_at < self.taken_at - self.lag

    def __str__(self) -> str:
        return f"from {to_the_second(self.since)} to {to_the_second(self.until)}"


@frozen(kw_only=True)
class OrdersNetted:
    """What the orders that a snapshot has not seen add up to.

    Args:
        by_sku: Units by master SKU. A bundle stands under its own SKU; the engine takes it apart.
        by_cart: The same, by the name of the cart that sold them.
        window: From when to when.
        orders: How many orders take units.
        seen: How many the snapshot has seen already.
        cancelled: How many take none.
        told_twice: How many were told by more than one place, and counted once.
        unknown: Codes that no product stands for, sorted; their pieces are subtracted from nothing.
    """

    by_sku: Mapping[str, int] = field(converter=checks.as_mapping)
    by_cart: Mapping[str, Mapping[str, int]] = field(converter=checks.as_mapping)
    window: OrderWindow
    orders: int = 0
    seen: int = 0
    cancelled: int = 0
    told_twice: int = 0
    unknown: tuple[str, ...] = ()

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Say what was subtracted and from when to when, and what could not be."""
        besides = {
            "seen by them already": self.seen,
            "told by two places and counted once": self.told_twice,
            "cancelled": self.cancelled,
        }
        text = (
            f"{counted(self.orders, 'order')} {self.window} that the figures of "
            f"{to_the_second(self.window.taken_at)} have not seen: "
            f"{counted(sum(self.by_sku.values()), 'unit')} subtracted"
        )
        more = [f"{number:,} {words}" for words, number in besides.items() if number]
        message = "; ".join([text, *more])
        notices = [Notice(reason="orders_in_flight", message=message, entries=tuple(sorted(self.by_sku)))]
        if self.unknown:
            notices.append(
                Notice(
                    reason="orders_of_unknown_skus",
                    message=f"Orders name what no product stands for, so it is subtracted from nothing: "
                    f"{few(self.unknown)}",
                    entries=self.unknown,
                )
            )
        return tuple(notices)


def net_orders(
    orders: Iterable[InFlightOrder],
    snapshot: InventorySnapshot,
    window: OrderWindow,
    carts: Iterable[CartSettings] = (),
) -> OrdersNetted:
    """Add up the orders that a snapshot has not seen, each of them once.

    Two places tell of one order when channel and order number are the same; of each product the larger
    figure counts, less what the order manager says that it took in before the snapshot. Parts of an order
    that one place tells apart are added; a part that it tells twice counts as told last. An order counts
    unless every place that tells of it says that it is cancelled.

    Args:
        orders: Told by any number of places, in any order.
        snapshot: Its aliases say what a listing SKU stands for.
        window: From when to when.
        carts: The carts that orders may name; their alias and units go before the order manager's.
    """
    told = tuple(orders)
    names = _Names(told, snapshot, tuple(carts))
    places: defaultdict[tuple[str, str], dict[tuple[str, str], InFlightOrder]] = defaultdict(dict)
    for order in told:
        channel = names.channel_of(order)
        # Without a channel, equal numbers of two shops would pass as one order, and one would be lost.
        whose = channel if order.channel else f"told by {order.source}"
        places[whose, order.number][order.source, order.part] = order
    by_sku: Counter[str] = Counter()
    by_channel: defaultdict[str, Counter[str]] = defaultdict(Counter)
    tally: Counter[str] = Counter()
    unknown: set[str] = set()
    for (channel, _), parts in places.items():
        live = [one for one in parts.values() if one.status == "open"]
        strange: set[str] = set()
        pending = _pending(live, window, names, strange)
        by_sku += pending
        by_channel[channel] += pending
        unknown |= strange
        tally["told_twice"] += len({one.source for one in live}) > 1
        tally["orders" if pending or strange else "seen" if live else "cancelled"] += 1
    return OrdersNetted(
        by_sku=dict(sorted(by_sku.items())),
        by_cart={
            name: checks.as_mapping(by_channel[channel])
            for name, channel in names.carts.items()
            if channel in by_channel
        },
        window=window,
        orders=tally["orders"],
        seen=tally["seen"],
        cancelled=tally["cancelled"],
        told_twice=tally["told_twice"],
        unknown=tuple(sorted(unknown)),
    )


def _pending(
    parts: Iterable[InFlightOrder], window: OrderWindow, names: _Names, unknown: set[str]
) -> Counter[str]:
    """Give the units of one order that the snapshot does not hold."""
    totals: defaultdict[str, Counter[str]] = defaultdict(Counter)
    held: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for part in parts:
        is_seen = window.is_seen(part)
        if is_seen and part.taken_in_at is None:
            continue
        units = names.units_of(part, set() if is_seen else unknown)
        totals[part.source] += units
        if is_seen:
            held[part.source] += units
    most, taken_in = Counter[str](), Counter[str]()
    for source, units in totals.items():
        most |= units
        taken_in |= held[source]
    return most - taken_in


class _Names:
    """What the codes and channels of orders stand for."""

    def __init__(
        self, orders: Iterable[InFlightOrder], snapshot: InventorySnapshot, carts: tuple[CartSettings, ...]
    ) -> None:
        wanted = {line.listing_sku for order in orders for line in order.lines}
        self._aliases: defaultdict[str, list[Alias]] = defaultdict(list)
        for alias in snapshot.aliases:
            if alias.listing_sku in wanted:
                self._aliases[alias.listing_sku].append(alias)
        self._products = {sku.master_sku for sku in snapshot.skus}
        self._channels = {channel.name: channel.id for channel in snapshot.sales_channels}
        self._channels |= {channel.id: channel.id for channel in snapshot.sales_channels}
        self._channels |= {alias.name: alias.channel_id for alias in snapshot.aliases if alias.channel_id}
        sold_by = {cart.name: self._channels.get(cart.alias or cart.name, cart.name) for cart in carts}
        shared = Counter(sold_by.values())
        self.carts = {
            name: channel if shared[channel] == 1 else f"cart {name}" for name, channel in sold_by.items()
        }
        self._settings = {self.carts[cart.name]: cart for cart in carts}

    def channel_of(self, order: InFlightOrder) -> str:
        """Give the channel under the one name that all places share."""
        return self.carts.get(order.channel) or self._channels.get(order.channel, order.channel)

    def units_of(self, order: InFlightOrder, unknown: set[str]) -> Counter[str]:
        """Give the units ordered, by master SKU; what nothing stands for is added to the unknown."""
        channel = self.channel_of(order)
        units: Counter[str] = Counter()
        for line in order.lines:
            meant = set(self._meanings(line, channel))
            if len(meant) == 1:
                ((master_sku, pack),) = meant
                units[master_sku] += line.quantity * pack
            elif line.quantity:
                unknown.add(line.listing_sku or line.master_sku or "")
        return units

    def _meanings(self, line: OrderLine, channel: str) -> Iterator[tuple[str, int]]:
        """Give the products, and units of them in one piece, that a line may mean."""
        listed = list(self._listed(line.listing_sku, channel)) if line.listing_sku else []
        if line.master_sku is None:
            yield from listed
            return
        # The order manager named the product itself; the listing only tells how many are in one piece.
        packs = [pack for master_sku, pack in listed if master_sku == line.master_sku]
        yield line.master_sku, max(packs, default=1)

    def _listed(self, listing_sku: str, channel: str) -> Iterator[tuple[str, int]]:
        cart = self._settings.get(channel)
        units = cart.units if cart is not None else {}
        everywhere = self._aliases.get(listing_sku, [])
        names = {channel} if cart is None or cart.alias is None else {channel, cart.alias}
        here = [alias for alias in everywhere if not names.isdisjoint({alias.name, alias.channel_id})]
        for alias in here or everywhere:
            yield alias.master_sku, units.get(listing_sku, alias.units)
        if not everywhere and listing_sku in self._products:
            yield listing_sku, units.get(listing_sku, 1)
