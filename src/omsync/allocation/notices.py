"""What a person should know about an allocation that changes no single quantity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from omsync.allocation.catalogue import Catalogue
from omsync.allocation.listings import aliases_of
from omsync.allocation.reasons import Notice
from omsync.model import InventorySnapshot
from omsync.settings import CartSettings

__all__ = ["notices_of"]

_MEANINGS = {
    "bundles_computed": "shelf units plus what the components make",
    "bundles_reported": "the figures as the source reports them; nothing is added, since they include, or "
    "may include, what the components make",
    "bundles_computed_over_unknown": "what the components make is added, as bundle_quantities='computed' "
    "asks, to figures that may include it already; if they do, bundles are shown too high",
}


def notices_of(
    snapshot: InventorySnapshot, cart: CartSettings, catalogue: Catalogue, orders: Mapping[str, int]
) -> Iterator[Notice]:
    """Give settings' entries that match nothing, how bundles were taken, and what is pushed regardless."""
    yield from _unmatched(snapshot, cart, catalogue, orders)
    bundles = sum(catalogue.is_bundle(sku) for sku in _known(snapshot, catalogue))
    if bundles:
        how = "bundles_computed" if catalogue.computed else "bundles_reported"
        if catalogue.computed and snapshot.bundles_include_buildable == "unknown":
            how = "bundles_computed_over_unknown"
        yield Notice(reason=how, message=f"{bundles} bundles: {_MEANINGS[how]}")
    if cart.alias is not None and not cart.respect_push_inventory:
        aliases = aliases_of(snapshot, cart)
        off = {alias.listing_sku for alias in aliases if alias.active and not alias.push_inventory}
        if off:
            yield Notice(
                reason="push_inventory_off",
                message=f"{len(off)} listings are synced that the order manager itself would not push",
                entries=tuple(sorted(off)),
            )


def _unmatched(
    snapshot: InventorySnapshot, cart: CartSettings, catalogue: Catalogue, orders: Mapping[str, int]
) -> Iterator[Notice]:
    known = _known(snapshot, catalogue)
    listed = known if cart.alias is None else {alias.listing_sku for alias in aliases_of(snapshot, cart)}
    for setting, entries, against in (
        ("only", cart.only or frozenset(), known),
        ("exclude", cart.exclude, known),
        ("overrides", cart.overrides, known),
        ("units", cart.units, listed),
        ("orders_in_flight", orders, known),
    ):
        unmatched = tuple(sorted(set(entries) - against))
        if unmatched:
            yield Notice(
                reason=f"unmatched_{setting}",
                message=f"{setting} names {len(unmatched)} that match nothing; case matters",
                entries=unmatched,
            )


def _known(snapshot: InventorySnapshot, catalogue: Catalogue) -> set[str]:
    return {*catalogue.skus, *catalogue.bundles, *snapshot.levels.master_skus}
