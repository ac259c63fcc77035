"""Rules 1 to 3 over columns: the total of every product at the locations that a cart counts.

What one location contributes is worked out once and serves every cart; what is kept for that is one column
for each location.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from functools import cached_property
from itertools import compress, count

from omsync.allocation.columnar.adding import added, are_small, below_zero
from omsync.allocation.columnar.buffers import Flags, Numbers, as_numbers, copied, packed
from omsync.allocation.columnar.bundles import BundleColumns, BundleGroup
from omsync.allocation.columnar.cart import CartColumns, Counting, Row
from omsync.allocation.columnar.rules import Told
from omsync.allocation.columnar.stock import StockColumns

__all__ = ["Totals"]


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

    def recorded(self, counting: Counting) -> Flags:
        """Tell which products have a stock record at a counted location."""
        return _any_of(
            [self._stock.recorded[location] for location in counting.locations], self._stock.products
        )

    def of(self, counting: Counting) -> Sequence[int]:
        """Give the total of each product, signed: shelf units plus what parts make; 0 without a record."""
        totals = self._sum([self._column(location) for location in counting.locations], self._stock.products)
        for group in self._bundles.groups:
            self._add(totals, group.bundles, self._built_of(group, counting))
        return totals

    def row(self, cart: CartColumns, counting: Counting) -> Row:
        """Give the quantities of a cart's listings for one counting."""
        of_product, recorded = self.of(counting), self.recorded(counting)
        products = cart.products
        if cart.units is None and not cart.rules_by_product:
            table = Told(1, cart.rules)
            quantities = [table[of_product[product]] for product in products]
            told_without = table[0]
        else:
            kinds = cart.kinds()
            tables = {kind: Told(*kind) for kind in set(kinds)}
            quantities = [
                tables[kind][of_product[product]] for kind, product in zip(kinds, products, strict=True)
            ]
            told_without = max((table[0] for table in tables.values()), default=0)
        if told_without:
            # What has no record there is told 0, whatever the rules make of nothing.
            quantities = [
                quantity if recorded[product] else 0
                for quantity, product in zip(quantities, products, strict=True)
            ]
        return Row(quantities=packed(quantities), totals=of_product, recorded=recorded)

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
            found = {place for parts in group.parts for place in _marked(map(self._owed.__getitem__, parts))}
            self._touched[id(group)] = array("q", sorted(found))
        return self._touched[id(group)]

    @cached_property
    def _owed(self) -> Flags:
        """The products of which more is promised than there is at any location."""
        columns = map(self._column, range(self._stock.locations))
        return _any_of(list(map(below_zero, columns)), self._stock.products)

    def _built_at(self, group: BundleGroup, location: int) -> Numbers:
        """Give the bundles that the parts at one location make, where the bundle has a record."""
        kept = self._built.setdefault(id(group), {})
        if location not in kept:
            kept[location] = as_numbers(packed(self._build(group, location)))
        return kept[location]

    def _build(self, group: BundleGroup, location: int) -> list[int]:
        flags = self._stock.recorded[location]
        own = bytes(map(flags.__getitem__, group.bundles))
        built = [0] * len(own)
        for place, pieces in zip(_marked(own), _makes(self._column(location), group, own), strict=True):
            built[place] = pieces
        return built

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


def _makes(here: Numbers, group: BundleGroup, own: Flags) -> list[int]:
    """Give max(0, the least of each part's figure // its need), for the bundles that are chosen."""
    # An array, since of figures all over the place a list's would be too far apart for the processor's cache.
    figures = copied(here)
    made: list[int] = []
    for parts, needs in zip(group.parts, group.needs, strict=True):
        chosen = zip(compress(copied(parts), own), compress(copied(needs), own), strict=True)
        if made:
            made = [
                one if one < (other := figures[part] // need) else other
                for one, (part, need) in zip(made, chosen, strict=True)
            ]
        else:
            made = [figures[part] // need for part, need in chosen]
    return [max(0, pieces) for pieces in made]


def _marked(flags: Iterable[int]) -> Iterator[int]:
    """Give the places that are flagged."""
    return compress(count(), flags)


def _any_of(flags: Sequence[Flags], products: int) -> Flags:
    """Give 1 where any of several columns of flags has it; as whole numbers, which are or-ed at once."""
    if len(flags) == 1:
        return flags[0]
    together = 0
    for column in flags:
        together |= int.from_bytes(column, "little")
    return together.to_bytes(products, "little")
