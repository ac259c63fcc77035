"""A conformance kit for ledgers: give a way to open yours, and see whether it remembers as omsync expects.

    bench = LedgerBench(open=lambda: SqliteLedger("bench.db"), close=SqliteLedger.close)
    assert check_ledger(bench).conforms

Every check writes under merchants of its own, so one ledger can be checked any number of times.
"""

from __future__ import annotations

from collections.abc import Iterable

from omsync.testing._ledger_bench import LedgerBench
from omsync.testing._ledger_keeping import KEEPING
from omsync.testing._ledger_lasting import LASTING
from omsync.testing._ledger_runs import RUNS
from omsync.testing._ledger_sharing import SHARING
from omsync.testing.conformance_report import ConformanceReport, Kit

__all__ = ["LEDGER_CHECKS", "LedgerBench", "check_ledger"]

_KIT: Kit[LedgerBench] = Kit(*RUNS, *KEEPING, *SHARING, *LASTING)

LEDGER_CHECKS = _KIT.checks
"""Every check, by name, in the order in which they are run."""


def check_ledger(bench: LedgerBench, *, checks: Iterable[str] | None = None) -> ConformanceReport:
    """Hold a ledger to what omsync expects of one.

    Args:
        bench: How it is opened.
        checks: The names of the checks; None for all.

    Raises:
        SettingsError: A name is none of ``LEDGER_CHECKS``.
    """
    return _KIT.check(bench, subject=bench.name, names=checks)
