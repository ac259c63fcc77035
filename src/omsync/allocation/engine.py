"""The engine behind ``omsync.allocate``: a desk that is used once."""

from __future__ import annotations

from collections.abc import Mapping

from omsync.allocation.desk import Desk
from omsync.allocation.result import Allocation
from omsync.model import InventorySnapshot
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["allocate"]


def allocate(
    snapshot: InventorySnapshot,
    merchant: MerchantSettings,
    cart: CartSettings,
    orders_in_flight: Mapping[str, int] | None = None,
    *,
    orders_when: str = "",
) -> Allocation:
    """Decide what every listing of a cart is told. Pure: equal inputs give equal results.

    For many carts of one reading, a ``Desk`` looks up once what they have in common.

    Args:
        snapshot: One complete reading of the order manager.
        merchant: The mode, and how figures are understood.
        cart: Which listings, which locations, which rules.
        orders_in_flight: Units by master SKU in orders that the snapshot has not seen.
        orders_when: From when to when such orders were looked for, in words, for the explanations.

    Raises:
        SettingsError: Mode, location or alias do not fit the snapshot; names the choices.

    Source: the founding document; the order of the rules is in the docs.
    """
    return Desk().allocate(snapshot, merchant, cart, orders_in_flight, orders_when=orders_when)
