"""Rules 1 to 10 over columns with numpy, on the same buffers and with the same results."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omsync.allocation.columnar.buffers import Flags
from omsync.allocation.columnar.bundles import BundleColumns, BundleGroup
from omsync.allocation.columnar.cart import CartColumns, Counting, Row
from omsync.allocation.columnar.rules import told
from omsync.allocation.columnar.stock import StockColumns
from omsync.settings import QuantityRules

__all__ = ["FastTotals"]

Whole = NDArray[np.signedinteger[Any]]

_SMALL = 2**31 - 1

_WIDEST = 1 << 22
"""Totals from the smallest to the largest that are tabulated; of a wider range each is worked out once."""


class FastTotals:
    """The totals of all products, for one counting after another.

    Args:
        stock: What is available; its buffers are used as they are.
        bundles: What is built from parts.
        clamp_each: Lift a negative figure to 0 at each location.

    Raises:
        OverflowError: Figures are so large that a total might not fit into eight bytes.
    """

    def __init__(self, stock: StockColumns, bundles: BundleColumns, *, clamp_each: bool = False) -> None:
        columns = [_whole(column) for column in stock.available]
        # What is built adds at most as much again.
        widest = 2 * stock.locations * max(map(_width, columns), default=0)
        if widest > 2**63 - 1:
            raise OverflowError("The figures are too large for totals of eight bytes")
        self._kind: type[np.signedinteger[Any]] = np.int32 if widest <= _SMALL else np.int64
        self._columns = [np.maximum(column, 0) for column in columns] if clamp_each else columns
        self._flags = [np.frombuffer(flags, dtype=np.uint8) for flags in stock.recorded]
        self._products = stock.products
        self._groups = [_Group(group) for group in bundles.groups]

    def recorded(self, counting: Counting) -> Flags:
        """Tell which products have a stock record at a counted location."""
        return self._recorded(counting).tobytes()

    def of(self, counting: Counting) -> Whole:
        """Give the total of each product, signed: shelf units plus what parts make; 0 without a record."""
        totals = np.zeros(self._products, dtype=self._kind)
        for location in counting.locations:
            totals += self._columns[location]
        for group in self._groups:
            totals[group.bundles] += self._built(group, counting)
        return totals

    def rows(self, cart: CartColumns) -> tuple[Row, ...]:
        """Give the quantities of a cart's listings, a row for each counting."""
        return tuple(self._row(cart, counting) for counting in cart.counting)

    def _row(self, cart: CartColumns, counting: Counting) -> Row:
        totals, recorded = self.of(counting), self._recorded(counting)
        products = _whole(cart.products)
        of_listing = totals[products]
        if cart.units is None and not cart.rules_by_product:
            quantities = _told(of_listing, 1, cart.rules)
            told_without = told(0, 1, cart.rules)
        else:
            quantities = np.zeros(len(products), dtype=np.int64)
            kinds = cart.kinds()
            places = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
            which = np.fromiter(map(places.__getitem__, kinds), dtype=np.int64, count=len(kinds))
            for (units, rules), number in places.items():
                chosen = which == number
                quantities[chosen] = _told(of_listing[chosen], units, rules)
            told_without = max((told(0, *kind) for kind in places), default=0)
        if told_without:
            # What has no record there is told 0, whatever the rules make of nothing.
            quantities *= recorded[products]
        return Row(quantities=_packed(quantities), totals=_viewed(totals), recorded=recorded.tobytes())

    def _recorded(self, counting: Counting) -> NDArray[np.uint8]:
        together = np.zeros(self._products, dtype=np.uint8)
        for location in counting.locations:
            together |= self._flags[location]
        return together

    def _built(self, group: _Group, counting: Counting) -> Whole:
        if counting.pooled:
            everyone = np.arange(len(group.bundles))
            recorded = self._recorded(counting)[group.bundles]
            return self._limits(group, counting, everyone) * recorded
        built = np.zeros(len(group.bundles), dtype=self._kind)
        for location in counting.building:
            built += self._built_at(group, location)
        if len(counting.locations) > 1:
            touched = self._touched_by_debts(group)
            concerned = touched[built[touched] > 0]
            limits = self._limits(group, counting, concerned)
            built[concerned] = np.minimum(built[concerned], limits)
        return built

    def _touched_by_debts(self, group: _Group) -> Whole:
        """Give the bundles with a part of which more is promised than there is, at any location."""
        if group.touched is None:
            group.touched = np.flatnonzero(np.logical_or.reduce([self._owed[parts] for parts in group.parts]))
        return group.touched

    @cached_property
    def _owed(self) -> NDArray[np.bool_]:
        """The products of which more is promised than there is at any location."""
        owed = np.zeros(self._products, dtype=np.bool_)
        for column in self._columns:
            owed |= column < 0
        return owed

    def _built_at(self, group: _Group, location: int) -> Whole:
        """Give the bundles that the parts at one location make, where bundle and parts have records."""
        if location not in group.built:
            column, flags = self._columns[location], self._flags[location]
            complete = np.flatnonzero(
                np.bitwise_and.reduce([flags[each] for each in (group.bundles, *group.parts)])
            )
            built = np.zeros(len(group.bundles), dtype=column.dtype)
            built[complete] = _least(
                [column[parts[complete]] // needs[complete] for parts, needs in group.pairs]
            )
            group.built[location] = built
        return group.built[location]

    def _limits(self, group: _Group, counting: Counting, places: Whole) -> Whole:
        """Give what the parts make when netted over the counted locations, for some bundles of a group."""
        pieces = []
        for parts, needs in group.pairs:
            chosen = parts[places]
            everywhere = np.zeros(len(chosen), dtype=self._kind)
            lent = np.zeros(len(chosen), dtype=self._kind)
            for location in counting.locations:
                everywhere += self._columns[location][chosen]
            for location in counting.building:
                lent += np.maximum(self._columns[location][chosen], 0)
            pieces.append(np.minimum(everywhere, lent) // needs[places])
        return _least(pieces)


class _Group:
    """Bundles of equally many parts, and what has been worked out of them."""

    def __init__(self, group: BundleGroup) -> None:
        self.bundles = _whole(group.bundles)
        self.parts = [_whole(column) for column in group.parts]
        self.needs = [_whole(column) for column in group.needs]
        self.built: dict[int, Whole] = {}
        self.touched: Whole | None = None

    @property
    def pairs(self) -> list[tuple[Whole, Whole]]:
        return list(zip(self.parts, self.needs, strict=True))


def _least(pieces: Sequence[Whole]) -> Whole:
    least = pieces[0]
    for other in pieces[1:]:
        least = np.minimum(least, other)
    return np.maximum(least, 0)


def _told(totals: Whole, units: int, rules: QuantityRules) -> Whole:
    """Look up what each total is told as."""
    if not len(totals):
        return np.zeros(0, dtype=np.int64)
    least, most = int(totals.min()), int(totals.max())
    if most - least < min(_WIDEST, 4 * len(totals) + 1000):
        return _told_each(range(least, most + 1), units, rules)[totals - least]
    each, places = np.unique(totals, return_inverse=True)
    return _told_each(each.tolist(), units, rules)[places]


def _told_each(totals: Sequence[int], units: int, rules: QuantityRules) -> Whole:
    pieces = (told(total, units, rules) for total in totals)
    table = np.fromiter(pieces, dtype=np.int64, count=len(totals))
    return table.astype(np.int32) if table.max() <= _SMALL else table


def _whole(column: memoryview) -> Whole:
    return np.frombuffer(column, dtype=np.int32 if column.itemsize == 4 else np.int64)  # noqa: PLR2004  bytes


def _width(column: Whole) -> int:
    """Give the largest size of a column's numbers, whatever their sign."""
    return max(abs(int(column.min())), abs(int(column.max()))) if len(column) else 0


def _packed(quantities: Whole) -> array[int]:
    kind: type[np.signedinteger[Any]] = np.int64
    if quantities.dtype == np.int32 or not len(quantities) or quantities.max() <= _SMALL:
        kind = np.int32
    kept = array("i" if kind is np.int32 else "q", bytes(kind().itemsize * len(quantities)))
    np.frombuffer(kept, dtype=kind)[:] = quantities
    return kept


def _viewed(column: Whole) -> memoryview[int]:
    return memoryview(column)  # type: ignore[arg-type]  # an array is a buffer; numpy's types say so later
