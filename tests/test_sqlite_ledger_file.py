"""The ledger's file over the years: brought forward, kept small, copied in use, shared by processes."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from omsync.errors import InvalidValueError, LedgerError
from omsync.exchange import HistoryEntry, Lease, ListingState, RunRecord
from omsync.ledgers import _history, _leases, sqlite
from omsync.ledgers.sqlite import SqliteLedger

NOON = datetime(2025, 3, 9, 12, tzinfo=UTC)
FIRST_TABLES = """
CREATE TABLE runs (
    run_id TEXT NOT NULL UNIQUE, merchant TEXT NOT NULL, cart TEXT, status TEXT NOT NULL,
    started_at TEXT NOT NULL, finished_at TEXT, last_seen_at TEXT NOT NULL,
    counts TEXT NOT NULL DEFAULT '{}', message TEXT NOT NULL DEFAULT '', code TEXT NOT NULL DEFAULT '',
    pid INTEGER, host TEXT
);
CREATE INDEX runs_newest ON runs (merchant, cart, started_at);
CREATE TABLE snapshots (
    merchant TEXT NOT NULL PRIMARY KEY, taken_at TEXT NOT NULL, saved_at TEXT NOT NULL,
    products INTEGER NOT NULL, stock_records INTEGER NOT NULL, content BLOB NOT NULL
);
CREATE TABLE listing_figures (
    merchant TEXT NOT NULL, cart TEXT NOT NULL, listing_sku TEXT NOT NULL, location_id TEXT NOT NULL,
    desired INTEGER, desired_at TEXT, sent INTEGER, sent_at TEXT,
    accepted INTEGER, accepted_at TEXT, observed INTEGER, observed_at TEXT,
    PRIMARY KEY (merchant, cart, listing_sku, location_id)
) WITHOUT ROWID;
CREATE VIEW listing_states AS
    SELECT merchant, cart, listing_sku, nullif(location_id, '') AS location_id,
           desired, desired_at, sent, sent_at, accepted, accepted_at, observed, observed_at
    FROM listing_figures;
CREATE TABLE source_memory (
    merchant TEXT NOT NULL, namespace TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    UNIQUE (merchant, namespace, key)
);
INSERT INTO runs VALUES (
    'r1', 'acme', 'shop', 'success', '2025-03-09T12:00:00.000000+00:00', '2025-03-09T12:02:00.000000+00:00',
    '2025-03-09T12:02:00.000000+00:00', '{"applied":3}', '', '', 1, 'host'
);
INSERT INTO listing_figures VALUES (
    'acme', 'shop', 'FORK', '', 5, '2025-03-09T12:00:00.000000+00:00', 5, '2025-03-09T12:01:00.000000+00:00',
    NULL, NULL, 4, '2025-03-09T11:59:00.000000+00:00'
);
INSERT INTO source_memory VALUES ('acme', 'pages', '1', 'read');
PRAGMA application_id = 1869443961;
PRAGMA user_version = 1;
"""
"""A ledger's file as the first version made it."""


