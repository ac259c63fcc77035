"""Hypothesis strategies of what single laws want beside a case. Needs ``omsync[testing]``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from omsync.model import StockLevel
from omsync.testing.case import Case
from omsync.testing.strategies import cases

__all__ = ["with_a_bundle", "with_a_part", "with_a_warehouse", "with_another_order", "with_more_stock"]


@st.composite
def with_more_stock(draw: st.DrawFn) -> tuple[Case, Case]:
    """Draw a case, and the same with one figure raised."""
    case = draw(cases())
    keys = [(level.master_sku, level.location_id) for level in case.snapshot.levels]
    key, more = draw(st.sampled_from(keys or [("none", "none")])), draw(st.integers(1, 9))

    def raised(level: StockLevel) -> StockLevel:
        if (level.master_sku, level.location_id) != key:
            return level
        if level.available is not None:
            return evolve(level, available=level.available + more)
        return level if level.on_hand is None else evolve(level, on_hand=level.on_hand + more)

    return case, case.with_levels(raised)


@st.composite
def with_another_order(draw: st.DrawFn) -> tuple[Case, Case]:
    """Draw a case, and the same with every collection in another order."""
    case = draw(cases())
    snapshot, random = case.snapshot, draw(st.randoms(use_true_random=False))

    def shuffled(items: Iterable[Any]) -> list[Any]:
        listed = list(items)
        random.shuffle(listed)
        return listed

    bundles = [evolve(bundle, components=shuffled(bundle.components)) for bundle in snapshot.bundles]
    return case, evolve(
        case,
        snapshot=evolve(
            snapshot,
            skus=shuffled(snapshot.skus),
            aliases=shuffled(snapshot.aliases),
            warehouses=shuffled(snapshot.warehouses),
            sales_channels=shuffled(snapshot.sales_channels),
            bundles=shuffled(bundles),
            levels=shuffled(snapshot.levels),
        ),
        orders=dict(shuffled(case.orders.items())),
    )


@st.composite
def with_a_warehouse(draw: st.DrawFn) -> tuple[Case, str]:
    """Draw a case that combines all but the disabled warehouses, and one of its warehouses."""
    case = draw(cases(channels=False, named=False, breakdowns=False, name_counted=False))
    return case, draw(st.sampled_from([place.id for place in case.snapshot.places]))


@st.composite
def with_a_part(draw: st.DrawFn) -> tuple[Case, str]:
    """Draw a case with computed bundles by master SKU, all warehouses building, and a plain product of it."""
    case = draw(cases(channels=False, computed=True, aliases=False, backorders=False, packs=False))
    plain = [sku.master_sku for sku in case.snapshot.skus if sku.master_sku not in case.parts]
    return case.with_mode(preassembled_only=()), draw(st.sampled_from(plain or ["none"]))


@st.composite
def with_a_bundle(draw: st.DrawFn) -> tuple[Case, str, int]:
    """Draw a case with computed bundles by master SKU, without rules, a bundle of it, and units of that."""
    case = draw(
        cases(
            channels=False,
            computed=True,
            trouble=False,
            orders=False,
            rules=False,
            packs=False,
            mapped=False,
            aliases=False,
        )
    )
    bundles = [bundle.master_sku for bundle in case.snapshot.bundles]
    return case, draw(st.sampled_from(bundles or ["none"])), draw(st.integers(1, 9))
