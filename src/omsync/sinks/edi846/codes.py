"""The further codes of items, gathered from an order manager's snapshot."""

from __future__ import annotations

from omsync.model import InventorySnapshot

__all__ = ["codes_of"]


def codes_of(
    snapshot: InventorySnapshot, *, alias: str | None = None, beside: str | None = None
) -> dict[str, dict[str, str]]:
    """Give, for every listing SKU of a cart, its codes by name: ``"vendor"``, ``"upc"`` and ``"buyer"``.

    Args:
        snapshot: What the order manager holds.
        alias: The alias whose listing SKUs the cart uses, as in its settings; None: it uses master SKUs.
        beside: The alias whose code goes beside it as ``"buyer"``, such as the retailer's own item number; an
            item with none, or with several, has no ``"buyer"``.

    ``"vendor"`` is the master SKU, ``"upc"`` the product's bar code where it has one.
    """
    upcs = {sku.master_sku: sku.upc for sku in snapshot.skus if sku.upc}
    buyers: dict[str, set[str]] = {}
    for one in snapshot.aliases:
        if one.name == beside and one.active:
            buyers.setdefault(one.master_sku, set()).add(one.listing_sku)
    if alias is None:
        listings = {sku.master_sku: sku.master_sku for sku in snapshot.skus}
    else:
        listings = {one.listing_sku: one.master_sku for one in snapshot.aliases if one.name == alias}
    codes: dict[str, dict[str, str]] = {}
    for listing, master in listings.items():
        codes[listing] = {"vendor": master}
        if master in upcs:
            codes[listing]["upc"] = upcs[master]
        if len(buyers.get(master, ())) == 1:
            (codes[listing]["buyer"],) = buyers[master]
    return codes
