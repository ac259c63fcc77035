"""Rules 1 to 3 over columns: the total of every product at the locations that a cart counts.

What one location contributes is worked out once and serves every cart; what is kept for that is one column
for each location.
"""

from __future__ import annotations

from array import array
from collections.abc import MutableSequence, Sequence
from functools import cached_property
from itertools import compress

from omsync.allocation.columnar.adding import added, are_small, below_zero
from omsync.allocation.columnar.buffers import Flags, Numbers, as_numbers, copied, packed, taker
from omsync.allocation.columnar.bundles import BundleColumns, BundleGroup
from omsync.allocation.columnar.cart import CartColumns, Counting, Row
from omsync.allocation.columnar.flags import all_of, any_of, folded, marked, unfolded
from omsync.allocation.columnar.rules import Told
from omsync.allocation.columnar.stock import StockColumns

__all__ = ["Totals"]

_AT_ONCE = 8192
"""So many listings are told together: what they need meanwhile stays in the processor's cache."""


class Totals:
    """The totals of all products, for one counting after another.

    Args:
        stock: What is available.
        bundles: What is built from parts.
        clamp_each: Lift a negative figure to 0 at each location.
    """

    def __init__(self, stock: StockColumns, bundles: BundleColumns, *, clamp_each: bool = False) -> None:
        self._stock = stock
        self._bundles = bundles
        self._clamp_each = clamp_each
        self._small = are_small(stock.available)
        self._columns: dict[int, Numbers] = {}
        self._touched: dict[int, array[int]] = {}
        self._built: dict[int, dict[int, Numbers]] = {}
        self._completes: dict[int, Sequence[Flags]] = {}

    def recorded(self, counting: Counting) -> Flags:
        """Tell which products have a stock record at a counted location."""
        return any_of(
            [self._stock.recorded[location] for location in counting.locations], self._stock.products
        )

    def of(self, counting: Counting) -> Sequence[int]:
        """Give the total of each product, signed: shelf units plus what parts make; 0 without a record."""
        totals = self._sum([self._column(location) for location in counting.locations], self._stock.products)
        for group in self._bundles.groups:
            self._add(totals, group.bundles, self._built_of(group, counting))
        return totals

    def rows(self, cart: CartColumns) -> tuple[Row, ...]:
        """Give the quantities of a cart's listings, a row for each counting."""
        totals = [self.of(counting) for counting in cart.counting]
        recorded = [self.recorded(counting) for counting in cart.counting]
        products = cart.products
        if cart.units is None and not cart.rules_by_product:
            table = Told(1, cart.rules)
            quantities = _told(table, totals, products)
            told_without = table[0]
        else:
            kinds = cart.kinds()
            tables = {kind: Told(*kind) for kind in set(kinds)}
            quantities = [
                packed(tables[kind][column[product]] for kind, product in zip(kinds, products, strict=True))
                for column in totals
            ]
            told_without = max((table[0] for table in tables.values()), default=0)
        if told_without:
            # What has no record there is told 0, whatever the rules make of nothing.
            quantities = [
                packed(one if flags[product] else 0 for one, product in zip(told, products, strict=True))
                for told, flags in zip(quantities, recorded, strict=True)
            ]
        return tuple(
            Row(quantities=told, totals=column, recorded=flags)
            for told, column, flags in zip(quantities, totals, recorded, strict=True)
        )

    def _sum(self, columns: Sequence[Sequence[int]], length: int) -> MutableSequence[int]:
        """Add columns up, entry by entry; in four bytes each where that surely suffices."""
        if self._small:
            return added(columns) if columns else array("i", bytes(4 * length))
        return list(map(sum, zip(*columns, strict=True))) if columns else [0] * length

    def _add(self, totals: MutableSequence[int], bundles: Numbers, built: Sequence[int]) -> None:
        """Add what is built to the totals of the bundles."""
        first = bundles[0]
        if bundles[-1] - first == len(bundles) - 1:
            # They are sorted, so these follow one another.
            own = slice(first, first + len(bundles))
            totals[own] = self._sum([totals[own], built], len(bundles))
            return
        for bundle, pieces in zip(bundles, built, strict=True):
            totals[bundle] += pieces

    def _built_of(self, group: BundleGroup, counting: Counting) -> Sequence[int]:
        places = range(len(group.bundles))
        if counting.pooled:
            recorded = self.recorded(counting)
            limits = self._limits(group, counting, places)
            pooled = [
                limit if recorded[bundle] else 0 for limit, bundle in zip(limits, group.bundles, strict=True)
            ]
            return array("i", pooled) if self._small else pooled
        built = self._sum([self._built_at(group, location) for location in counting.building], len(places))
        if len(counting.locations) == 1:
            # There is nothing to net a debt against.
            return built
        concerned = [place for place in self._touched_by_debts(group) if built[place]]
        for place, limit in zip(concerned, self._limits(group, counting, concerned), strict=True):
            built[place] = min(built[place], limit)
        return built

    def _touched_by_debts(self, group: BundleGroup) -> Sequence[int]:
        """Give the bundles with a part of which more is promised than there is, at any location.

        The parts of the others make at all locations together at least what they make at each.
        """
        if id(group) not in self._touched:
            owed = [bytes(taker(parts)(self._owed)) for parts in group.parts]
            self._touched[id(group)] = array("q", marked(any_of(owed, len(group.bundles))))
        return self._touched[id(group)]

    @cached_property
    def _owed(self) -> Flags:
        """The products of which more is promised than there is at any location."""
        columns = map(self._column, range(self._stock.locations))
        return any_of(list(map(below_zero, columns)), self._stock.products)

    def _built_at(self, group: BundleGroup, location: int) -> Numbers:
        """Give the bundles that the parts at one location make, where the bundle has a record."""
        kept = self._built.setdefault(id(group), {})
        if location not in kept:
            kept[location] = as_numbers(self._build(group, location))
        return kept[location]

    def _build(self, group: BundleGroup, location: int) -> array[int]:
        complete = self._complete(group)[location]
        built = array("i" if self._small else "q", [0]) * len(complete)
        made = _makes(self._column(location), group, complete)
        for place, pieces in zip(marked(complete), made, strict=True):
            built[place] = pieces
        return built

    def _complete(self, group: BundleGroup) -> Sequence[Flags]:
        """Give for each location the bundles that have a record there, as all of their parts have.

        Elsewhere nothing is built. Records at eight locations are looked up at once, as the bits of a byte.
        """
        if id(group) not in self._completes:
            self._completes[id(group)] = [
                flags
                for marks in self._marks
                for flags in unfolded(
                    all_of([bytes(taker(column)(marks)) for column in (group.bundles, *group.parts)])
                )
            ]
        return self._completes[id(group)]

    @cached_property
    def _marks(self) -> Sequence[Flags]:
        recorded = self._stock.recorded
        return [folded(recorded[first : first + 8]) for first in range(0, len(recorded), 8)]

    def _limits(self, group: BundleGroup, counting: Counting, places: Sequence[int]) -> list[int]:
        """Give what the parts make when netted over the counted locations, for some bundles of a group."""
        netted: dict[int, int] = {}
        everywhere = [self._column(location) for location in counting.locations]
        lending = [self._column(location) for location in counting.building]
        limits = []
        for place in places:
            least: int | None = None
            for parts, needs in zip(group.parts, group.needs, strict=True):
                part = parts[place]
                if part not in netted:
                    lent = sum(max(0, column[part]) for column in lending)
                    netted[part] = min(sum(column[part] for column in everywhere), lent)
                pieces = netted[part] // needs[place]
                least = pieces if least is None else min(least, pieces)
            limits.append(max(0, least or 0))
        return limits

    def _column(self, location: int) -> Numbers:
        if not self._clamp_each:
            return self._stock.available[location]
        if location not in self._columns:
            figures = self._stock.available[location]
            self._columns[location] = as_numbers(packed(max(0, figure) for figure in figures))
        return self._columns[location]


