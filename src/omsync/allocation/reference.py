"""The reference engine: from a snapshot and settings to the quantity of every listing of a cart.

Written to be read beside the founding document, exact before fast: the executable specification that the
engine behind ``allocate()`` is held to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from omsync import checks
from omsync.allocation.reasons import Skip
from omsync.allocation.result import Allocation, order_of
from omsync.allocation.workbench import ListingQuantity, Workbench
from omsync.errors import InvalidValueError, WrongTypeError
from omsync.model import InventorySnapshot
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["allocate_by_reference", "checked_orders", "in_order"]


def allocate_by_reference(
    snapshot: InventorySnapshot,
    merchant: MerchantSettings,
    cart: CartSettings,
    orders_in_flight: Mapping[str, int] | None = None,
    *,
    orders_when: str = "",
) -> Allocation:
    """Decide what every listing of a cart is told, one listing after another.

    The arguments, the result and the errors are those of ``allocate``.
    """
    bench = Workbench(snapshot, merchant, cart, checked_orders(orders_in_flight or {}), orders_when)
    wanted, skipped = bench.listings()
    quantities: list[ListingQuantity] = []
    for listing in wanted:
        for row in bench.rows_of(listing):
            if isinstance(row, Skip):
                skipped.append(row)
            else:
                quantities.append(row)
    return Allocation(
        merchant=merchant.name,
        cart=cart.name,
        quantities=tuple(sorted(quantities, key=order_of)),
        skipped=in_order(skipped),
        notices=tuple(
            bench.notices(
                {row.master_sku for row in quantities},
                {row.listing_sku for row in quantities if row.doubtful},
            )
        ),
        taken_at=snapshot.taken_at.isoformat(),
        workbench=bench,
    )


def in_order(skipped: Iterable[Skip]) -> tuple[Skip, ...]:
    """Sort what is skipped."""
    return tuple(
        sorted(
            skipped,
            key=lambda one: (one.listing_sku or "", one.master_sku, one.reason, one.location_id or ""),
        )
    )


def checked_orders(orders: Mapping[str, int]) -> dict[str, int]:
    """Refuse orders in flight that are no whole numbers; leave out those of no units."""
    given: object = orders
    if not isinstance(given, Mapping):
        raise WrongTypeError(
            f"orders_in_flight must be a mapping, not {checks.shown(given)}",
            remedy="Give units by master SKU, such as {'MUG-01': 3}.",
        )
    for master_sku, units in orders.items():
        if type(units) is not int:
            raise WrongTypeError(
                f"orders_in_flight[{master_sku!r}] must be a whole number, not {checks.shown(units)}"
            )
        if units < 0:
            raise InvalidValueError(f"orders_in_flight[{master_sku!r}] must be at least 0, not {units}")
    return {master_sku: units for master_sku, units in orders.items() if units}
