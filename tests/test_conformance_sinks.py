"""The kit for sinks as a class: carts of ours as users would test theirs, and the faulty cart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from attrs import evolve
from conformance_benches import BENCHES
from fake_memory import FakeClock
from market import Stall
from market import bench_of as market_bench

from omsync.errors import UnreachableError
from omsync.http.messages import Request
from omsync.http.retrying import RetryPolicy
from omsync.ports import CartListing
from omsync.testing import (
    LEDGER_CHECKS,
    SINK_CHECKS,
    SOURCE_CHECKS,
    STRANGE_SKUS,
    FaultyCart,
    LedgerConformance,
    SinkBench,
    SinkConformance,
    SourceConformance,
    losing_answers,
)

ONCE = RetryPolicy(attempts=1)


def nobody(request: Request) -> Any:
    raise UnreachableError(f"{request.place}: no connection (by script)")


def faulty_bench(compare_and_set: str) -> SinkBench:
    """Put the faulty cart, without faults, on the bench, with its twins that come to nothing."""
    skus = ("MUG", "CUP", "JUG", *(f"ROW-{number}" for number in range(20)))
    shelves = {(sku, place): 1 for sku in (*skus, *STRANGE_SKUS) for place in (None, "east")}

    def cart(**options: Any) -> FaultyCart:
        more = {"compare_and_set": compare_and_set, "max_rows": 20, "retry": ONCE}
        return FaultyCart({}, **{**more, **options})

    good = cart()
    for (sku, place), quantity in shelves.items():
        good.put(sku, quantity, place)

    losing = cart(handler=losing_answers(good.platform.handle, of=lambda request: request.method == "PUT"))
    return SinkBench(
        sink=good,
        shown=good.shown,
        listings=skus,
        strange=STRANGE_SKUS,
        locations=(None, "east"),
        absent_location="west",
        unauthorized=cart(handler=good.platform.handle, token="a-wrong-token"),
        unreachable=cart(handler=nobody),
        losing=losing,
        secrets=["faulty-cart-token", "a-wrong-token"],
        clock=FakeClock(),
    )


OPEN = (
    "says_what_open_orders_hold",
    "names_of_one_place_agree",
    "one_place_takes_one_number",
    "states_a_duplicate",
    "states_what_is_untracked",
    "states_what_is_unmanaged",
    "leaves_alone_what_it_must_not_tell",
    "a_renamed_listing_keeps_its_number",
    "a_listing_renamed_during_a_run_keeps_its_number",
    "a_quantity_too_large_is_never_cut",
    "creates_what_it_says",
)


class TestFaultyCart(SinkConformance):
    not_applicable: ClassVar[tuple[str, ...]] = (
        *OPEN,
        "a_late_write_is_a_conflict",
        "a_sale_is_not_taken_for_the_write",
    )

    @pytest.fixture
    def bench(self) -> SinkBench:
        return faulty_bench("blind")


class TestFaultyCartByVersion(SinkConformance):
    not_applicable: ClassVar[tuple[str, ...]] = OPEN

    @pytest.fixture
    def bench(self) -> SinkBench:
        return faulty_bench("version")


class TestSomeCarts(SinkConformance):
    """All carts are held to the same checks in test_every_cart_conforms.py."""

    @pytest.fixture(params=["vendure", "walmart, by feed", "csv file, locations"])
    def bench(self, request: pytest.FixtureRequest, tmp_path: Path) -> SinkBench:
        return BENCHES[request.param](tmp_path, 0)


# The classes themselves


class Wrong(Stall):
    """Reads one unit more than there is."""

    def listing(self, key: Any) -> CartListing:
        listing = super().listing(key)
        return evolve(listing, quantity=(listing.quantity or 0) + 1)


def hold(kit: type[SinkConformance], check: str, bench: SinkBench) -> None:
    """Run one test of a kit as pytest would."""
    getattr(kit(), f"test_{check}")(bench)


def test_each_check_is_a_test_and_says_what_it_expects() -> None:
    kits: tuple[tuple[type[Any], Any], ...] = (
        (SinkConformance, SINK_CHECKS),
        (SourceConformance, SOURCE_CHECKS),
        (LedgerConformance, LEDGER_CHECKS),
    )
    for kit, checks in kits:
        tests = {name for name in dir(kit) if name.startswith("test_")}
        assert tests == {f"test_{name}" for name in checks}
        assert all(getattr(kit, name).__doc__ for name in tests)


def test_a_wrong_sink_fails_its_test() -> None:
    bench = market_bench(kind=Wrong)
    with pytest.raises(AssertionError, match="FAILED shows_the_true_figures"):
        hold(SinkConformance, "shows_the_true_figures", bench)


def test_what_is_left_open_must_be_named_and_what_is_named_must_be_left_open() -> None:
    class NamesNothing(SinkConformance):
        not_applicable = ()

    with pytest.raises(AssertionError, match="creates_what_it_says is left open: the cart makes no"):
        hold(NamesNothing, "creates_what_it_says", market_bench())
    name = next(iter(SINK_CHECKS))

    class NamesAPassing(SinkConformance):
        not_applicable = (name,)

    with pytest.raises(AssertionError, match="is named in not_applicable, and passed"):
        hold(NamesAPassing, name, market_bench())
    hold(SinkConformance, "creates_what_it_says", market_bench())


def test_pytest_is_not_needed_to_import_the_kits() -> None:
    program = "import omsync.testing, sys; print({'pytest', 'hypothesis'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
