"""Sales, restocks, faults, crashes and runs in any order: never too much, and exact when it is calm."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fake_memory import Crash
from fault_matrix import SOURCE_FAULTS, TOTALS, FaultyLedger, World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from omsync.errors import LedgerError
from omsync.testing import CART_FAULTS, CartFault, Fault

SKUS = ("MUG", "CUP", "JUG", "TRAY")
NO_READ = ("not_applied", "applied_twice", "clamped", "refuses_zero")
MOST_RUNS = 4
"""Runs that it may take when all is calm: one late repetition, one sale that looks like a lost write."""


class SyncMachine(RuleBasedStateMachine):
    """A merchant's days. The model is ``allocate`` of what the order manager has."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(TemporaryDirectory())
        self.folder = Path(folder)
        self.seen: set[str] = set()
        self.world: World

    @initialize(way=st.sampled_from(["blocking", "awaiting"]), compare=st.sampled_from(["blind", "version"]))
    def begin(self, way: str, compare: str) -> None:
        self.world = World(self.folder, way, compare_and_set=compare)
        self.stack.callback(self.world.close)

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.becomes_calm()
        finally:
            self.stack.close()

    @rule(sku=st.sampled_from(SKUS), units=st.integers(0, 40))
    def counts_anew(self, sku: str, units: int) -> None:
        """Somebody counts, restocks or sells elsewhere: the order manager has so many now."""
        self.world.stock(**{sku: units})

    @rule(sku=st.sampled_from(SKUS), units=st.integers(1, 5))
    def sells(self, sku: str, units: int) -> None:
        """The shop sells, and the order manager hears of it at once."""
        shown = self.world.cart.shown()[sku, None]
        held = self.world.figures[sku]
        sold = min(units, shown, held)
        if sold:
            self.world.cart.put(sku, shown - sold)
            self.world.stock(**{sku: held - sold})

    @rule(kind=st.sampled_from(CART_FAULTS), on=st.sampled_from(["read", "write"]), times=st.integers(1, 3))
    def cart_breaks(self, kind: str, on: str, times: int) -> None:
        if not (on == "read" and kind in NO_READ):
            self.world.cart.add_faults(CartFault(kind=kind, on=on, times=times, most=2))

    @rule(kind=st.sampled_from(sorted(SOURCE_FAULTS)), times=st.integers(1, 3))
    def order_manager_breaks(self, kind: str, times: int) -> None:
        self.world.sandbox.add_faults(Fault(on=TOTALS, times=times, **SOURCE_FAULTS[kind]))

    @rule()
    def runs(self) -> None:
        self.run_once()

    @rule(nth=st.integers(1, 30), after=st.booleans(), dies=st.booleans())
    def runs_with_a_ledger_that_fails(self, nth: int, after: bool, dies: bool) -> None:
        """The disk is full, or the process is killed, at some call of the ledger."""
        error: BaseException = Crash() if dies else LedgerError("the disk is full (by script)")
        self.run_once(lambda ledger: FaultyLedger(ledger, error, nth, after=after))

    @rule(stage=st.sampled_from(["read cart", "push", "allocate"]))
    def is_killed(self, stage: str) -> None:
        def killed(at: str, _: int, __: int | None) -> None:
            if at == stage:
                raise Crash

        self.run_once(on_progress=killed)

    @rule()
    def becomes_calm(self) -> None:
        """Nothing goes wrong any more: after a few runs the cart shows exactly what it should.

        A cart that said twice running that it shows what it does not looks as if somebody else wrote it.
        """
        self.world.sandbox.clear_faults()
        self.world.cart.clear_faults()
        for _ in range(MOST_RUNS):
            self.run_once()
            if self.world.cart.shown() == self.world.wanted():
                break
            self.world.approve_rises()
        assert self.world.cart.shown() == self.world.wanted()

    def run_once(self, *args: Any, **options: Any) -> None:
        before, wanted = self.world.cart.shown(), self.world.wanted()
        written = len(self.world.cart.effects)
        self.world.run(*args, **options)
        for effect in self.world.cart.effects[written:]:
            key = effect.listing_sku, effect.location_id
            # What something between repeats late is no push of ours.
            if effect.key not in self.seen:
                assert effect.after <= max(wanted[key], before[key]), f"{effect}: there are {wanted[key]}"
        self.seen.update(effect.key for effect in self.world.cart.effects)


SyncMachine.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestSyncInAnyOrder = SyncMachine.TestCase
