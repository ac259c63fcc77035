"""Checks of what is left after closing, and after a process was killed."""

from __future__ import annotations

import subprocess
import sys

from omsync.exchange import ListingState
from omsync.ports import Ledger
from omsync.testing._ledger_bench import NOW, LedgerBench, a_merchant, a_run
from omsync.testing._ledger_keeping import a_snapshot, parts_of
from omsync.testing._sink_trial import NotApplicable, want

__all__ = ["LASTING"]

_KILLED = """
import os, signal, sys
{program}
from omsync.testing._ledger_lasting import write_everything
write_everything(ledger, sys.argv[1])
print("written", flush=True)
os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
"""


def everything_is_there_after_opening_again(bench: LedgerBench) -> None:
    """What was written before closing is there after opening."""
    if not bench.keeps:
        raise NotApplicable("the ledger keeps nothing when it is closed")
    merchant = a_merchant()
    with bench.opened() as ledger:
        write_everything(ledger, merchant)
    _want_everything(bench, merchant)


def everything_is_there_after_a_kill(bench: LedgerBench) -> None:
    """What a method has written before it returned is there although the process was killed right after."""
    if bench.program is None:
        raise NotApplicable("the bench gives no program that opens the ledger in another process")
    merchant = a_merchant()
    program = _KILLED.format(program=bench.program)
    killed = subprocess.run(  # noqa: S603  the program is the bench's
        [sys.executable, "-c", program, merchant], capture_output=True, text=True, check=False, timeout=60
    )
    want(killed.stdout.strip() == "written", f"the process did not come that far: {killed.stderr[-300:]}")
    _want_everything(bench, merchant)


def write_everything(ledger: Ledger, merchant: str) -> None:
    """Use every method that writes."""
    ledger.begin_run(a_run(merchant))
    ledger.save_snapshot(merchant, a_snapshot(5))
    state = ListingState(listing_sku="MUG", accepted=3, accepted_at=NOW)
    ledger.record_states(merchant, "shop", [state])
    ledger.memory(merchant).remember("pages", {"1": "kept"})


def _want_everything(bench: LedgerBench, merchant: str) -> None:
    with bench.opened() as ledger:
        want(len(ledger.runs(merchant, "shop")) == 1, "the run is lost")
        want(parts_of(ledger.last_snapshot(merchant)) == parts_of(a_snapshot(5)), "the snapshot is lost")
        want([one.accepted for one in ledger.states(merchant, "shop")] == [3], "the figures are lost")
        want(dict(ledger.memory(merchant).recall("pages")) == {"1": "kept"}, "the memory is lost")


LASTING = (everything_is_there_after_opening_again, everything_is_there_after_a_kill)
