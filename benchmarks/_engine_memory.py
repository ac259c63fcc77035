"""How much memory the engine needs: measured for several shapes of a merchant, and fitted to a formula."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence

from _engine_peak import Peak  # type: ignore[import-not-found]  # beside this file, where mypy does not look

from omsync import QuantityRules
from omsync.allocation.columnar import (
    BundleColumns,
    CartColumns,
    Counting,
    allocate_columns,
    stock_of,
    totals_of,
)

__all__ = ["SHAPES", "fitted", "needed"]

SHAPES = [(locations, carts) for locations in (2, 5, 10, 20) for carts in (1, 5, 10)]
"""Locations, and carts that combine all of them and list 80 % of the products."""

_RULES = QuantityRules(percent=90, safety_stock=1)


def needed(products: int, locations: int, carts: int, *, with_numpy: bool) -> tuple[float, float]:
    """Allocate once in this process; give quantities and bytes at the most, for each product."""
    draw = random.Random(3)
    records = [array("i") for _ in range(3)]
    for product in range(products):
        for location in range(locations):
            if draw.random() < 0.5:
                for column, value in zip(records, (product, location, draw.randrange(60)), strict=True):
                    column.append(value)
    plain = products - products * 15 // 100
    parts = [
        (bundle, part, draw.randrange(1, 4))
        for bundle in range(plain, products)
        for part in sorted(draw.sample(range(plain), 2 + (bundle - plain) * 4 // (products - plain)))
    ]
    needs = [array("i", column) for column in zip(*parts, strict=True)]
    del parts
    listings = [array("i", sorted(draw.sample(range(products), products * 8 // 10))) for _ in range(carts)]
    counted = Counting(locations=range(locations), building=range(locations))
    if with_numpy:
        totals_of(stock_of((), products=1, locations=1), BundleColumns(), with_numpy=True)
    peak = Peak()
    stock = stock_of(zip(*records, strict=True), products=products, locations=locations)
    totals = totals_of(stock, BundleColumns.of_parts(*needs), with_numpy=with_numpy)
    told = [
        allocate_columns(totals, CartColumns(products=one, counting=[counted], rules=_RULES))
        for one in listings
    ]
    quantities = sum(len(row.quantities) for rows in told for row in rows)
    return quantities / products, (peak.bytes() or 0) / products


def fitted(measured: Sequence[tuple[int, float, float]]) -> tuple[float, float, float]:
    """Fit bytes a product = a x locations + b x quantities a product + c, by least squares.

    Args:
        measured: Locations, quantities a product, bytes a product.
    """
    import numpy as np

    left = np.array([(locations, quantities, 1) for locations, quantities, _ in measured])
    a, b, c = np.linalg.lstsq(left, np.array([told for *_, told in measured]), rcond=None)[0]
    return float(a), float(b), float(c)
