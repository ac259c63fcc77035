"""What the columns can work out for a cart: plain products, and bundles of plain products."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, compress, repeat

from omsync.allocation.columnar.cart import CartColumns, Counting, Row
from omsync.allocation.columnar.quantities import allocate_columns
from omsync.allocation.groundwork import PLAIN, Groundwork
from omsync.allocation.reasons import Skip, skip
from omsync.allocation.told import ToldRows
from omsync.allocation.wanted import Listings
from omsync.allocation.workbench import Workbench
from omsync.settings import CartSettings, PerSalesChannel, PerWarehouse

__all__ = ["Plain"]

_NOT_COUNTED = PLAIN.index("not_at_counted_location")


class Plain:
    """The quantities of one cart's plain products.

    Args:
        bench: Has looked everything up.
        cart: What the cart wants.
    """

    def __init__(self, bench: Workbench, cart: CartSettings) -> None:
        self._bench = bench
        self._cart = cart
        self._ground: Groundwork = bench.groundwork
        self._seen = [choice for choice in bench.choices if choice.id in self._ground.visible]
        self._apart = self._needing_more()

    def apart(self, listings: Listings) -> list[int]:
        """Give the numbers of the listings whose quantity needs more than the columns know."""
        if not self._apart:
            return []
        numbers, apart = self._ground.numbers, self._apart
        return [place for place, sku in enumerate(listings.master_skus) if numbers[sku] in apart]

    def rows_of(self, listings: Listings) -> tuple[ToldRows, list[Skip]]:
        """Give the quantities of listings of plain products, and those that have none."""
        ground = self._ground
        products = [ground.numbers[sku] for sku in listings.master_skus]
        recorded = ground.totals.recorded(self._counting(range(len(self._seen))))
        flags = [recorded[product] for product in products]
        skips: list[Skip] = []
        if not all(flags):
            skips = [self._unrecorded(listings, number) for number, known in enumerate(flags) if not known]
            listings = listings.only(list(compress(range(len(flags)), flags)))
            products = list(compress(products, flags))
        counted = [place for place, choice in enumerate(self._seen) if choice.counted]
        rows = allocate_columns(ground.totals, self._columns(listings, products, counted))
        if self._cart.breakdown:
            return self._by_location(listings, products, rows, counted, skips)
        return self._combined(listings, products, rows[0]), skips

    def _columns(self, listings: Listings, products: list[int], counted: list[int]) -> CartColumns:
        numbers = self._ground.numbers
        rules = {
            numbers[sku]: override.rules
            for sku, override in self._cart.overrides.items()
            if override.rules is not None and sku in numbers
        }
        one_by_one = [self._counting([place]) for place in counted]
        return CartColumns(
            products=array("q", products),
            counting=one_by_one if self._cart.breakdown else [self._counting(counted)],
            rules=self._cart.rules,
            units=array("q", listings.units) if set(listings.units) - {1} else None,
            rules_by_product=rules,
        )

    def _combined(self, listings: Listings, products: Sequence[int], row: Row) -> ToldRows:
        kinds = bytes(map(self._ground.kinds.__getitem__, products))
        counted = bytes(map(row.recorded.__getitem__, products))
        if 0 in counted:
            kinds = bytes(kind if known else _NOT_COUNTED for kind, known in zip(kinds, counted, strict=True))
        return ToldRows(
            listing_skus=listings.listing_skus,
            master_skus=listings.master_skus,
            units=listings.units,
            reasons=PLAIN,
            listing=range(len(listings)),
            quantity=row.quantities,
            withheld=_withheld(row, products, listings.units),
            reason=kinds,
        )

    def _by_location(
        self,
        listings: Listings,
        products: Sequence[int],
        rows: Sequence[Row],
        counted: Sequence[int],
        skips: list[Skip],
    ) -> tuple[ToldRows, list[Skip]]:
        mapped = self._bench.map
        targets: dict[str, list[Row]] = {}
        for place, row in zip(counted, rows, strict=True):
            location_id = self._seen[place].id
            if mapped and location_id not in mapped:
                skips += self._not_mapped(listings, products, row, location_id)
            else:
                targets.setdefault(mapped.get(location_id, location_id), []).append(row)
        anywhere = self._ground.totals.recorded(self._counting(counted))
        skips += [
            skip("not_at_counted_location", listings.master_skus[number], listings.listing_skus[number])
            for number, product in enumerate(products)
            if not anywhere[product]
        ]
        places = tuple(sorted(targets))
        columns = [_together(targets[place], products, listings.units) for place in places]
        flags = bytes(chain.from_iterable(zip(*(column.recorded for column in columns), strict=True)))
        numbers = chain.from_iterable(map(repeat, range(len(listings)), repeat(len(places))))
        listing = array("q", compress(numbers, flags))
        kinds = [self._ground.kinds[product] for product in products]
        told = ToldRows(
            listing_skus=listings.listing_skus,
            master_skus=listings.master_skus,
            units=listings.units,
            reasons=PLAIN,
            places=places,
            listing=listing,
            place=array("i", compress([*range(len(places))] * len(listings), flags)),
            quantity=_interleaved([column.quantities for column in columns], flags),
            withheld=_interleaved([column.totals for column in columns], flags),
            reason=bytes(map(kinds.__getitem__, listing)),
        )
        return told, skips

    @staticmethod
    def _not_mapped(
        listings: Listings, products: Sequence[int], row: Row, location_id: str
    ) -> Iterator[Skip]:
        for number, product in enumerate(products):
            if row.recorded[product]:
                yield skip(
                    "warehouse_not_mapped",
                    listings.master_skus[number],
                    listings.listing_skus[number],
                    about=f"The warehouse {location_id!r}",
                    location_id=location_id,
                )

    def _unrecorded(self, listings: Listings, number: int) -> Skip:
        master_sku, listing_sku = listings.master_skus[number], listings.listing_skus[number]
        if self._ground.catalogue.is_bundle(master_sku):
            return skip("bundle_without_stock_record", master_sku, listing_sku)
        channel = isinstance(self._ground.merchant.mode, PerSalesChannel)
        about = "in this channel" if channel else "in any warehouse"
        return skip("no_stock_record", master_sku, listing_sku, about=about)

    def _counting(self, places: Iterable[int]) -> Counting:
        locations = tuple(places)
        mode = self._ground.merchant.mode
        return Counting(
            locations=locations,
            building=tuple(place for place in locations if self._seen[place].builds),
            pooled=isinstance(mode, PerWarehouse) and mode.pooled_assembly,
        )

    def _needing_more(self) -> frozenset[int] | set[int]:
        """Give the products that this cart's settings and orders keep the columns from knowing."""
        numbers, ordered = self._ground.numbers, self._bench.ordered_with
        left_out = [sku for sku, override in self._cart.overrides.items() if override.leave_out]
        if not ordered and not left_out:
            return self._ground.apart
        apart = {*self._ground.apart, *(numbers[sku] for sku in (*left_out, *ordered) if sku in numbers)}
        if ordered:
            apart.update(
                numbers[sku]
                for sku, parts in self._ground.flat.items()
                if not ordered.keys().isdisjoint(parts)
            )
        return apart


def _together(rows: Sequence[Row], products: Sequence[int], units: Sequence[int]) -> Row:
    """Add up the rows that go to one location of the cart, by listing; withheld units stand as its totals."""
    kept = [_withheld(row, products, units) for row in rows]
    recorded = [bytes(map(row.recorded.__getitem__, products)) for row in rows]
    if len(rows) == 1:
        return Row(quantities=rows[0].quantities, totals=kept[0], recorded=recorded[0])
    return Row(
        quantities=array("q", map(sum, zip(*(row.quantities for row in rows), strict=True))),
        totals=array("q", map(sum, zip(*kept, strict=True))),
        recorded=bytes(map(any, zip(*recorded, strict=True))),
    )


def _withheld(row: Row, products: Sequence[int], units: Sequence[int]) -> array[int]:
    """Give the units at the counted locations that rules and rounding keep back, by listing."""
    totals = row.totals
    return array(
        "q",
        [
            kept if (kept := totals[product] - told * each) > 0 else 0
            for product, told, each in zip(products, row.quantities, units, strict=True)
        ],
    )


def _interleaved(columns: Sequence[Sequence[int]], flags: bytes) -> array[int]:
    return array("q", compress(chain.from_iterable(zip(*columns, strict=True)), flags))
