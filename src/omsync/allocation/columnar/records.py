"""From stock records, one after another, to one column for each location."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from omsync.allocation.columnar.stock import StockColumns
from omsync.errors import InvalidValueError, SnapshotError

__all__ = ["stock_of"]


def stock_of(records: Iterable[tuple[int, int, int]], *, products: int, locations: int) -> StockColumns:
    """Lay stock records out as columns; they may come in any order, and page by page.

    Args:
        records: Of each the numbers of its product and its location, and the units available there, signed.
        products: How many products there are.
        locations: How many locations there are.

    Raises:
        InvalidValueError: A product or a location is not among those, or a figure does not fit into 4 bytes.
        SnapshotError: Two records are of the same product and location.
    """
    columns = [array("i", bytes(4 * products)) for _ in range(locations)]
    flags = [bytearray(products) for _ in range(locations)]
    pairs = list(zip(columns, flags, strict=True))
    product = location = units = 0
    try:
        for product, location, units in records:
            if product < 0 or location < 0:
                raise IndexError  # noqa: TRY301  refused as what is too large is
            column, recorded = pairs[location]
            if recorded[product]:
                raise SnapshotError(
                    f"Two stock records are of product {product} at location {location}",
                    code="given_twice",
                    remedy="Give each (product, location) once; adding the two up would show stock twice.",
                )
            column[product] = units
            recorded[product] = 1
    except IndexError as error:
        raise InvalidValueError(
            f"A record is of product {product} at location {location}: there are {products:,} products at"
            f" {locations:,} locations, numbered from 0"
        ) from error
    except OverflowError as error:
        raise InvalidValueError(
            f"The record of product {product} at location {location} has {units:,} units, beyond 4 bytes",
            remedy="Give StockColumns columns of 8 bytes, array('q', ...).",
        ) from error
    return StockColumns(products=products, available=columns, recorded=flags)
