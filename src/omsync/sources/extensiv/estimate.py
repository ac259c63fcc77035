"""What a read costs, before anybody makes it: calls, time, and how often is sensible.

The arithmetic is that of the source itself: one page of every list in each round, an empty page at the end
of each list, and one pace for each kind of call. Time is what the pace allows; a slow network adds to it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

from attrs import frozen

from omsync.errors import InvalidValueError
from omsync.http.pacing import Pace
from omsync.model import InventorySnapshot
from omsync.ports import RunRecord
from omsync.sources.extensiv.source import complete_page_sizes

__all__ = ["ReadCost", "ReadEstimate", "estimate_from_snapshot", "estimate_read"]

_ASKED_ONCE = 2
"""The limits and the sales channels; each is its own kind of call."""


@frozen(kw_only=True)
class ReadCost:
    """The cost of one read.

    Args:
        stock_calls: Calls that bring stock: the pages that hold rows, in warehouse mode with the list of
            warehouses, in channel mode with that of channels.
        empty_pages: Calls that find the end of a list of stock.
        catalogue_calls: Calls for products and listings.
        other_calls: Limits, and in warehouse mode the channels.
        duration: What the pace allows.
    """

    stock_calls: int
    empty_pages: int
    catalogue_calls: int
    other_calls: int
    duration: timedelta

    @property
    def calls(self) -> int:
        """All calls."""
        return self.stock_calls + self.empty_pages + self.catalogue_calls + self.other_calls

    def __str__(self) -> str:
        return f"{self.calls:,} calls, {_words(self.duration)}"


@frozen(kw_only=True)
class ReadEstimate:
    """What reads cost in both modes.

    Args:
        pace: The pace that it is made for.
        warehouse_first: The first read by warehouse; also every full pass.
        warehouse_usual: A usual read by warehouse: all stock, and what changed of the catalogue.
        channel_first: The first read by channel.
        channel_usual: A usual read by channel: changes only.
    """

    pace: Pace
    warehouse_first: ReadCost
    warehouse_usual: ReadCost
    channel_first: ReadCost
    channel_usual: ReadCost

    @property
    def warehouse_interval(self) -> timedelta:
        """The shortest sensible interval by warehouse: twice the usual read, in whole hours, at least one."""
        return _interval(self.warehouse_usual)

    @property
    def channel_interval(self) -> timedelta:
        """The shortest sensible interval by channel: twice the usual read, in whole hours, at least one."""
        return _interval(self.channel_usual)

    def __str__(self) -> str:
        lines = [f"At {_rate(self.pace)}:"]
        for mode, first, usual, interval in (
            ("per warehouse", self.warehouse_first, self.warehouse_usual, self.warehouse_interval),
            ("per sales channel", self.channel_first, self.channel_usual, self.channel_interval),
        ):
            hours = interval // timedelta(hours=1)
            every = "every hour" if hours == 1 else f"every {hours} hours"
            lines.append(f"  {mode + ':':<18} first {first}; usually {usual}; {every} is sensible")
        return "\n".join(lines)


def estimate_read(
    products: int,
    warehouses: int,
    channels: int,
    pace: Pace,
    *,
    listings: int | None = None,
    changed: float = 0.01,
    stock: str = "totals",
    locations: int = 1,
    page_sizes: Mapping[str, int] | None = None,
) -> ReadEstimate:
    """Estimate what reads cost.

    Args:
        products: Products with stock.
        warehouses: Active warehouses.
        channels: Sales channels to read.
        pace: How fast each kind of call may go.
        listings: Listings in all; one for each product and channel when left out.
        changed: The share of products that change between two reads, from 0 to 1.
        stock: ``"totals"`` or ``"rows"``, as the source has it.
        locations: Stock locations of a product in a warehouse; concerns ``stock="rows"``.
        page_sizes: Rows in a page where they differ from the source's own.

    At 1 call in 5 seconds, a usual read of 20,000 products takes 42 minutes in five warehouses, and under a
    minute in three channels.
    """
    listed = products * channels if listings is None else listings
    counts = {"products": products, "warehouses": warehouses, "channels": channels, "listings": listed}
    for name, value in {**counts, "locations": locations}.items():
        if type(value) is not int or value < 0:
            raise InvalidValueError(f"estimate_read({name}=) must be a whole number from 0, not {value!r}")
    if not 0 <= changed <= 1:
        raise InvalidValueError(f"estimate_read(changed=) must be a share from 0 to 1, not {changed!r}")
    if stock not in {"totals", "rows"}:
        raise InvalidValueError(f"estimate_read(stock=) must be 'totals' or 'rows', not {stock!r}")
    size = complete_page_sizes(page_sizes or {})
    changes = math.ceil(products * Fraction(str(changed)))
    relisted = math.ceil(listed * Fraction(str(changed)))

    def pages(rows: int, resource: str) -> int:
        return math.ceil(rows / size[resource])

    def catalogue(of_products: int, of_listings: int) -> dict[str, list[int]]:
        return {
            "products": [pages(of_products, "products")],
            "listings": [pages(of_listings, "listings")],
        }

    per_warehouse = [pages(products, "totals")] * warehouses
    if stock == "rows":
        per_warehouse = [pages(products * warehouses * locations, "inventory")]

    def by_warehouse(lists: Mapping[str, list[int]]) -> ReadCost:
        return _cost(pace, lists=lists, stock=per_warehouse, acknowledged=[])

    def by_channel(lists: Mapping[str, list[int]], told: int) -> ReadCost:
        return _cost(
            pace, lists=lists, stock=None, acknowledged=[max(1, pages(told, "acknowledge"))] * channels
        )

    return ReadEstimate(
        pace=pace,
        warehouse_first=by_warehouse(catalogue(products, listed)),
        warehouse_usual=by_warehouse(catalogue(changes, relisted)),
        channel_first=by_channel(catalogue(products, listed), products),
        channel_usual=by_channel(catalogue(changes, relisted), changes),
    )


def estimate_from_snapshot(
    snapshot: InventorySnapshot,
    pace: Pace,
    *,
    run: RunRecord | None = None,
    page_sizes: Mapping[str, int] | None = None,
) -> ReadEstimate:
    """Estimate what reads cost from the last one.

    Args:
        snapshot: The last complete reading; its products, active warehouses, channels and listings count.
        pace: How fast each kind of call may go.
        run: The record of that read. Where it counts ``calls`` and took longer than the pace alone would
            have it, because the network or the order manager was slower, its own pace is taken.
        page_sizes: As for ``estimate_read``.
    """
    calls = run.counts.get("calls", 0) if run is not None else 0
    if run is not None and run.duration and calls:
        seen = calls / run.duration.total_seconds()
        if seen < pace.per_second:
            pace = Pace(per_second=seen, burst=pace.burst)
    by_channel = snapshot.scope == "channel"
    return estimate_read(
        len(snapshot.levels.master_skus),
        sum(warehouse.active for warehouse in snapshot.warehouses),
        len(snapshot.levels.location_ids)
        if by_channel
        else sum(channel.active for channel in snapshot.sales_channels),
        pace,
        listings=len(snapshot.aliases),
        page_sizes=page_sizes,
    )


def _cost(
    pace: Pace, *, lists: Mapping[str, list[int]], stock: list[int] | None, acknowledged: list[int]
) -> ReadCost:
    """Add up calls, and the time of rounds that fetch one page of each list side by side.

    Within a round, calls of one kind wait for each other; so a round lasts as long as its commonest kind.
    """
    kinds = {**lists, "stock": stock or []}
    ends = [(kind, pages + 1) for kind, each in kinds.items() for pages in each]
    intervals = 0
    for round_number in range(1, max((last for _, last in ends), default=0) + 1):
        intervals += max(Counter(kind for kind, last in ends if last >= round_number).values())
    intervals += sum(acknowledged)
    seconds = max(0, intervals - pace.burst) / pace.per_second
    return ReadCost(
        stock_calls=1 + sum(stock or []) + sum(acknowledged),
        empty_pages=len(stock or []),
        catalogue_calls=sum(pages + 1 for each in lists.values() for pages in each),
        other_calls=_ASKED_ONCE if stock is not None else 1,
        duration=timedelta(seconds=seconds),
    )


def _interval(usual: ReadCost) -> timedelta:
    hours = math.ceil(2 * usual.duration / timedelta(hours=1))
    return timedelta(hours=max(1, hours))


def _rate(pace: Pace) -> str:
    if pace.per_second >= 1:
        return f"{pace.per_second:g} calls a second of each kind"
    return f"1 call of each kind every {1 / pace.per_second:g} seconds"


def _words(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    if seconds < 100:  # noqa: PLR2004  from there on, minutes read better
        return f"about {math.ceil(seconds)} s"
    if seconds < 100 * 60:
        return f"about {math.ceil(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"
