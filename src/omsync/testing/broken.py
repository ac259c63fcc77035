"""Engines that are wrong on purpose, one for each law, to show that the law catches what it is for.

Every mistake here is one that somebody made, or could make on a busy day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from omsync.allocation import (
    Allocation,
    Derivation,
    Explanation,
    ListingQuantity,
    Skip,
    allocate,
)
from omsync.model import InventorySnapshot
from omsync.settings import CartSettings, MerchantSettings, PerWarehouse

__all__ = ["BROKEN_ENGINES"]

Orders = Mapping[str, int]
Engine = Callable[[InventorySnapshot, MerchantSettings, CartSettings, Orders], "Allocation | _Retold"]


def shows_debts(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Tell carts of debts, as if they could sell less than nothing."""
    return _recomputed(snapshot, merchant, cart, orders, lambda row: row.work_out().total // row.units)


def drops_what_is_skipped(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Leave out what has no quantity, in silence."""
    return evolve(allocate(snapshot, merchant, cart, orders), skipped=())


def forgets_debts_elsewhere(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Lift each location's debt to 0 unasked, so that one warehouse shows what another owes."""
    return allocate(snapshot, _with_mode(merchant, clamp_each=True), cart, orders)


def has_room_for_one_digit(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Lose the front of a number, as a column of a report that is too narrow."""
    return _retold(snapshot, merchant, cart, orders, lambda row: row.quantity % 10)


def takes_the_last_listing(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Let the listing that was read last win, where two products claim it."""
    last = {(alias.name, alias.listing_sku): alias for alias in snapshot.aliases}
    return allocate(evolve(snapshot, aliases=last.values()), merchant, cart, orders)


def counts_disabled_warehouses(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Combine everything, also what was disabled."""
    return allocate(snapshot, _with_mode(merchant, disabled=()), cart, orders)


def rounds_to_the_nearest(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Round a share to the nearest whole number, and show one that is not there."""

    def told(row: Derivation) -> int:
        pieces = row.work_out().total // row.units
        return max(0, (pieces * row.rules.percent + 50) // 100)

    return _recomputed(snapshot, merchant, cart, orders, told)


def takes_zero_below_for_show_at_least(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Take "minimum" for the other of the two things that the word means: show at least so many."""

    def told(row: ListingQuantity) -> int:
        override = cart.overrides.get(row.master_sku)
        rules = (override.rules if override else None) or cart.rules
        return max(row.quantity, rules.zero_below)

    return _retold(snapshot, merchant, cart, orders, told)


def takes_the_smaller_of_shelf_and_parts(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Show the smaller of shelf units and built units of a bundle, instead of their sum."""

    def told(row: Derivation) -> int:
        worked = row.work_out()
        return max(0, worked.total if worked.limit is None else min(worked.shelf, worked.built))

    return _recomputed(snapshot, merchant, cart, orders, told)


def takes_kits_for_parts(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Use only those inner kits that stand on a shelf, and never build one."""

    def told(row: Derivation) -> int:
        own = tuple(recipe for recipe in row.recipes if recipe.master_sku == row.master_sku)
        return evolve(row, recipes=own).evaluate()

    return _recomputed(snapshot, merchant, cart, orders, told)


def adds_the_shelf_twice(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Add shelf units to a sum that has them already."""

    def told(row: Derivation) -> int:
        worked = row.work_out()
        return max(0, worked.total if worked.limit is None else worked.total + worked.shelf)

    return _recomputed(snapshot, merchant, cart, orders, told)


def pools_when_told_not_to(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> Allocation:
    """Read ``pooled_assembly`` the wrong way round."""
    pooled = isinstance(merchant.mode, PerWarehouse) and merchant.mode.pooled_assembly
    return allocate(snapshot, _with_mode(merchant, pooled_assembly=not pooled), cart, orders)


def explains_without_rules(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> _Retold:
    """Explain what is in the warehouses, and forget what the rules made of it."""

    def bare(explanation: Explanation) -> Explanation:
        rules = CartSettings(name=cart.name).rules
        return evolve(explanation, rows=tuple(evolve(row, rules=rules) for row in explanation.rows))

    return _Retold(allocation=allocate(snapshot, merchant, cart, orders), retell=bare)


def explains_by_heart(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Orders
) -> _Retold:
    """Let an explanation know its result by heart, whatever its figures say."""

    def by_heart(explanation: Explanation) -> Explanation:
        return _ByHeart(
            listing_sku=explanation.listing_sku,
            location_id=explanation.location_id,
            quantity=explanation.quantity,
            rows=explanation.rows,
            taken_at=explanation.taken_at,
        )

    return _Retold(allocation=allocate(snapshot, merchant, cart, orders), retell=by_heart)


BROKEN_ENGINES: Mapping[str, Engine] = {
    "never_negative": shows_debts,
    "nothing_is_silent": drops_what_is_skipped,
    "shows_what_is_held": forgets_debts_elsewhere,
    "more_stock_never_lowers": has_room_for_one_digit,
    "input_order_never_matters": takes_the_last_listing,
    "disabling_is_deleting": counts_disabled_warehouses,
    "percent_100_is_the_identity": rounds_to_the_nearest,
    "zero_below_gives_0_or_the_value": takes_zero_below_for_show_at_least,
    "bundle_of_one_part_is_the_part": takes_the_smaller_of_shelf_and_parts,
    "nested_is_flattened": takes_kits_for_parts,
    "preassembled_adds_exactly_once": adds_the_shelf_twice,
    "pooled_is_never_less": pools_when_told_not_to,
    "explanation_gives_the_quantity": explains_without_rules,
    "explanation_follows_every_figure": explains_by_heart,
}
"""By the law that catches it: a broken engine."""


@frozen(kw_only=True)
class _Retold:
    """An allocation whose explanations are told differently."""

    allocation: Allocation
    retell: Callable[[Explanation], Explanation]

    @property
    def quantities(self) -> Sequence[ListingQuantity]:
        return self.allocation.quantities

    @property
    def skipped(self) -> tuple[Skip, ...]:
        return self.allocation.skipped

    def explain(self, listing_sku: str, location_id: str | None = None) -> Explanation:
        return self.retell(self.allocation.explain(listing_sku, location_id))


@frozen(kw_only=True)
class _ByHeart(Explanation):
    """An explanation that does not look at its figures."""

    def evaluate(self) -> int:
        return self.quantity


def _with_mode(merchant: MerchantSettings, **changes: Any) -> MerchantSettings:
    if not isinstance(merchant.mode, PerWarehouse):
        return merchant
    return evolve(merchant, mode=evolve(merchant.mode, **changes))


def _retold(
    snapshot: InventorySnapshot,
    merchant: MerchantSettings,
    cart: CartSettings,
    orders: Orders,
    told: Callable[[ListingQuantity], int],
) -> Allocation:
    allocation = allocate(snapshot, merchant, cart, orders)
    return evolve(
        allocation, quantities=tuple(evolve(row, quantity=told(row)) for row in allocation.quantities)
    )


def _recomputed(
    snapshot: InventorySnapshot,
    merchant: MerchantSettings,
    cart: CartSettings,
    orders: Orders,
    told: Callable[[Derivation], int],
) -> Allocation:
    allocation = allocate(snapshot, merchant, cart, orders)

    def total(row: ListingQuantity) -> int:
        rows = allocation.explain(row.listing_sku, row.location_id).rows
        return sum(told(one) for one in rows if one.is_recorded)

    return _retold(snapshot, merchant, cart, orders, total)
