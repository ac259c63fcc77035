"""The laws of allocation: the reference engine keeps them, and each law catches an engine that does not."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from omsync.allocation import Allocation, allocate
from omsync.model import InventorySnapshot
from omsync.settings import CartSettings, MerchantSettings
from omsync.testing.broken import BROKEN_ENGINES
from omsync.testing.case import FEATURES, Case, features
from omsync.testing.laws import ALLOCATION_LAWS, prove
from omsync.testing.strategies import cases


@pytest.mark.parametrize("name", ALLOCATION_LAWS)
def test_the_reference_engine_keeps_the_law(name: str) -> None:
    prove(allocate, laws=[name], examples=50)


@pytest.mark.parametrize("name", ALLOCATION_LAWS)
def test_the_law_catches_an_engine_that_breaks_it(name: str) -> None:
    with pytest.raises(AssertionError, match=f"The law {name} is broken"):
        prove(BROKEN_ENGINES[name], laws=[name], examples=300, shrink=False)


def test_every_law_has_its_broken_engine_and_a_statement() -> None:
    assert set(BROKEN_ENGINES) == set(ALLOCATION_LAWS)
    assert all(law.statement.endswith(".") for law in ALLOCATION_LAWS.values())


def test_a_broken_law_says_what_it_is_and_where_with_the_smallest_case() -> None:
    with pytest.raises(AssertionError) as caught:
        prove(BROKEN_ENGINES["nothing_is_silent"], laws=["nothing_is_silent"])

    assert str(caught.value) == (
        "The law nothing_is_silent is broken. Every product has a quantity, or a reason why it has none.\n"
        "neither told nor skipped: ['CUP']"
    )


def test_an_engine_that_breaks_one_law_may_keep_another() -> None:
    prove(BROKEN_ENGINES["explanation_gives_the_quantity"], laws=["nothing_is_silent"], examples=10)


def test_all_laws_are_proved_unless_some_are_named() -> None:
    asked: list[InventorySnapshot] = []

    def engine(
        snapshot: InventorySnapshot,
        merchant: MerchantSettings,
        settings: CartSettings,
        orders: Mapping[str, int],
    ) -> Allocation:
        asked.append(snapshot)
        return allocate(snapshot, merchant, settings, orders)

    prove(engine, examples=1)

    assert len(asked) >= len(ALLOCATION_LAWS)


def test_the_strategies_reach_everything_that_makes_a_quantity_hard() -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=300,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def look(case: Case) -> None:
        seen.update(features(case))
        allocation = case.allocated_by(allocate)
        seen.update(row.reason for row in allocation.quantities)
        seen.update(one.reason for one in allocation.skipped)
        for row in allocation.quantities:
            for derivation in allocation.explain(row.listing_sku, row.location_id).rows:
                worked = derivation.work_out()
                seen["built"] += worked.built > 0

    look()

    assert not [name for name in FEATURES if not seen[name]]
    assert seen["debt"] > 30
    assert seen["missing record"] > 30
    assert seen["shared part"] > 30
    assert seen["built"] > 10
    assert {"bundle_computed", "bundle_reported", "not_at_counted_location", "stock"} <= set(seen)


def test_the_sandbox_is_usable_without_hypothesis() -> None:
    code = "import sys, omsync.testing, omsync.testing.broken; sys.exit('hypothesis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
