"""From a snapshot's stock records to columns; products are numbered as the caller says."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import pairwise

from attrs import frozen

from omsync.allocation.columnar.stock import StockColumns
from omsync.model import Levels

__all__ = ["Ingested", "ingest"]

_EXACT = 2**31 - 1
"""Figures beyond are left to the reference engine, so that no sum of many can overflow."""


@frozen(kw_only=True, eq=False)
class Ingested:
    """Stock records as columns.

    Args:
        stock: The columns, for the given locations in their order.
        odd: Products with a record that the columns cannot hold: too little reported, or a figure too large.
    """

    stock: StockColumns
    odd: frozenset[int]


def ingest(
    levels: Levels, numbers: Mapping[str, int], location_ids: Sequence[str], *, subtract_locked: bool
) -> Ingested:
    """Lay stock records out as one column for each location.

    Args:
        levels: The records.
        numbers: The number of each product, by master SKU.
        location_ids: The locations wanted, in order; records at others are left out.
        subtract_locked: As in the merchant's settings.
    """
    products = len(numbers)
    units, unknown = levels.availabilities(subtract_locked=subtract_locked)
    first, locations = levels.places()
    wanted = {location_id: place for place, location_id in enumerate(location_ids)}
    columns = [array("i", bytes(4 * products)) for _ in location_ids]
    flags = [bytearray(products) for _ in location_ids]
    spare_column, spare_flags = array("i", bytes(4 * products)), bytearray(products)
    column_of = [columns[wanted[one]] if one in wanted else spare_column for one in levels.location_ids]
    flags_of = [flags[wanted[one]] if one in wanted else spare_flags for one in levels.location_ids]
    odd = set()
    if unknown or (len(units) and (max(units) > _EXACT or min(units) < -_EXACT)):
        units = list(units)
        bounds = list(pairwise(first))
        for master_sku, (begin, end) in zip(levels.master_skus, bounds, strict=True):
            for record in range(begin, end):
                if record in unknown or not -_EXACT <= units[record] <= _EXACT:
                    units[record] = 0
                    odd.add(numbers[master_sku])
    for master_sku, (begin, end) in zip(levels.master_skus, pairwise(first), strict=True):
        product = numbers[master_sku]
        for record in range(begin, end):
            location = locations[record]
            column_of[location][product] = units[record]
            flags_of[location][product] = 1
    return Ingested(
        stock=StockColumns(products=products, available=columns, recorded=flags), odd=frozenset(odd)
    )
