"""What the carts of one reading have in common, looked up once."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from attrs import evolve

from omsync.allocation.availability import available
from omsync.allocation.building import parts_of
from omsync.allocation.catalogue import Catalogue
from omsync.allocation.columnar.buffers import copied
from omsync.allocation.columnar.bundles import BundleColumns
from omsync.allocation.columnar.ingest import Ingested, ingest
from omsync.allocation.columnar.quantities import Working, totals_of
from omsync.allocation.columnar.stock import StockColumns
from omsync.model import Alias, InventorySnapshot, StockLevel
from omsync.settings import MerchantSettings, PerWarehouse

__all__ = ["PLAIN", "Groundwork"]

PLAIN = ("stock", "bundle_computed", "bundle_reported", "not_at_counted_location")
"""How a product that the columns know comes to its quantity; the places are the codes in ``kinds``."""


class Groundwork:
    """One reading, seen through a merchant's settings.

    Products are numbered so that bundles of equally many parts follow one another.

    Args:
        snapshot: What was read.
        merchant: How figures are understood.
        visible: The locations whose records a cart may see: all, or in sales-channel mode one.
    """

    def __init__(
        self, snapshot: InventorySnapshot, merchant: MerchantSettings, visible: frozenset[str]
    ) -> None:
        self.snapshot = snapshot
        self.merchant = merchant
        self.visible = visible
        self.catalogue = Catalogue(snapshot, merchant, self._recorded())
        self.parts: Mapping[str, Mapping[str, int]] = {
            sku: parts_of(bundle)
            for sku, bundle in self.catalogue.bundles.items()
            if self.catalogue.computed and self.catalogue.bundle_problem(sku) is None
        }

    def over(self, snapshot: InventorySnapshot, changed: Iterable[StockLevel]) -> Groundwork:
        """Give the same over a reading in which figures of some records changed, and nothing else."""
        stock = self.columns.stock
        columns = dict(enumerate(stock.available))
        for level in changed:
            if level.location_id in self.visible:
                place = self.place_of(level.location_id)
                if columns[place] is stock.available[place]:
                    columns[place] = memoryview(copied(stock.available[place]))
                columns[place][self.numbers[level.master_sku]] = self.figure_of(level) or 0
        return self._copy(
            snapshot=snapshot,
            columns=evolve(self.columns, stock=evolve(stock, available=tuple(columns.values()))),
        )

    def narrowed(self, skus: Iterable[str]) -> Groundwork:
        """Give the same with the columns of some products only, and of what those are made of."""
        chosen = sorted(skus)
        parts = {part for sku in chosen if sku in self.flat for part in self.flat[sku]}
        kept = [*chosen, *sorted(parts.difference(chosen))]
        olds = [self.numbers[sku] for sku in kept]
        news = {old: new for new, old in enumerate(olds)}
        stock = self.columns.stock
        narrow = StockColumns(
            products=len(kept),
            available=[array("q", map(column.__getitem__, olds)) for column in stock.available],
            recorded=[bytes(map(flags.__getitem__, olds)) for flags in stock.recorded],
        )
        return self._copy(
            numbers={sku: number for number, sku in enumerate(kept)},
            flat={sku: self.flat[sku] for sku in chosen if sku in self.flat},
            columns=Ingested(stock=narrow, odd=frozenset()),
            recipes={
                news[self.numbers[sku]]: {news[part]: each for part, each in self.recipes[number].items()}
                for sku in chosen
                if (number := self.numbers[sku]) in self.recipes
            },
            kinds=bytes(map(self.kinds.__getitem__, olds)),
            apart=frozenset(news[old] for old in olds if old in self.apart),
        )

    def place_of(self, location_id: str) -> int:
        """Give the number of a visible location among the columns."""
        return self._places[location_id]

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {location_id: place for place, location_id in enumerate(sorted(self.visible))}

    def figure_of(self, level: StockLevel) -> int | None:
        """Give what is available by a record, as rule 1 has it."""
        return available(level, subtract_locked=self.merchant.subtract_locked)

    def _copy(self, **others: object) -> Groundwork:
        other = object.__new__(Groundwork)
        other.__dict__.update(self.__dict__)
        other.__dict__.pop("totals", None)
        other.__dict__.update(others)
        return other

    def _recorded(self) -> set[str]:
        """Give the products that have a stock record where a cart could see one."""
        levels = self.snapshot.levels
        first, locations = levels.places()
        seen = {number for number, place in enumerate(levels.location_ids) if place in self.visible}
        if len(seen) == len(levels.location_ids):
            return set(levels.master_skus)
        return {
            sku
            for sku, (begin, end) in zip(levels.master_skus, pairwise(first), strict=True)
            if not seen.isdisjoint(locations[begin:end])
        }

    @cached_property
    def flat(self) -> Mapping[str, Mapping[str, int]]:
        """The bundles that are computed from parts which are no bundles themselves."""
        return {sku: parts for sku, parts in self.parts.items() if self.parts.keys().isdisjoint(parts)}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each product, by master SKU."""
        everything = {*self.catalogue.skus, *self.snapshot.levels.master_skus, *self.catalogue.bundles}
        ordered = sorted(everything.difference(self.flat))
        ordered += sorted(self.flat, key=lambda sku: (len(self.flat[sku]), sku))
        return {sku: number for number, sku in enumerate(ordered)}

    @cached_property
    def used_in(self) -> Mapping[str, Sequence[str]]:
        """For each product the computed bundles that it is a part of."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for sku, parts in self.parts.items():
            for part in parts:
                found[part].append(sku)
        return found

    @cached_property
    def problems(self) -> Mapping[str, str]:
        """The reasons of products that get no quantity in any cart, by master SKU."""
        found = ((sku, self.catalogue.product_problem_anywhere(sku)) for sku in sorted(self.numbers))
        return {sku: reason for sku, reason in found if reason is not None}

    @cached_property
    def columns(self) -> Ingested:
        """The stock records as columns, one for each visible location, sorted by id."""
        return ingest(
            self.snapshot.levels,
            self.numbers,
            sorted(self.visible),
            subtract_locked=self.merchant.subtract_locked,
        )

    @cached_property
    def odd(self) -> frozenset[int]:
        """Products with a figure that is missing, too large for columns, or was lost on its way."""
        doubtful = (self.numbers[sku] for sku, _ in self.snapshot.doubtful if sku in self.numbers)
        return self.columns.odd.union(doubtful)

    @cached_property
    def recipes(self) -> Mapping[int, Mapping[int, int]]:
        """What bundles are made of, for those that the columns can compute."""
        recipes = {
            self.numbers[sku]: {self.numbers[part]: each for part, each in parts.items()}
            for sku, parts in self.flat.items()
        }
        odd = self.odd
        return {
            bundle: parts for bundle, parts in recipes.items() if bundle not in odd and odd.isdisjoint(parts)
        }

    @cached_property
    def apart(self) -> frozenset[int]:
        """Products whose quantity needs more than the columns know, in any cart."""
        uncomputed = set()
        if self.catalogue.computed:
            bundles = {sku.master_sku for sku in self.snapshot.skus if sku.kind == "bundle"}
            bundles.update(self.catalogue.bundles)
            uncomputed = {self.numbers[sku] for sku in bundles} - self.recipes.keys()
        return self.odd.union(uncomputed)

    @cached_property
    def kinds(self) -> bytes:
        """How each product comes to its quantity, as a place in ``PLAIN``."""
        kinds = bytearray(len(self.numbers))
        for sku in self.snapshot.skus:
            if sku.kind == "bundle":
                kinds[self.numbers[sku.master_sku]] = 2
        for master_sku in self.catalogue.bundles:
            kinds[self.numbers[master_sku]] = 2
        for bundle in self.recipes:
            kinds[bundle] = 1
        return bytes(kinds)

    @cached_property
    def totals(self) -> Working:
        """The totals of all products, for one counting after another."""
        mode = self.merchant.mode
        clamp_each = isinstance(mode, PerWarehouse) and mode.clamp_each
        return totals_of(self.columns.stock, BundleColumns.of(self.recipes), clamp_each=clamp_each)

    @cached_property
    def aliases(self) -> Mapping[str, Sequence[Alias]]:
        """The aliases by name, and by channel id."""
        found: defaultdict[str, list[Alias]] = defaultdict(list)
        for alias in self.snapshot.aliases:
            found[alias.name].append(alias)
            if alias.channel_id is not None and alias.channel_id != alias.name:
                found[alias.channel_id].append(alias)
        return found

    def __getstate__(self) -> dict[str, object]:
        """Leave out what can be worked out again, and what is a view of memory."""
        kept = ("snapshot", "merchant", "visible", "catalogue", "parts")
        return {name: self.__dict__[name] for name in kept}
