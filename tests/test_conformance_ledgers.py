"""The conformance kit for ledgers: ours pass it, and each check catches a ledger that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from broken_ledgers import BROKEN, bench_of, sqlite_bench
from fake_ports import DictLedger
from sql_place import SqlPlace

from omsync.testing import LEDGER_CHECKS, LedgerBench, LedgerConformance, check_ledger

KILLED = "everything_is_there_after_a_kill"
LEASES_AND_HISTORY = {
    "a_lease_has_one_holder",
    "of_many_runs_one_gets_the_lease",
    "a_lease_that_has_run_out_can_be_taken_over",
    "history_keeps_what_was_sent",
}


class TestSqliteLedger(LedgerConformance):
    not_applicable = ()

    @pytest.fixture
    def bench(self, tmp_path: Path) -> LedgerBench:
        return sqlite_bench(tmp_path / "ledger.db")


class TestSqlLedger(LedgerConformance):
    """In a SQLite file; ``tests/postgres`` holds it to the kit on a real PostgreSQL."""

    not_applicable = ()

    @pytest.fixture
    def bench(self, tmp_path: Path) -> LedgerBench:
        return SqlPlace(url=f"sqlite:///{tmp_path / 'ledger.db'}").bench()


class TestDictLedger(LedgerConformance):
    not_applicable = ("everything_is_there_after_opening_again", KILLED)

    @pytest.fixture
    def bench(self) -> LedgerBench:
        return bench_of()


@pytest.mark.parametrize(("kind", "check"), BROKEN, ids=lambda one: getattr(one, "__name__", one))
def test_a_wrong_ledger_is_caught(kind: type[Any], check: str, tmp_path: Path) -> None:
    (result,) = check_ledger(sqlite_bench(tmp_path / "ledger.db", kind), checks=[check]).results
    assert result.outcome == "failed", result


def test_a_ledger_that_writes_later_is_caught_by_a_kill(tmp_path: Path) -> None:
    bench = sqlite_bench(tmp_path / "ledger.db")
    late = "from omsync.ledgers.sqlite import SqliteLedger\nledger = SqliteLedger(':memory:')"
    (lost,) = check_ledger(evolve(bench, program=late), checks=[KILLED]).results
    assert "the run is lost" in lost.seen
    (broken,) = check_ledger(evolve(bench, program="raise SystemExit('no')"), checks=[KILLED]).results
    assert "did not come that far: no" in broken.seen


def test_every_check_catches_something() -> None:
    assert {check for _, check in BROKEN} | {KILLED} == set(LEDGER_CHECKS)


def test_checks_can_be_repeated_on_one_ledger(tmp_path: Path) -> None:
    bench = sqlite_bench(tmp_path / "ledger.db")
    for _ in range(2):
        report = check_ledger(evolve(bench, program=None))
        assert report.conforms, str(report)
    assert str(report).startswith(f"SqliteLedger: {len(LEDGER_CHECKS) - 1} passed")


def test_what_a_ledger_lacks_does_not_concern_it() -> None:
    class OfBefore(DictLedger):
        take_lease = renew_lease = release_lease = record_history = history = None  # type: ignore[assignment]  # lacking

    ledger = OfBefore()
    report = check_ledger(LedgerBench(open=lambda: ledger, keeps=False), checks=LEASES_AND_HISTORY)
    assert set(report.named("not_applicable")) == LEASES_AND_HISTORY