class Clock:
    """A clock that stands until somebody moves it."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **span: float) -> None:
        self.time += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "omsync.db"


@pytest.fixture
def ledger(path: Path, clock: Clock) -> Iterator[SqliteLedger]:
    with SqliteLedger(path, now=clock) as opened:
        yield opened


def ended(run_id: str, *, at: datetime, cart: str | None = "shop") -> RunRecord:
    return RunRecord(
        run_id=run_id, merchant="acme", cart=cart, status="success", started_at=at, finished_at=at
    )


def sent(sku: str = "FORK", *, run_id: str = "r1", at: datetime = NOON, **more: Any) -> HistoryEntry:
    return HistoryEntry(**{"run_id": run_id, "listing_sku": sku, "sent_at": at, "quantity": 7, **more})


def lease(run_id: str) -> Lease:
    return Lease(run_id=run_id, holder=run_id, since=NOON, until=NOON + timedelta(minutes=15))


def an_old_file(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(FIRST_TABLES)
    connection.close()


def layout(path: Path) -> list[tuple[str, str, list[Any]]]:
    connection = sqlite3.connect(path)
    things = connection.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall()
    found = [
        (kind, name, connection.execute(f"PRAGMA table_info({name})").fetchall()) for kind, name in things
    ]
    connection.close()
    return found


# -- brought forward


def test_a_file_of_the_first_version_is_brought_forward_and_keeps_what_it_knew(
    path: Path, clock: Clock
) -> None:
    an_old_file(path)
    with SqliteLedger(path, now=clock) as ledger:
        assert ledger.status("acme", "shop").counts == {"applied": 3}
        assert ledger.memory("acme").recall("pages") == {"1": "read"}
        assert ledger.states("acme", "shop") == (
            ListingState(
                listing_sku="FORK",
                desired=5,
                desired_at=NOON,
                sent=5,
                sent_at=NOON + timedelta(minutes=1),
                observed=4,
                observed_at=NOON - timedelta(minutes=1),
                desired_since=NOON,
                observed_since=NOON - timedelta(minutes=1),
            ),
        )
        later = NOON + timedelta(hours=1)
        again = ListingState(listing_sku="FORK", desired=5, desired_at=later, desired_run="r2")
        ledger.record_states("acme", "shop", [again])
        (state,) = ledger.states("acme", "shop")
        assert (state.desired_run, state.desired_since) == ("r2", NOON)
        ledger.record_history("acme", "shop", [sent()])
        assert ledger.history("acme", "shop") == (sent(),)
        assert ledger.take_lease("acme", "shop", lease("r2")).run_id == "r2"


def test_a_file_that_was_brought_forward_is_laid_out_like_a_new_one(path: Path, tmp_path: Path) -> None:
    an_old_file(path)
    SqliteLedger(path).close()
    SqliteLedger(tmp_path / "new.db").close()
    assert layout(path) == layout(tmp_path / "new.db")


def test_a_step_forward_that_fails_leaves_the_old_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_old_file(path)
    before = layout(path)
    monkeypatch.setattr("omsync.ledgers._schema._STEPS", ("", "CREATE TABLE more (id); NONSENSE"))
    with pytest.raises(LedgerError):
        SqliteLedger(path)
    monkeypatch.undo()
    assert layout(path) == before
    with SqliteLedger(path) as ledger:
        assert len(ledger.states("acme", "shop")) == 1


def test_several_processes_may_bring_a_file_forward_at_once(path: Path) -> None:
    an_old_file(path)
    script = (
        "import sys\n"
        "from omsync.ledgers.sqlite import SqliteLedger\n"
        "sys.stdin.read(1)\n"
        "print(len(SqliteLedger(sys.argv[1]).states('acme', 'shop')))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    assert [process.communicate("x", timeout=60)[0] for process in processes] == ["1\n"] * 4


# -- what was sent


def test_what_was_sent_is_kept_and_its_reply_takes_its_place(ledger: SqliteLedger) -> None:
    text = '{"listing_sku":"half \ud83d"}'
    spoon = sent("SPOON", location_id="york")
    ledger.record_history("acme", "shop", [sent(shown=3, explanation=text), spoon])
    reply = sent(shown=3, explanation=text, status="rejected", reason="too_many", message="No.", echo=3)
    ledger.record_history("acme", "shop", [reply])
    ledger.record_history("acme", "edi", [sent()])
    assert ledger.history("acme", "shop") == (reply, spoon)
    assert ledger.history("acme", "edi", "SPOON") == ()


def test_history_is_asked_by_listing_and_from_a_moment_on_and_comes_oldest_first(
    ledger: SqliteLedger,
) -> None:
    entries = [sent(run_id=str(hour), at=NOON + timedelta(hours=hour)) for hour in (3, 1, 2)]
    ledger.record_history("acme", "shop", [*entries, sent("SPOON", run_id="1")])
    found = [entry.run_id for entry in ledger.history("acme", "shop", "FORK", NOON + timedelta(hours=2))]
    assert found == ["2", "3"]
    assert ledger.history("acme", "shop", None, None)[0].listing_sku == "SPOON"


# -- kept small


def test_what_is_older_than_is_kept_goes_when_a_run_ends_and_the_newest_run_stays(
    path: Path, clock: Clock
) -> None:
    with SqliteLedger(path, keep=timedelta(days=30), now=clock) as ledger:
        ledger.finish_run(ended("old", at=NOON))
        ledger.finish_run(ended("newest of edi", at=NOON, cart="edi"))
        ledger.finish_run(ended("newest read", at=NOON, cart=None))
        ledger.record_history("acme", "shop", [sent(run_id="old")])
        ledger.memory("acme").remember("jobs", {"done": "", "open": "{}"})
        clock.pass_by(days=29)
        ledger.finish_run(ended("young", at=clock.time))
        ledger.record_history("acme", "shop", [sent(run_id="young", at=clock.time)])
        ledger.memory("acme").remember("jobs", {"done lately": ""})
        assert len(ledger.history("acme", "shop")) == 2

        clock.pass_by(days=2)
        ledger.finish_run(ended("now", at=clock.time))

        assert [run.run_id for run in ledger.runs("acme", "shop")] == ["now", "young"]
        assert [entry.run_id for entry in ledger.history("acme", "shop")] == ["young"]
        assert dict(ledger.memory("acme").recall("jobs")) == {"done lately": "", "open": "{}"}
        assert ledger.status("acme", "edi").run_id == "newest of edi"
        assert ledger.status("acme").run_id == "newest read"


def test_a_run_drops_a_bounded_number_of_rows_and_always_more_than_it_adds(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PRUNED_AT_ONCE", 3)
    with SqliteLedger(path, keep=timedelta(days=1), now=clock) as ledger:
        ledger.record_history("acme", "shop", [sent(str(number)) for number in range(10)])
        ledger.finish_run(ended("r1", at=clock.time))
        clock.pass_by(days=2)
        ledger.record_history("acme", "shop", [sent("new", run_id="r2", at=clock.time)])
        ledger.finish_run(ended("r2", at=clock.time))
        assert len(ledger.history("acme", "shop")) == 10 + 1 - (3 + 2)
        ledger.finish_run(ended("r3", at=clock.time))
        assert len(ledger.history("acme", "shop")) == 10 + 1 - (3 + 2) - 3


def test_over_the_years_the_file_stops_growing(path: Path, clock: Clock) -> None:
    with SqliteLedger(path, keep=timedelta(days=10), now=clock) as ledger:
        sizes = []
        for day in range(40):
            run = f"run {day}"
            rows = [sent(str(number), run_id=run, at=clock.time) for number in range(50)]
            ledger.record_history("acme", "shop", rows)
            ledger.finish_run(ended(run, at=clock.time))
            sizes.append(len(ledger.history("acme", "shop")))
            clock.pass_by(days=1)
    assert max(sizes) == 11 * 50
    assert sizes[-1] == sizes[-20]


@pytest.mark.parametrize("keep", [timedelta(), timedelta(days=-1)])
def test_a_ledger_that_would_keep_nothing_is_refused(path: Path, keep: timedelta) -> None:
    with pytest.raises(InvalidValueError, match="keep"):
        SqliteLedger(path, keep=keep)


def test_by_default_a_ledger_keeps_a_little_more_than_a_year(ledger: SqliteLedger, clock: Clock) -> None:
    ledger.record_history("acme", "shop", [sent()])
    clock.pass_by(days=400)
    ledger.finish_run(ended("r2", at=clock.time))
    assert len(ledger.history("acme", "shop")) == 1
    clock.pass_by(seconds=1)
    ledger.finish_run(ended("r3", at=clock.time))
    assert ledger.history("acme", "shop") == ()


# -- copied


def test_a_copy_is_a_whole_ledger_private_to_its_user(ledger: SqliteLedger, tmp_path: Path) -> None:
    ledger.record_history("acme", "shop", [sent()])
    copy = tmp_path / "copy.db"
    ledger.backup(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.glob("*copy*")) == ["copy.db"]
    ledger.record_history("acme", "shop", [sent("later")])
    with SqliteLedger(copy) as restored:
        assert restored.history("acme", "shop") == (sent(),)


def test_a_copy_is_taken_in_the_middle_of_somebody_elses_write(
    ledger: SqliteLedger, path: Path, tmp_path: Path
) -> None:
    ledger.record_history("acme", "shop", [sent()])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM history")
    ledger.backup(tmp_path / "copy.db")
    other.execute("ROLLBACK")
    other.close()
    with SqliteLedger(tmp_path / "copy.db") as restored:
        assert len(restored.history("acme", "shop")) == 1


def test_a_copy_takes_the_place_of_an_older_copy_and_of_nothing_else(
    ledger: SqliteLedger, path: Path, tmp_path: Path
) -> None:
    copy, letter = tmp_path / "copy.db", tmp_path / "letter.txt"
    copy.touch()
    ledger.backup(copy)
    ledger.record_history("acme", "shop", [sent()])
    ledger.backup(copy)
    with SqliteLedger(copy) as restored:
        assert len(restored.history("acme", "shop")) == 1
    letter.write_text("Dear Sir, " * 20)
    with pytest.raises(LedgerError, match="left alone") as caught:
        ledger.backup(letter)
    assert caught.value.code == "not_a_ledger"
    assert letter.read_text().startswith("Dear Sir")
    with pytest.raises(InvalidValueError, match="the ledger itself"):
        ledger.backup(path)


def test_a_copy_that_cannot_be_written_says_so_and_leaves_nothing_behind(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    for place in (tmp_path / "missing" / "copy.db", tmp_path):
        with pytest.raises(LedgerError) as caught:
            ledger.backup(place)
        assert caught.value.code == "backup_failed"
        assert caught.value.remedy


def test_a_disk_that_fills_up_during_a_copy_leaves_the_older_copy(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    ledger.backup(tmp_path / "copy.db")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LedgerError, match="No space left"):
        ledger.backup(tmp_path / "copy.db")
    assert len(list(tmp_path.glob("*copy*"))) == 1


def test_a_ledger_whose_file_was_taken_away_is_not_copied_as_an_empty_one(
    ledger: SqliteLedger, path: Path, tmp_path: Path
) -> None:
    path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(LedgerError):
        ledger.backup(tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_a_ledger_in_memory_can_be_copied_to_a_file(tmp_path: Path) -> None:
    with SqliteLedger(":memory:") as ledger:
        ledger.record_history("acme", "shop", [sent()])
        ledger.backup(tmp_path / "copy.db")
    with SqliteLedger(tmp_path / "copy.db") as restored:
        assert len(restored.history("acme", "shop")) == 1


# -- leases


def test_a_lease_is_held_by_one_run_until_it_is_given_back(ledger: SqliteLedger) -> None:
    first = ledger.take_lease("acme", "shop", lease("r1"))
    assert (first.run_id, first.since, first.until) == ("r1", NOON, NOON + timedelta(minutes=15))
    assert ledger.take_lease("acme", "shop", lease("r2")) == first
    for merchant, cart in (("acme", "edi"), ("acme", None), ("beta", "shop")):
        assert ledger.take_lease(merchant, cart, lease("r3")).run_id == "r3"
    ledger.release_lease("acme", "shop", lease("r2"))
    assert ledger.take_lease("acme", "shop", lease("r2")) == first
    ledger.release_lease("acme", "shop", first)
    assert ledger.take_lease("acme", "shop", lease("r2")).run_id == "r2"


def test_a_lease_goes_by_the_ledgers_clock_and_is_taken_over_once_it_has_run_out(
    ledger: SqliteLedger, clock: Clock
) -> None:
    clock.pass_by(days=1)
    first = ledger.take_lease("acme", "shop", lease("r1"))
    assert first.since == clock.time
    clock.pass_by(minutes=14)
    renewed = ledger.renew_lease("acme", "shop", first)
    assert renewed is not None
    assert (renewed.since, renewed.until) == (first.since, clock.time + timedelta(minutes=15))
    clock.pass_by(minutes=14, seconds=59)
    assert ledger.take_lease("acme", "shop", lease("r2")).run_id == "r1"
    clock.pass_by(seconds=1)
    second = ledger.take_lease("acme", "shop", lease("r2"))
    assert (second.run_id, second.since) == ("r2", clock.time)
    assert ledger.renew_lease("acme", "shop", first) == second
    ledger.release_lease("acme", "shop", second)
    assert ledger.renew_lease("acme", "shop", first) is None
    assert ledger.take_lease("acme", "shop", lease("r3")).run_id == "r3"


def test_a_lease_that_ran_out_and_was_wanted_by_nobody_is_renewed(ledger: SqliteLedger, clock: Clock) -> None:
    first = ledger.take_lease("acme", "shop", lease("r1"))
    clock.pass_by(hours=3)
    renewed = ledger.renew_lease("acme", "shop", first)
    assert renewed is not None
    assert renewed.run_id == "r1"
    assert ledger.take_lease("acme", "shop", lease("r1")).since == NOON


def test_a_clock_that_is_put_back_does_not_break_a_lease(ledger: SqliteLedger, clock: Clock) -> None:
    first = ledger.take_lease("acme", "shop", lease("r1"))
    clock.pass_by(hours=-1)
    renewed = ledger.renew_lease("acme", "shop", first)
    assert renewed is not None
    assert renewed.since < renewed.until
    assert ledger.take_lease("acme", "shop", lease("r2")).run_id == "r1"


def test_the_lease_of_a_process_that_is_gone_is_taken_over_at_once(ledger: SqliteLedger, path: Path) -> None:
    script = (
        "import os, sys\n"
        "from datetime import UTC, datetime, timedelta\n"
        "from omsync.exchange import Lease\n"
        "from omsync.ledgers.sqlite import SqliteLedger\n"
        "now = datetime.now(UTC)\n"
        "lease = Lease(run_id='killed', holder='somebody', since=now, until=now + timedelta(hours=9))\n"
        "SqliteLedger(sys.argv[1]).take_lease('acme', 'shop', lease)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=60)
    assert done.returncode == -9
    assert ledger.take_lease("acme", "shop", lease("r2")).run_id == "r2"


def test_the_lease_of_a_process_elsewhere_is_kept_until_it_runs_out(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_leases, "this_host", lambda: "elsewhere")
    ledger.take_lease("acme", "shop", lease("r1"))
    monkeypatch.undo()
    monkeypatch.setattr(_leases, "process_is_gone", lambda _: True)
    assert ledger.take_lease("acme", "shop", lease("r2")).run_id == "r1"


def test_of_two_processes_that_want_a_lease_at_once_one_gets_it_each_time(path: Path) -> None:
    script = (
        "import sys\n"
        "from datetime import UTC, datetime, timedelta\n"
        "from omsync.exchange import Lease\n"
        "from omsync.ledgers.sqlite import SqliteLedger\n"
        "ledger = SqliteLedger(sys.argv[1])\n"
        "won = []\n"
        "for number in range(60):\n"
        "    sys.stdin.readline()\n"
        "    now = datetime.now(UTC)\n"
        "    mine = Lease(run_id=sys.argv[2], holder='me', since=now, until=now + timedelta(hours=1))\n"
        "    if ledger.take_lease('acme', f'cart {number}', mine).run_id == mine.run_id:\n"
        "        won.append(number)\n"
        "    print('.', flush=True)\n"
        "print(won, flush=True)\n"
        "sys.stdin.readline()\n"
    )
    SqliteLedger(path).close()
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("a", "b")
    ]
    pipes = [(racer.stdin, racer.stdout) for racer in racers]
    for _ in range(60):
        for stdin, _out in pipes:
            assert stdin is not None
            stdin.write("go\n")
            stdin.flush()
        for _in, stdout in pipes:
            assert stdout is not None
            assert stdout.readline() == ".\n"
    won = [eval(stdout.readline()) for _in, stdout in pipes if stdout is not None]  # noqa: S307  our own list
    for racer in racers:
        racer.communicate("end\n", timeout=60)
    assert sorted(won[0] + won[1]) == list(range(60))


def test_the_old_rows_are_found_by_an_index_and_not_by_looking_at_all(ledger: SqliteLedger) -> None:
    with ledger._file.reading() as connection:  # noqa: SLF001  the price of pruning cannot be seen from outside
        for statement in (_history._OLD_HISTORY, _history._OLD_RUNS, _history._OLD_JOBS):  # noqa: SLF001
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", ("2025", 10)).fetchall()
            assert "oldest" in str(plan), plan
