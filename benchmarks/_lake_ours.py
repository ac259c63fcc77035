"""The job of ``lake.py`` by omsync's columns: two waves over the files, one file in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _lake_rival import PLACES, RULES  # type: ignore[import-not-found]  # beside this file

from omsync.allocation.columnar import (
    BundleColumns,
    CartColumns,
    Counting,
    StockColumns,
    allocate_columns,
    totals_of,
)
from omsync.allocation.columnar.buffers import as_numbers
from omsync.allocation.columnar.bundles import BundleGroup

__all__ = ["work_out"]

COUNTED = Counting(locations=range(PLACES), building=range(PLACES))


def work_out(folder: Path, out: Path) -> None:
    """Read the files twice: for what bundles need of all of them, and for the quantities of each.

    Products are numbered from 0 through all files, which lie in their order, so a product's place in its
    file's columns is a subtraction.
    """
    # What is given back to the system at once does not add up from file to file.
    pa.set_memory_pool(pa.system_memory_pool())
    stocks, recipes = (sorted((folder / kind).iterdir()) for kind in ("stock", "recipes"))
    needed = np.zeros(_read(stocks[-1], "product")[0][-1] + 1, dtype=np.bool_)
    for file in recipes:
        needed[_read(file, "part")[0]] = True
    among = np.cumsum(needed, dtype=np.int32) - np.int32(1)
    figures = np.zeros((PLACES, among[-1] + 1), dtype=np.int32)
    for product, place, available in map(_read, stocks):
        chosen = np.flatnonzero(needed[product])
        figures[place[chosen], among[product[chosen]]] = available[chosen]
    for stock, recipe in zip(stocks, recipes, strict=True):
        bundle, part, need = _read(recipe)
        product, place, available = _read(stock)
        table = _quantities(product, place, available, bundle, need, figures[:, among[part]])
        pq.write_table(table, out / stock.name)


def _quantities(product: Any, place: Any, available: Any, bundle: Any, need: Any, lent: Any) -> pa.Table:
    """Work out one file's products; what its bundles need stands behind them in the columns."""
    first, count = product[0], product[-1] - product[0] + 1
    columns = np.zeros((PLACES, count + len(bundle)), dtype=np.int32)
    flags = np.zeros(columns.shape, dtype=np.uint8)
    at = place * np.int64(columns.shape[1]) + (product - first)
    columns.reshape(-1)[at] = available
    flags.reshape(-1)[at] = 1
    columns[:, count:] = lent
    # Where there is no record the figure is 0, and of 0 units nothing is built either.
    flags[:, count:] = 1
    totals = totals_of(
        StockColumns(products=columns.shape[1], available=list(columns), recorded=list(map(bytes, flags))),
        BundleColumns(groups=tuple(_groups(bundle - first, count, need))),
        with_numpy=True,
    )
    listings = np.arange(count, dtype=np.int32)
    (row,) = allocate_columns(totals, CartColumns(products=listings, counting=[COUNTED], rules=RULES))
    return pa.table({"product": listings + first, "quantity": np.asarray(row.quantities)})


def _groups(bundle: Any, first_part: int, need: Any) -> Iterator[BundleGroup]:
    """Group bundles by their number of parts; entries ascend by bundle, and each has a part of its own."""
    firsts = np.flatnonzero(np.diff(bundle, prepend=-1)).astype(np.int32)
    sizes = np.diff(firsts, append=len(bundle))
    for size in np.unique(sizes):
        begins = firsts[sizes == size]
        yield BundleGroup(
            bundles=as_numbers(bundle[begins]),
            parts=tuple(as_numbers(begins + np.int32(first_part + each)) for each in range(size)),
            needs=tuple(as_numbers(need[begins + each]) for each in range(size)),
        )


def _read(file: Path, *names: str) -> list[Any]:
    return [column.to_numpy() for column in pq.read_table(file, columns=list(names) or None).columns]
