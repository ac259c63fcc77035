"""From totals to the quantity of every listing of a cart."""

from __future__ import annotations

from typing import Protocol

from omsync.allocation.columnar.buffers import Flags
from omsync.allocation.columnar.bundles import BundleColumns
from omsync.allocation.columnar.cart import CartColumns, Counting, Row
from omsync.allocation.columnar.stock import StockColumns
from omsync.allocation.columnar.totals import Totals

__all__ = ["Working", "allocate_columns", "totals_of"]

_WORTH_IT = 20_000
"""With fewer products, importing numpy takes longer than it saves."""


class Working(Protocol):
    """What works totals out: with the standard library, or with numpy."""

    def recorded(self, counting: Counting, /) -> Flags:
        """Tell which products have a stock record at a counted location."""
        ...

    def rows(self, cart: CartColumns, /) -> tuple[Row, ...]:
        """Give the quantities of a cart's listings, a row for each counting."""
        ...


def totals_of(
    stock: StockColumns, bundles: BundleColumns, *, clamp_each: bool = False, with_numpy: bool | None = None
) -> Working:
    """Choose how totals are worked out; the results are the same.

    Args:
        stock: What is available.
        bundles: What is built from parts.
        clamp_each: Lift a negative figure to 0 at each location.
        with_numpy: Whether to use numpy (the extra ``fast``); None: where it is there and worth it.

    Raises:
        ImportError: numpy is wanted and not there.
    """
    if with_numpy or (with_numpy is None and stock.products >= _WORTH_IT):
        try:
            from omsync.allocation.columnar.with_numpy import FastTotals
        except ImportError:
            if with_numpy:
                raise
        else:
            return FastTotals(stock, bundles, clamp_each=clamp_each)
    return Totals(stock, bundles, clamp_each=clamp_each)


def allocate_columns(totals: Working, cart: CartColumns) -> tuple[Row, ...]:
    """Decide what every listing of a cart is told.

    Args:
        totals: From ``totals_of``; share one among the carts of a merchant.
        cart: What the cart wants.

    Returns:
        A row for each of the cart's countings.

    Raises:
        OverflowError: A quantity does not fit into eight bytes.
    """
    return totals.rows(cart)
