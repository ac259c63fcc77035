"""What a person should know about an allocation that changes no single quantity."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from omsync.allocation.catalogue import Catalogue
from omsync.allocation.listings import aliases_of
from omsync.allocation.reasons import Notice
from omsync.checks import counted
from omsync.model import InventorySnapshot
from omsync.settings import CartSettings

__all__ = ["bundle_notices", "doubt_notices", "few", "notices_of"]

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
    """Give settings' entries that match nothing, and what is pushed regardless."""
    yield from _unmatched(snapshot, cart, catalogue, orders)
    if cart.alias is not None and not cart.respect_push_inventory:
        aliases = aliases_of(snapshot, cart)
        off = {alias.listing_sku for alias in aliases if alias.active and not alias.push_inventory}
        if off:
            yield Notice(
                reason="push_inventory_off",
                message=f"{counted(len(off), 'listing')} synced that the order manager itself would not push",
                entries=tuple(sorted(off)),
            )


def bundle_notices(
    snapshot: InventorySnapshot, catalogue: Catalogue, bundles: Collection[str]
) -> Iterator[Notice]:
    """Say how the bundles that have a quantity were taken."""
    if bundles:
        how = "bundles_computed" if catalogue.computed else "bundles_reported"
        if catalogue.computed and snapshot.bundles_include_buildable == "unknown":
            how = "bundles_computed_over_unknown"
        yield Notice(reason=how, message=f"{counted(len(bundles), 'bundle')}: {_MEANINGS[how]}")


def doubt_notices(listings: Collection[str]) -> Iterator[Notice]:
    """List what rests on figures whose newest answer was lost: it is not raised, and may be too high."""
    if listings:
        yield Notice(
            reason="source_answer_lost",
            message=f"{counted(len(listings), 'listing')} on figures whose newest answer was lost, "
            f"not raised and perhaps too high: {few(listings)}",
            entries=tuple(sorted(listings)),
        )


def few(names: Iterable[str], most: int = 5) -> str:
    """Give the first few names for a sentence."""
    listed = sorted(names)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(map(repr, listed[:most])) + more


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
                message=f"{setting} names what matches nothing (case matters): {few(unmatched)}",
                entries=unmatched,
            )


def _known(snapshot: InventorySnapshot, catalogue: Catalogue) -> set[str]:
    return {*catalogue.skus, *catalogue.bundles, *snapshot.levels.master_skus}
