"""The rows of one push to WooCommerce: which may be sent, where each goes, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from omsync.errors import OmsyncError
from omsync.ports import CartListing, PushResult, QuantityChange
from omsync.sinks._http import accepted, refused
from omsync.sinks._rows import failed
from omsync.sinks._woocommerce_items import Found, Item, Target
from omsync.sinks._woocommerce_writing import Answer, Entry, Written

__all__ = ["MAX_QUANTITY", "MOVED", "Policy", "Row", "contradicted", "entries_of", "result_of"]

MAX_QUANTITY = 2**53 - 1
"""The largest whole number that the shop's tables keep exactly: they hold quantities as floating point."""

MOVED = {
    "woocommerce_rest_product_invalid_id",
    "woocommerce_rest_invalid_product_id",
    "woocommerce_rest_product_variation_invalid_id",
}
"""Codes by which the shop says that an id is not, or no longer, what it was taken for."""

_NO_STOCK = {"grouped", "external"}


@frozen(kw_only=True)
class Row:
    """A change and what it is written to."""

    change: QuantityChange
    item: Item
    target: Target


@frozen(kw_only=True)
class Policy:
    """What is done with listings that keep no stock of their own.

    Args:
        untracked: ``"skip"``, ``"track"`` or ``"error"``.
        parent_stock: ``"skip"`` or ``"write_parent"``.
    """

    untracked: str
    parent_stock: str

    def target(self, item: Item) -> Target:
        """Give what a quantity of this item is written to."""
        shared = item.managed == "parent" and self.parent_stock == "write_parent"
        return item.parents if shared else item.own

    def state(self, item: Item) -> str:
        """Give the listing's state."""
        if item.kind in _NO_STOCK or (item.managed == "parent" and self.parent_stock == "skip"):
            return "unmanaged"
        if item.managed != "nobody":
            return "listed"
        return "unmanaged" if _has_variations(item) else "untracked"

    def listing(self, sku: str, items: Sequence[Item]) -> CartListing:
        """Give what the shop shows for a SKU."""
        if len(items) > 1:
            return CartListing(listing_sku=sku, state="duplicate")
        return CartListing(listing_sku=sku, quantity=items[0].quantity, state=self.state(items[0]))

    def sort_out(self, found: Found, change: QuantityChange) -> Row | PushResult:
        """Give the row to write, or the reason why it is not sent."""
        items = found.get(change.listing_sku, ())
        problem = _problem(change, items)
        if problem is not None:
            return refused(change, *problem)
        (item,) = items
        state = self.state(item)
        if state == "unmanaged":
            return refused(change, "unmanaged_in_cart", _whose(item), status="skipped")
        if state == "untracked" and self.untracked != "track":
            message = "stock management is off for this product, so a quantity would have no effect"
            return self.without_effect(change, message)
        return Row(change=change, item=item, target=self.target(item))

    def without_effect(self, change: QuantityChange, message: str) -> PushResult:
        """Give the result of a row whose stock nobody counts."""
        status = "skipped" if self.untracked == "skip" else "rejected"
        return refused(change, "untracked_in_cart", message, status=status)


def contradicted(policy: Policy, found: Found, rows: Sequence[Row]) -> dict[Target, str]:
    """Give, by target, why its rows cannot be sent: they, or listings beside them, want something else.

    A parent's stock may be shown by several listings. Those of them that the cart was asked about and that
    are not in this push want what it shows now.
    """
    wanted: defaultdict[Target, set[int]] = defaultdict(set)
    for row in rows:
        wanted[row.target].add(row.change.quantity)
    sent = {row.change.listing_sku for row in rows}
    beside: defaultdict[Target, list[str]] = defaultdict(list)
    for sku, items in found.items():
        if len(items) == 1 and sku not in sent and policy.target(items[0]) in wanted:
            beside[policy.target(items[0])].append(sku)
    reasons = {
        target: f"rows of this push give product {target[1]} different quantities: {sorted(quantities)}"
        for target, quantities in wanted.items()
        if len(quantities) > 1
    }
    for target, skus in beside.items():
        reasons.setdefault(
            target,
            f"the stock of product {target[1]} is shown by {', '.join(sorted(skus))} too, and this push does "
            "not give them the same quantity",
        )
    return reasons


