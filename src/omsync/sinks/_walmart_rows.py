"""The rows of one push to Walmart: what an item shows, and what is never sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omsync.errors import SettingsError
from omsync.ports import CartListing, PushResult
from omsync.sinks._http import refused
from omsync.sinks._rows import Places, Row
from omsync.sinks._walmart import Item, Stock

__all__ = ["check_nodes", "shown", "unfit"]

ONLY = ""
"""The place of a seller with one ship node, whatever Walmart calls it."""


def check_nodes(items: Iterable[Item], places: Places) -> None:
    """Refuse to choose between ship nodes for somebody: a quantity at the wrong one oversells the other.

    Raises:
        SettingsError: Items lie at several ship nodes, and no setting says which one is meant.
    """
    if places.named or places.target != ONLY:
        return
    nodes = sorted({node for item in items for node, stock in item.nodes.items() if not stock.walmarts})
    if len(nodes) > 1:
        raise SettingsError(
            f"Walmart has several ship nodes of this seller: {', '.join(nodes)}; none is chosen",
            code="choose_cart_location",
            remedy="Give Walmart(location=...) one of them, or ship_nodes and a location_map.",
        )


def shown(item: Item, places: Places) -> Iterator[CartListing]:
    """Give what an item shows at each place, by every way to name it; a node without a record has 0."""
    walmarts = _is_walmarts(item)
    for location_id, code in places.names.items():
        stock = _at(item, code)
        yield CartListing(
            listing_sku=item.sku,
            location_id=location_id,
            quantity=None if walmarts else stock.put_in,
            allocated=None if walmarts else stock.reserved,
            state="unmanaged" if walmarts else "listed",
            same_as=code if places.named and location_id != code else None,
        )
    spoken = {*places.names.values()} if places.target != ONLY else {*item.nodes}
    for node, stock in item.nodes.items():
        if node not in spoken and not walmarts:
            yield CartListing(
                listing_sku=item.sku, location_id=node, quantity=stock.put_in, allocated=stock.reserved
            )


def unfit(row: Row, item: Item | None, places: Places, *, most: int | None) -> PushResult | None:
    """Give the result of a row that must not be sent; None for one that may."""
    change = row.change
    if change.location_id not in places.names:
        return places.unknown(row)
    if most is not None and change.quantity > most:
        return refused(change, "out_of_range", f"{change.quantity} is more than {most}")
    if item is None:
        return refused(change, "not_in_cart", f"Walmart has no inventory of {change.listing_sku!r}")
    if _is_walmarts(item):
        message = "Walmart keeps and ships this item's stock (WFS), so its quantity is not ours to set"
        return refused(change, "fulfilled_by_platform", message, status="skipped")
    return None


def _is_walmarts(item: Item) -> bool:
    return any(stock.walmarts for stock in item.nodes.values())


def _at(item: Item, code: str) -> Stock:
    if code == ONLY:
        return next(iter(item.nodes.values()), Stock(put_in=0, reserved=0))
    return item.nodes.get(code, Stock(put_in=0, reserved=0))
