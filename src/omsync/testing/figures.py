"""Changing a single figure, both in an explanation and in the case that it explains."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import evolve, frozen

from omsync.allocation import Derivation, Explanation, ListingQuantity
from omsync.model import Bundle, StockLevel
from omsync.settings import SkuOverride
from omsync.testing.case import Case

__all__ = ["FigureChange", "figure_changes"]


@frozen(kw_only=True)
class FigureChange:
    """One figure, changed in both.

    Args:
        what: The figure, in words.
        case: The case with the figure changed.
        explanation: The explanation with the figure changed; what is left is as it was.
    """

    what: str
    case: Case
    explanation: Explanation


def figure_changes(
    case: Case, row: ListingQuantity, explanation: Explanation, change: int
) -> list[FigureChange]:
    """Change each figure of an explanation by ``change``, one at a time; below its own bound, upwards."""
    return [
        *_level_changes(case, explanation, change),
        *_order_changes(case, explanation, change),
        *_need_changes(case, explanation, abs(change)),
        _rule_change(case, row, explanation, abs(change)),
        FigureChange(
            what="units in a piece",
            case=case.with_cart(units={**case.cart.units, row.listing_sku: row.units + abs(change)}),
            explanation=_rows(explanation, lambda one: evolve(one, units=row.units + abs(change))),
        ),
    ]


def _rows(explanation: Explanation, changed: Callable[[Derivation], Derivation]) -> Explanation:
    return evolve(explanation, rows=tuple(map(changed, explanation.rows)))


def _level_changes(case: Case, explanation: Explanation, change: int) -> Iterator[FigureChange]:
    levels = {(one.master_sku, one.location_id): one for row in explanation.rows for one in row.levels}
    for (master_sku, location_id), level in levels.items():
        for name in ("available", "on_hand", "committed", "locked", "in_transit"):
            figure = getattr(level, name)
            if figure is None:
                continue
            now = figure + change if name in {"available", "on_hand"} else figure + abs(change)
            other = evolve(level, **{name: now})

            def swap(one: StockLevel, level: StockLevel = level, other: StockLevel = other) -> StockLevel:
                return other if one == level else one

            def swap_all(row: Derivation, swap: Callable[[StockLevel], StockLevel] = swap) -> Derivation:
                return evolve(row, levels=tuple(map(swap, row.levels)))

            yield FigureChange(
                what=f"{name} of {master_sku!r} at {location_id!r}",
                case=case.with_levels(swap),
                explanation=_rows(explanation, swap_all),
            )


def _order_changes(case: Case, explanation: Explanation, change: int) -> Iterator[FigureChange]:
    for master_sku in sorted({one.master_sku for row in explanation.rows for one in row.orders}):
        given = case.orders.get(master_sku, 0)
        by = change if given + change > 0 else abs(change)

        def order(row: Derivation, master_sku: str = master_sku, by: int = by) -> Derivation:
            orders = [
                evolve(one, units=one.units + by) if one.master_sku == master_sku else one
                for one in row.orders
            ]
            return evolve(row, orders=tuple(orders))

        yield FigureChange(
            what=f"orders of {master_sku!r}",
            case=evolve(case, orders={**case.orders, master_sku: given + by}),
            explanation=_rows(explanation, order),
        )


def _need_changes(case: Case, explanation: Explanation, change: int) -> Iterator[FigureChange]:
    for bundle in {one.master_sku: one for row in explanation.rows for one in row.recipes}.values():
        first, *others = bundle.components
        other = evolve(bundle, components=(evolve(first, quantity=first.quantity + change), *others))

        def swap(one: Bundle, bundle: Bundle = bundle, other: Bundle = other) -> Bundle:
            return other if one == bundle else one

        def swap_all(row: Derivation, swap: Callable[[Bundle], Bundle] = swap) -> Derivation:
            return evolve(row, recipes=tuple(map(swap, row.recipes)))

        yield FigureChange(
            what=f"units of {first.master_sku!r} in {bundle.master_sku!r}",
            case=evolve(
                case, snapshot=evolve(case.snapshot, bundles=tuple(map(swap, case.snapshot.bundles)))
            ),
            explanation=_rows(explanation, swap_all),
        )


def _rule_change(case: Case, row: ListingQuantity, explanation: Explanation, change: int) -> FigureChange:
    rules = case.rules_of(row.master_sku)
    kept = evolve(rules, safety_stock=rules.safety_stock + change)
    override = case.cart.overrides.get(row.master_sku, SkuOverride())
    return FigureChange(
        what="safety_stock",
        case=case.with_cart(overrides={**case.cart.overrides, row.master_sku: evolve(override, rules=kept)}),
        explanation=_rows(explanation, lambda one: evolve(one, rules=kept)),
    )