def entries_of(rows: Iterable[Row]) -> list[Entry]:
    """Give what is written, each target once."""
    entries = {
        row.target: Entry(
            target=row.target,
            quantity=row.change.quantity,
            switch_on=row.item.managed == "nobody",
            backorders=row.item.backorders,
        )
        for row in rows
    }
    return list(entries.values())


def result_of(policy: Policy, row: Row, contradictions: Mapping[Target, str], written: Written) -> PushResult:
    """Give a row's result, by what the shop's answer shows."""
    change, target = row.change, row.target
    if target in contradictions:
        return refused(change, "contradiction", contradictions[target])
    said = written.answers.get(target)
    if said is None:
        why = written.stopped.message if written.stopped else ""
        if target in written.doubtful:
            return refused(change, "answer_unknown", why, status="pending")
        return refused(change, "not_sent", why, status="skipped")
    if isinstance(said, OmsyncError):
        return failed(change, said)
    return _judged(policy, row, said)


def _judged(policy: Policy, row: Row, said: Answer) -> PushResult:
    change = row.change
    if said.code:
        return _faulty(change, said)
    if row.target == row.item.own and said.sku not in {None, row.item.sku}:
        message = (
            f"product {row.item.id} got the SKU {said.sku!r} before the write and shows {said.quantity} "
            f"now; look at it and at {row.item.sku!r}, or let the next run set them right"
        )
        return refused(change, "renamed_in_cart", message, status="conflict")
    if said.managed == "parent":
        return refused(change, "unmanaged_in_cart", _whose(row.item), status="skipped")
    if said.managed == "nobody":
        message = "stock management was switched off in the meantime, so the quantity was dropped"
        if row.item.managed == "nobody":
            message = "the shop does not switch stock management on: see Settings > Products > Inventory"
        elif row.item.parent_id:
            message += "; by such a write the variation's backorders are set to 'no', so look at them"
        return policy.without_effect(change, message)
    if said.quantity is None:
        message = "the shop's answer shows no quantity"
        return refused(change, "not_echoed", message, status="pending")
    return accepted(change, said.quantity)


def _faulty(change: QuantityChange, said: Answer) -> PushResult:
    if said.code == "not_echoed":
        return refused(change, "not_echoed", said.message, status="pending")
    return refused(change, "row_refused", f"{said.message} ({said.code})")


def _problem(change: QuantityChange, items: Sequence[Item]) -> tuple[str, str] | None:
    """Give why a row cannot be sent, whatever the policy."""
    sku = change.listing_sku
    if change.location_id is not None:
        return "unknown_location", f"the shop has no locations, and none {change.location_id!r}"
    if change.quantity > MAX_QUANTITY:
        return "out_of_range", f"{change.quantity} is more than {MAX_QUANTITY}"
    if not items:
        return "not_in_cart", f"no product and no variation has the SKU {sku!r}"
    if len(items) > 1:
        ids = ", ".join(str(item.id) for item in items)
        return "duplicate_in_cart", f"several products have the SKU {sku!r}: ids {ids}"
    return None


def _has_variations(item: Item) -> bool:
    return item.kind.startswith("variable")


def _whose(item: Item) -> str:
    if item.kind in _NO_STOCK:
        return f"product {item.id} is {item.kind}, and such products have no stock"
    if _has_variations(item):
        return f"product {item.id} has variations and no stock of its own; send the SKUs of its variations"
    return (
        f"variation {item.id} has no stock of its own: that of its parent decides, product {item.parent_id}; "
        "see parent_stock"
    )
