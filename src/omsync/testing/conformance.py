"""The kits as classes for pytest: subclass one, give a fixture ``bench``, and every check is a test.

    class TestMyCart(SinkConformance):
        @pytest.fixture
        def bench(self) -> SinkBench:
            return SinkBench(sink=MyCart(...), shown=look_into_the_database, listings=["MUG", "CUP"])

The classes are plain: pytest is not needed to import them, only to run them. A check that does not concern
the adapter, or that the bench gives too little for, passes; name those in ``not_applicable``, and a
check that is left open without being named fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Protocol

from omsync.testing.conformance_ledger import LEDGER_CHECKS, check_ledger
from omsync.testing.conformance_source import SOURCE_CHECKS, check_source
from omsync.testing.sink_kit import SINK_CHECKS, CheckResult, check_sink

__all__ = ["LedgerConformance", "SinkConformance", "SourceConformance"]


class _Report(Protocol):
    @property
    def results(self) -> tuple[CheckResult, ...]: ...


class _Statement(Protocol):
    @property
    def statement(self) -> str: ...


class _Conformance:
    """What the three classes share.

    Attributes:
        not_applicable: The checks that do not concern the adapter; None: any may be left open.
    """

    not_applicable: ClassVar[Iterable[str] | None] = None

    def judge(self, result: CheckResult) -> None:
        """Fail where a check failed, was left open without being named, or was named and not left open."""
        if result.outcome == "failed":
            raise AssertionError(str(result))
        if self.not_applicable is not None:
            named, is_open = result.name in set(self.not_applicable), result.outcome == "not_applicable"
            if named != is_open:
                words = "is named in not_applicable, and passed" if named else f"is left open: {result.seen}"
                raise AssertionError(f"{result.name} {words}")


def _add_tests(
    owner: type[_Conformance], statements: Mapping[str, _Statement], check: Callable[..., _Report]
) -> None:
    for name, one in statements.items():
        setattr(owner, f"test_{name}", _test_of(name, one.statement, check))


def _test_of(name: str, statement: str, check: Callable[..., _Report]) -> Callable[..., None]:
    def test(self: _Conformance, bench: Any) -> None:
        for result in check(bench, checks=[name]).results:
            self.judge(result)

    test.__name__, test.__qualname__, test.__doc__ = f"test_{name}", f"test_{name}", statement
    return test


class SinkConformance(_Conformance):
    """Hold a sink to every check of ``SINK_CHECKS``; the fixture ``bench`` gives a ``SinkBench``."""


class SourceConformance(_Conformance):
    """Hold a source to every check of ``SOURCE_CHECKS``; the fixture ``bench`` gives a ``SourceBench``."""


class LedgerConformance(_Conformance):
    """Hold a ledger to every check of ``LEDGER_CHECKS``; the fixture ``bench`` gives a ``LedgerBench``."""


_add_tests(SinkConformance, SINK_CHECKS, check_sink)
_add_tests(SourceConformance, SOURCE_CHECKS, check_source)
_add_tests(LedgerConformance, LEDGER_CHECKS, check_ledger)
