"""Which listings a cart has, by its alias, and which of them cannot be told apart.

Source: the founding document, "Sync Inventory Alias".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from attrs import frozen

from omsync.allocation.reasons import Skip, skip
from omsync.errors import SettingsError
from omsync.model import Alias, InventorySnapshot
from omsync.settings import CartSettings

__all__ = ["Wanted", "aliases_of", "sort_out"]


@frozen(kw_only=True)
class Wanted:
    """One listing that wants a quantity.

    Args:
        listing_sku: The cart's code.
        master_sku: The product.
        units: Units of the product in one piece of the listing.
    """

    listing_sku: str
    master_sku: str
    units: int


def aliases_of(
    snapshot: InventorySnapshot, cart: CartSettings, found: Sequence[Alias] | None = None
) -> Sequence[Alias]:
    """Give the aliases that the cart's alias name, or the channel's id, stands for.

    Args:
        snapshot: What was read.
        cart: Has the name.
        found: Those of that name or channel id, where somebody has looked them up.

    Raises:
        SettingsError: No alias carries the name, or two channels do; lists the names. A renamed channel thus
            cannot quietly stop a shop.
    """
    if found is None:
        found = [alias for alias in snapshot.aliases if cart.alias in {alias.name, alias.channel_id}]
    meant = sorted({(alias.name, alias.channel_id or "") for alias in found})
    if len(meant) > 1:
        raise SettingsError(
            f"The alias {cart.alias!r} of the cart {cart.name!r} may mean any of {_listed(meant)}",
            code="ambiguous_alias",
            remedy="Use the channel's id.",
        )
    if not meant:
        everything = sorted({(alias.name, alias.channel_id or "") for alias in snapshot.aliases})
        raise SettingsError(
            f"No alias carries the name {cart.alias!r} that the cart {cart.name!r} asks for",
            code="unknown_alias",
            remedy=f"Choose from: {_listed(everything) or 'nothing; the snapshot has no aliases'}.",
        )
    return found


def sort_out(aliases: Iterable[Alias], cart: CartSettings) -> tuple[list[Wanted], list[Skip]]:
    """Turn the aliases of eligible products into listings; a collision never picks a winner by order."""
    skips: list[Skip] = []
    claims: defaultdict[str, list[Wanted]] = defaultdict(list)
    for alias in aliases:
        if not alias.active:
            skips.append(skip("inactive_listing", alias.master_sku, alias.listing_sku))
        elif cart.respect_push_inventory and not alias.push_inventory:
            skips.append(skip("push_inventory_off", alias.master_sku, alias.listing_sku))
        else:
            units = cart.units.get(alias.listing_sku, alias.units)
            claims[alias.listing_sku].append(
                Wanted(listing_sku=alias.listing_sku, master_sku=alias.master_sku, units=units)
            )
    wanted: list[Wanted] = []
    for listing_sku, claimed in claims.items():
        products = sorted({claim.master_sku for claim in claimed})
        packs = sorted({claim.units for claim in claimed})
        if len(products) > 1:
            about = " and ".join(map(repr, products))
            skips += [skip("listing_of_two_products", sku, listing_sku, about=about) for sku in products]
        elif len(packs) > 1:
            about = " and ".join(map(str, packs))
            skips.append(skip("listing_units_differ", products[0], listing_sku, about=about))
        else:
            wanted.append(claimed[0])
            skips += [skip("duplicate_listing_sku", products[0], listing_sku) for _ in claimed[1:]]
    return wanted, skips


def _listed(names: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name!r} ({channel})" if channel else repr(name) for name, channel in names)
