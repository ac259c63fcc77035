"""The fast engine: the same rules as the reference engine, over columns of whole numbers. Pure.

A product is a number from 0, a location too; what is available is one column for each location. The columns
are buffers of the standard library, so numpy, pyarrow, shared memory and memory maps can use them, and be
used for them, without a copy.
"""

from omsync.allocation.columnar.bundles import BundleColumns
from omsync.allocation.columnar.cart import CartColumns, Counting, Row
from omsync.allocation.columnar.partitions import (
    Components,
    Partition,
    allocate_partition,
    components_of,
)
from omsync.allocation.columnar.quantities import allocate_columns, totals_of
from omsync.allocation.columnar.records import stock_of
from omsync.allocation.columnar.stock import StockColumns

__all__ = [
    "BundleColumns",
    "CartColumns",
    "Components",
    "Counting",
    "Partition",
    "Row",
    "StockColumns",
    "allocate_columns",
    "allocate_partition",
    "components_of",
    "stock_of",
    "totals_of",
]