def _told(table: Told, totals: Sequence[Sequence[int]], products: Numbers) -> list[array[int]]:
    """Look up what each listed product's totals are told as, for one column of totals after another."""
    look_up = table.__getitem__
    told = [array("i") for _ in totals]
    for begin in range(0, len(products), _AT_ONCE):
        take = taker(products[begin : begin + _AT_ONCE])
        told = [
            _joined(before, packed(list(map(look_up, take(column)))))
            for before, column in zip(told, totals, strict=True)
        ]
    return told


def _joined(before: array[int], more: array[int]) -> array[int]:
    if before.typecode != more.typecode:
        before, more = array("q", before), array("q", more)
    before.extend(more)
    return before


def _makes(here: Numbers, group: BundleGroup, chosen: Flags) -> list[int]:
    """Give max(0, the least of each part's figure // its need), for the bundles that are chosen."""
    # An array, since of figures all over the place a list's would be too far apart for the processor's cache.
    figures = copied(here)
    made: list[int] = []
    for parts, needs in zip(group.parts, group.needs, strict=True):
        pairs = zip(compress(copied(parts), chosen), compress(copied(needs), chosen), strict=True)
        if made:
            made = [
                one if one < (other := figures[part] // need) else other
                for one, (part, need) in zip(made, pairs, strict=True)
            ]
        else:
            made = [figures[part] // need for part, need in pairs]
    return [max(0, pieces) for pieces in made]
