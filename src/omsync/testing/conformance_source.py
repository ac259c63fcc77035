"""A conformance kit for sources: put yours on a bench, and see whether it reads all, or raises.

    bench = SourceBench(source=MyOrderManager(...), merchant=merchant, available=look_into_the_database)
    assert check_source(bench).conforms

Readings are made as the shells make them, each check with ledgers of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from omsync.testing._source_bench import SourceBench
from omsync.testing._source_reading import READING
from omsync.testing._source_trouble import TROUBLE
from omsync.testing.conformance_report import ConformanceReport, Kit

__all__ = ["SOURCE_CHECKS", "SourceBench", "check_source"]

_KIT: Kit[SourceBench] = Kit(*READING, *TROUBLE)

SOURCE_CHECKS = _KIT.checks
"""Every check, by name, in the order in which they are run."""


def check_source(bench: SourceBench, *, checks: Iterable[str] | None = None) -> ConformanceReport:
    """Hold a source to what omsync expects of one.

    Args:
        bench: The source, and how to look into its order manager.
        checks: The names of the checks; None for all.

    Raises:
        SettingsError: A name is none of ``SOURCE_CHECKS``.
    """
    return _KIT.check(bench, subject=bench.name, secrets=bench.secrets, names=checks)
