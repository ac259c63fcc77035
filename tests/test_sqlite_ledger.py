"""The embedded ledger: what a merchant can still look up after the script has ended, or has died."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from omsync.errors import InvalidValueError, LedgerError, OmsyncError, WrongTypeError
from omsync.ledgers import _liveness
from omsync.ledgers._faults import explained
from omsync.ledgers.sqlite import SqliteLedger
from omsync.model import InventorySnapshot, Sku, StockLevel, Warehouse
from omsync.ports import Ledger, ListingState, RunRecord, SourceMemory
from omsync.settings import MerchantSettings, PerWarehouse

NOON = datetime(2025, 3, 9, 12, tzinfo=UTC)


class Clock:
    """A clock that stands until somebody moves it."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


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


def begun(run_id: str = "1", *, cart: str | None = "shop", at: datetime = NOON) -> RunRecord:
    return RunRecord(run_id=run_id, merchant="acme", cart=cart, status="in_progress", started_at=at)


def ended(run_id: str = "1", status: str = "success", **more: Any) -> RunRecord:
    known: dict[str, Any] = {"merchant": "acme", "cart": "shop", "finished_at": NOON + timedelta(minutes=2)}
    return RunRecord(run_id=run_id, status=status, **(known | more))


def in_another_process(path: Path, body: str) -> str:
    """Run a script on the same file and give what it printed."""
    script = (
        "from datetime import UTC, datetime\n"
        "import os, sys\n"
        "from omsync.errors import LedgerError\n"
        "from omsync.ledgers.sqlite import SqliteLedger\n"
        "from omsync.ports import ListingState, RunRecord\n"
        "ledger = SqliteLedger(sys.argv[1])\n" + body
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def look_inside(path: Path, question: str) -> list[Any]:
    """Ask with a plain SQLite tool, as a person would."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.commit()
        connection.close()


def refusal(action: Callable[[], object], code: str) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        action()
    assert caught.value.code == code
    assert caught.value.remedy
    return caught.value


# -- the protocol


def shown_status(ledger: Ledger) -> str:
    """Stand for everybody's code that takes any ledger; mypy checks that ours fits."""
    memory: SourceMemory = ledger.memory("acme")
    memory.remember("pages", {"1": "read"})
    ledger.begin_run(begun())
    return ledger.runs("acme", "shop")[0].status


def test_the_sqlite_ledger_is_a_ledger_for_type_checkers_and_at_run_time(ledger: SqliteLedger) -> None:
    assert isinstance(ledger, Ledger)
    assert shown_status(ledger) == "in_progress"


# -- runs and status


def test_a_cart_that_never_ran_says_so(ledger: SqliteLedger) -> None:
    assert ledger.runs("acme", "shop") == ()
    assert ledger.status("acme", "shop") == RunRecord(merchant="acme", cart="shop", status="never")
    assert str(ledger.status("acme")) == "acme (order manager): never run"


def test_a_run_under_way_is_in_progress_since_its_beginning(ledger: SqliteLedger) -> None:
    ledger.begin_run(begun())
    run = ledger.status("acme", "shop")
    assert run == RunRecord(
        run_id="1", merchant="acme", cart="shop", status="in_progress", started_at=NOON, last_seen_at=NOON
    )
    assert str(run) == "acme / shop: in progress since 2025-03-09 12:00:00Z"


def test_a_run_that_ended_shows_how_it_ended_when_and_what_it_did(ledger: SqliteLedger) -> None:
    ledger.begin_run(begun())
    counts = {"unchanged": 1160, "applied": 37}
    ledger.finish_run(ended(status="partial", counts=counts, message="7 skipped", code="some_skipped"))
    run = ledger.status("acme", "shop")
    assert (run.status, run.message, run.code) == ("partial", "7 skipped", "some_skipped")
    assert run.started_at == NOON
    assert run.duration == timedelta(minutes=2)
    assert run.last_seen_at == run.finished_at
    assert list(run.counts.items()) == list(counts.items())


@pytest.mark.parametrize("status", ["success", "partial", "failed", "disabled", "died"])
def test_every_ending_is_kept_as_it_was_told(ledger: SqliteLedger, status: str) -> None:
    ledger.begin_run(begun())
    ledger.finish_run(ended(status=status))
    assert ledger.status("acme", "shop").status == status


def test_a_run_that_was_never_begun_is_noted_whole_when_it_ends(ledger: SqliteLedger, clock: Clock) -> None:
    ledger.finish_run(ended(status="failed", finished_at=None, code="unreachable"))
    run = ledger.status("acme", "shop")
    assert (run.status, run.code, run.started_at, run.finished_at) == ("failed", "unreachable", NOON, clock())


def test_a_run_without_times_gets_the_ledgers_own(ledger: SqliteLedger) -> None:
    ledger.begin_run(RunRecord(run_id="1", merchant="acme", status="never"))
    assert ledger.status("acme").started_at == NOON
    assert ledger.status("acme").status == "in_progress"


def test_runs_come_newest_first_and_the_status_is_the_newest(ledger: SqliteLedger) -> None:
    for number in (2, 1, 3):
        ledger.begin_run(begun(str(number), at=NOON + timedelta(hours=number)))
    ledger.begin_run(begun("4", at=NOON + timedelta(hours=3)))
    assert [run.run_id for run in ledger.runs("acme", "shop")] == ["4", "3", "2", "1"]
    assert ledger.status("acme", "shop").run_id == "4"


def test_runs_are_kept_apart_by_merchant_and_cart(ledger: SqliteLedger) -> None:
    ledger.begin_run(begun("read", cart=None))
    ledger.begin_run(begun("push"))
    ledger.begin_run(RunRecord(run_id="other", merchant="beta", cart="shop", status="in_progress"))
    assert [run.run_id for run in ledger.runs("acme")] == ["read"]
    assert [run.run_id for run in ledger.runs("acme", "shop")] == ["push"]
    assert [run.run_id for run in ledger.runs("beta", "shop")] == ["other"]


def test_the_statuses_of_a_merchant_are_its_reads_and_every_cart_known(ledger: SqliteLedger) -> None:
    ledger.begin_run(begun("1", cart="shop"))
    ledger.finish_run(ended("1"))
    ledger.record_states("acme", "edi", [ListingState(listing_sku="FORK", desired=1)])
    ledger.begin_run(RunRecord(run_id="2", merchant="beta", cart="elsewhere", status="in_progress"))
    assert [(run.cart, run.status) for run in ledger.statuses("acme")] == [
        (None, "never"),
        ("edi", "never"),
        ("shop", "success"),
    ]


def test_the_merchants_are_all_that_have_a_run_or_a_reading(ledger: SqliteLedger) -> None:
    assert ledger.merchants() == ()
    ledger.save_snapshot("gamma", InventorySnapshot(taken_at=NOON))
    ledger.begin_run(begun("1", cart="shop"))
    ledger.begin_run(begun("2", cart=None))
    ledger.begin_run(RunRecord(run_id="3", merchant="beta", cart="elsewhere", status="in_progress"))
    assert ledger.merchants() == ("acme", "beta", "gamma")


def test_a_run_whose_process_is_gone_is_shown_as_died(ledger: SqliteLedger, path: Path) -> None:
    pid = in_another_process(
        path,
        "ledger.begin_run(RunRecord(run_id='1', merchant='acme', cart='shop', status='in_progress',\n"
        "    started_at=datetime(2025, 3, 9, 12, tzinfo=UTC)))\n"
        "print(os.getpid())\n",
    )
    run = ledger.status("acme", "shop")
    assert (run.status, run.message) == ("died", f"its process {pid.strip()} is gone")
    assert run.started_at == NOON
    assert ledger.runs("acme", "shop")[0].status == "died"


def test_a_run_that_gave_no_sign_of_life_for_too_long_has_died(ledger: SqliteLedger, clock: Clock) -> None:
    ledger.begin_run(begun())
    clock.time += timedelta(minutes=15)
    assert ledger.status("acme", "shop").status == "in_progress"
    clock.time += timedelta(seconds=1)
    run = ledger.status("acme", "shop")
    assert (run.status, run.message) == ("died", "no sign of life since 2025-03-09 12:00:00Z")


def test_a_run_that_shows_itself_is_in_progress_again(ledger: SqliteLedger, clock: Clock) -> None:
    ledger.begin_run(begun())
    clock.time += timedelta(hours=2)
    ledger.touch_run("1", clock())
    assert ledger.status("acme", "shop").status == "in_progress"
    assert ledger.status("acme", "shop").last_seen_at == clock()


def test_a_late_sign_of_life_never_turns_back_the_clock_or_reopens_a_run(ledger: SqliteLedger) -> None:
    ledger.begin_run(begun())
    ledger.finish_run(ended())
    ledger.touch_run("1", NOON + timedelta(minutes=1))
    run = ledger.status("acme", "shop")
    assert (run.status, run.last_seen_at) == ("success", NOON + timedelta(minutes=2))


def test_on_another_host_only_silence_tells_that_a_run_has_died(
    ledger: SqliteLedger, path: Path, clock: Clock
) -> None:
    ledger.begin_run(begun())
    look_inside(path, "UPDATE runs SET host = 'elsewhere', pid = 2147483646")
    assert ledger.status("acme", "shop").status == "in_progress"
    clock.time += timedelta(minutes=16)
    assert ledger.status("acme", "shop").status == "died"


def test_the_patience_with_silent_runs_can_be_chosen(path: Path, clock: Clock) -> None:
    with SqliteLedger(path, stale_after=timedelta(hours=3), now=clock) as ledger:
        ledger.begin_run(begun())
        clock.time += timedelta(hours=2)
        assert ledger.status("acme", "shop").status == "in_progress"
    with pytest.raises(InvalidValueError, match="stale_after"):
        SqliteLedger(path, stale_after=timedelta(0))


def test_a_process_that_may_not_be_asked_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError(pid, signal)

    assert _liveness.process_is_gone(os.getpid()) is False
    monkeypatch.setattr(os, "kill", refuse)
    assert _liveness.process_is_gone(1) is False


def test_where_asking_would_end_the_process_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: asked.append(pid))
    monkeypatch.setattr(_liveness, "ASKING_IS_HARMLESS", False)
    assert _liveness.process_is_gone(2147483646) is False
    assert asked == []


def test_the_host_has_a_name_where_containers_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _liveness.this_host()
    monkeypatch.setattr(_liveness, "CONTAINER", Path("/nowhere/at/all"))
    assert _liveness.this_host()


def test_a_run_needs_an_id_of_its_own(ledger: SqliteLedger) -> None:
    ledger.begin_run(begun())
    refusal(lambda: ledger.begin_run(begun()), "run_exists")
    for note in (ledger.begin_run, ledger.finish_run):
        with pytest.raises(InvalidValueError, match="must have an id"):
            note(RunRecord(merchant="acme", status="success"))


def test_a_sign_of_life_of_an_unknown_run_is_an_error(ledger: SqliteLedger) -> None:
    assert "'1'" in str(refusal(lambda: ledger.touch_run("1", NOON), "unknown_run"))


@pytest.mark.parametrize("status", ["never", "in_progress"])
def test_a_run_cannot_end_without_an_ending(ledger: SqliteLedger, status: str) -> None:
    with pytest.raises(InvalidValueError, match=f"cannot have the status '{status}'"):
        ledger.finish_run(ended(status=status))


@pytest.mark.parametrize("number", ["5", 5.5, True, None])
def test_counts_are_whole_numbers(ledger: SqliteLedger, number: object) -> None:
    with pytest.raises(WrongTypeError, match=r"counts\['applied'\]"):
        ledger.finish_run(ended(counts={"applied": number}))


def test_a_time_without_a_zone_is_refused_and_nothing_is_kept(ledger: SqliteLedger) -> None:
    naive = datetime(2025, 3, 9)  # noqa: DTZ001  without a zone on purpose
    with pytest.raises(InvalidValueError, match="must know its zone"):
        ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", sent=1, sent_at=naive)])
    ledger.begin_run(begun())
    with pytest.raises(InvalidValueError, match="must know its zone"):
        ledger.touch_run("1", naive)
    assert ledger.states("acme", "shop") == ()
    assert ledger.status("acme", "shop").last_seen_at == NOON


# -- listing states


def test_figures_are_merged_and_none_leaves_what_is_there(ledger: SqliteLedger) -> None:
    later = NOON + timedelta(minutes=1)
    ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", desired=5, desired_at=NOON)])
    ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", sent=5, sent_at=later)])
    ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", desired=4, desired_at=later)])
    (state,) = ledger.states("acme", "shop")
    assert state == ListingState(
        listing_sku="FORK", desired=4, desired_at=later, sent=5, sent_at=later, desired_since=later
    )


@pytest.mark.parametrize("figure", ["desired", "sent", "accepted", "observed"])
def test_a_figure_brings_its_time_along_and_a_time_alone_changes_nothing(
    ledger: SqliteLedger, figure: str
) -> None:
    def state(**known: Any) -> ListingState:
        return ListingState(listing_sku="FORK", **{figure + name: value for name, value in known.items()})

    first = {"": 0, "_at": NOON, "_run": "r1"}
    since = {"_since": NOON} if figure in {"desired", "observed"} else {}
    ledger.record_states("acme", "shop", [state(**first)])
    ledger.record_states("acme", "shop", [state(_at=NOON + timedelta(hours=1), _run="r2")])
    assert ledger.states("acme", "shop") == (state(**first, **since),)
    ledger.record_states("acme", "shop", [state(**{"": 3})])
    assert ledger.states("acme", "shop") == (state(**{"": 3}),)


@pytest.mark.parametrize("figure", ["desired", "observed"])
def test_a_figure_that_stays_the_same_is_known_since_it_first_was(ledger: SqliteLedger, figure: str) -> None:
    def since_after(units: int, minutes: int) -> datetime | None:
        at = NOON + timedelta(minutes=minutes)
        figures: Any = {figure: units, f"{figure}_at": at, f"{figure}_run": "r"}
        state = ListingState(listing_sku="FORK", **figures)
        ledger.record_states("acme", "shop", [state])
        (known,) = ledger.states("acme", "shop")
        assert getattr(known, f"{figure}_at") == at
        since: datetime | None = getattr(known, f"{figure}_since")
        return since

    assert since_after(5, 0) == NOON
    assert since_after(5, 10) == NOON
    assert since_after(6, 20) == NOON + timedelta(minutes=20)
    assert since_after(5, 30) == NOON + timedelta(minutes=30)


def test_states_are_kept_apart_by_merchant_cart_and_location_and_come_sorted(ledger: SqliteLedger) -> None:
    at_locations = [
        ListingState(listing_sku="SPOON", accepted=1),
        ListingState(listing_sku="FORK", location_id="york", accepted=2),
        ListingState(listing_sku="FORK", accepted=3),
        ListingState(listing_sku="fork", accepted=4),
    ]
    ledger.record_states("acme", "shop", iter(at_locations))
    ledger.record_states("acme", "edi", [ListingState(listing_sku="FORK", accepted=9)])
    ledger.record_states("beta", "shop", [ListingState(listing_sku="FORK", accepted=8)])
    found = [
        (state.listing_sku, state.location_id, state.accepted) for state in ledger.states("acme", "shop")
    ]
    assert found == [("FORK", None, 3), ("FORK", "york", 2), ("SPOON", None, 1), ("fork", None, 4)]
    assert [state.accepted for state in ledger.states("acme", "edi")] == [9]


def test_a_batch_of_states_is_kept_whole_or_not_at_all(ledger: SqliteLedger) -> None:
    broken = [ListingState(listing_sku="FORK", sent=1), ListingState(listing_sku="half \ud83d", sent=1)]
    error = refusal(lambda: ledger.record_states("acme", "shop", broken), "broken_text")
    assert "half" in error.message
    assert ledger.states("acme", "shop") == ()


def test_anybody_can_read_the_figures_with_any_sqlite_tool(ledger: SqliteLedger, path: Path) -> None:
    ledger.record_states(
        "acme",
        "shop",
        [ListingState(listing_sku="FORK", desired=5, desired_at=NOON, observed=4, observed_at=NOON)],
    )
    question = (
        "SELECT cart, listing_sku, location_id, desired, desired_at, sent, observed FROM listing_states"
    )
    assert look_inside(path, question) == [
        ("shop", "FORK", None, 5, "2025-03-09T12:00:00.000000+00:00", None, 4)
    ]
    assert look_inside(path, "SELECT datetime(desired_at) FROM listing_states") == [("2025-03-09 12:00:00",)]


# -- the last snapshot


def stocked(on_hand: int = 5, *, at: datetime = NOON) -> InventorySnapshot:
    lost: Any = {("SPOON", "reno")}
    return InventorySnapshot(
        taken_at=at,
        skus=[Sku(master_sku="FORK", name="Gabel für Gäste"), Sku(master_sku="half \ud83d")],
        warehouses=[Warehouse(id="reno")],
        levels=[StockLevel(master_sku="FORK", location_id="reno", on_hand=on_hand)],
        doubtful=lost,
    )


def test_a_merchant_without_a_complete_read_has_no_snapshot(ledger: SqliteLedger) -> None:
    assert ledger.last_snapshot("acme") is None


def test_only_the_last_snapshot_of_each_merchant_is_kept(ledger: SqliteLedger, path: Path) -> None:
    ledger.save_snapshot("acme", stocked(5))
    ledger.save_snapshot("beta", stocked(1))
    ledger.save_snapshot("acme", stocked(6, at=NOON + timedelta(hours=1)))
    assert ledger.last_snapshot("acme") == stocked(6, at=NOON + timedelta(hours=1))
    assert ledger.last_snapshot(MerchantSettings(name="beta", mode=PerWarehouse())) == stocked(1)
    assert look_inside(path, "SELECT merchant, products, stock_records FROM snapshots ORDER BY merchant") == [
        ("acme", 2, 1),
        ("beta", 2, 1),
    ]


@pytest.mark.parametrize(
    "content",
    [b"not compressed", zlib.compress(b"\xff"), zlib.compress(b'{"taken_at":"2025"}'), zlib.compress(b"[")],
)
def test_a_snapshot_that_cannot_be_read_is_an_error_with_a_way_out(
    ledger: SqliteLedger, path: Path, content: bytes
) -> None:
    ledger.save_snapshot("acme", stocked())
    look_inside(path, f"UPDATE snapshots SET content = x'{content.hex()}'")
    error = refusal(lambda: ledger.last_snapshot("acme"), "snapshot_unreadable")
    assert "'acme'" in error.message
    ledger.save_snapshot("acme", stocked())
    assert ledger.last_snapshot("acme") == stocked()


# -- what a source remembers


def test_a_source_recalls_what_it_kept_in_the_order_of_its_keys(ledger: SqliteLedger) -> None:
    memory = ledger.memory("acme")
    memory.remember("pages", {"0002": "b", "0001": "a"})
    memory.remember("pages", {"0003": "c", "0001": "A"})
    memory.remember("marks", {"0001": "x"})
    assert list(memory.recall("pages").items()) == [("0001", "A"), ("0002", "b"), ("0003", "c")]
    memory.forget("pages")
    assert memory.recall("pages") == {}
    assert memory.recall("marks") == {"0001": "x"}


def test_merchants_do_not_share_their_memories(ledger: SqliteLedger) -> None:
    ledger.memory("acme").remember("pages", {"1": "a"})
    ledger.memory("beta").remember("pages", {"1": "b"})
    ledger.memory("beta").forget("pages")
    assert ledger.memory("acme").recall("pages") == {"1": "a"}


@pytest.mark.parametrize("entries", [{"1": 5}, {1: "a"}, {"1": None}, {"1": b"a"}])
def test_memory_keeps_text_and_nothing_else(ledger: SqliteLedger, entries: Any) -> None:
    memory = ledger.memory("acme")
    with pytest.raises(WrongTypeError, match="keeps text"):
        memory.remember("pages", {"0": "kept?"} | entries)
    assert memory.recall("pages") == {}


def test_what_was_remembered_outlives_a_process_that_is_killed(ledger: SqliteLedger, path: Path) -> None:
    script = (
        "ledger.memory('acme').remember('pages', {'1': 'read'})\nprint('kept', flush=True)\nos._exit(0)\n"
    )
    assert in_another_process(path, script) == "kept\n"
    assert ledger.memory("acme").recall("pages") == {"1": "read"}


# -- threads and processes


def test_one_process_reads_what_another_writes_meanwhile(ledger: SqliteLedger, path: Path) -> None:
    script = (
        "for number in range(60):\n"
        "    ledger.record_states('acme', 'shop', [ListingState(listing_sku=f'{row}', sent=number)\n"
        "        for row in range(50)])\n"
    )
    seen: set[frozenset[int | None]] = set()
    writer = threading.Thread(target=in_another_process, args=(path, script))
    writer.start()
    rounds = 0
    while writer.is_alive():
        seen.add(frozenset(state.sent for state in ledger.states("acme", "shop")))
        ledger.touch_run("mine", NOON) if rounds else ledger.begin_run(begun("mine"))
        rounds += 1
    writer.join()
    # Every reading shows one whole batch, never a mixture of two.
    assert {len(figures) for figures in seen} <= {0, 1}
    assert {state.sent for state in ledger.states("acme", "shop")} == {59}
    assert ledger.status("acme", "shop").run_id == "mine"


def test_several_processes_may_make_the_same_file_at_once(path: Path) -> None:
    script = "ledger.memory('acme').remember('starters', {str(os.getpid()): 'here'})\n"
    starters = [threading.Thread(target=in_another_process, args=(path, script)) for _ in range(4)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    with SqliteLedger(path) as ledger:
        assert len(ledger.memory("acme").recall("starters")) == 4


@pytest.fixture
def reader_of_an_unlogged_file(path: Path) -> Iterator[sqlite3.Connection]:
    SqliteLedger(path).close()
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("PRAGMA journal_mode = DELETE").fetchall()
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM runs").fetchall()
    yield reader
    reader.close()


def test_a_ledger_waits_for_a_reader_before_it_turns_the_log_on(
    path: Path, reader_of_an_unlogged_file: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        reader_of_an_unlogged_file.rollback()

    monkeypatch.setattr("omsync.ledgers._schema.BUSY_SECONDS", 0)
    monkeypatch.setattr("omsync.ledgers._schema.sleep", wait)
    with SqliteLedger(path) as ledger:
        assert ledger.runs("acme") == ()
    assert len(waits) == 1


@pytest.mark.usefixtures("reader_of_an_unlogged_file")
def test_a_ledger_does_not_wait_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omsync.ledgers._schema.BUSY_SECONDS", 0)
    monkeypatch.setattr("omsync.ledgers._schema._PATIENCE_SECONDS", -1)
    refusal(lambda: SqliteLedger(path), "ledger_busy")


def test_threads_take_turns(ledger: SqliteLedger) -> None:
    def work(number: int) -> None:
        for step in range(20):
            ledger.begin_run(begun(f"{number}-{step}", cart=str(number)))
            ledger.record_states("acme", str(number), [ListingState(listing_sku=str(step), sent=number)])
            ledger.finish_run(ended(f"{number}-{step}", cart=str(number)))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for number in range(4):
        assert len(ledger.states("acme", str(number))) == 20
        assert {run.status for run in ledger.runs("acme", str(number))} == {"success"}


def test_a_forked_process_is_told_to_open_its_own(path: Path) -> None:
    script = (
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n"
        "        ledger.runs('acme')\n"
        "    except LedgerError as error:\n"
        "        print(error.code, flush=True)\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
    )
    assert in_another_process(path, script) == "ledger_forked\n"


# -- the file


def test_the_ledger_remembers_after_it_was_closed_and_opened_again(path: Path) -> None:
    with SqliteLedger(str(path)) as ledger:
        ledger.finish_run(ended())
        ledger.save_snapshot("acme", stocked())
    with SqliteLedger(path) as ledger:
        assert ledger.status("acme", "shop").status == "success"
        assert ledger.last_snapshot("acme") == stocked()


def test_a_ledger_in_memory_works_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with SqliteLedger(":memory:", now=Clock()) as ledger:
        assert shown_status(ledger) == "in_progress"
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_private_to_its_user(ledger: SqliteLedger, path: Path) -> None:
    ledger.begin_run(begun())
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert path.with_name("omsync.db-wal").exists()


def test_every_commit_reaches_the_disk_and_readers_do_not_wait(ledger: SqliteLedger) -> None:
    with ledger._file.reading() as connection:  # noqa: SLF001  durability cannot be seen from outside
        answers = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "user_version")
        }
    assert answers == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
        "user_version": 3,
    }


def test_a_missing_directory_is_named_with_the_remedy(tmp_path: Path) -> None:
    error = refusal(lambda: SqliteLedger(tmp_path / "missing" / "omsync.db"), "no_ledger_directory")
    assert "omsync.db" in error.message
    assert f"Make the directory '{tmp_path / 'missing'}'" in error.remedy


def test_a_path_below_a_file_is_refused(path: Path) -> None:
    path.write_text("a file")
    refusal(lambda: SqliteLedger(path / "omsync.db"), "ledger_not_writable")


def test_a_directory_is_no_ledger(tmp_path: Path) -> None:
    assert "cannot be opened" in refusal(lambda: SqliteLedger(tmp_path), "ledger_not_writable").message


def test_an_empty_path_is_refused_since_sqlite_would_forget_everything() -> None:
    with pytest.raises(InvalidValueError, match="path is empty"):
        SqliteLedger("")


@pytest.mark.parametrize("content", ["sku,quantity\nFORK,5\n" * 200, "short"])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: str) -> None:
    path.write_text(content)
    assert "omsync.db" in refusal(lambda: SqliteLedger(path), "not_a_ledger").message
    assert path.read_text() == content


def test_an_empty_file_becomes_a_ledger(path: Path) -> None:
    path.touch()
    with SqliteLedger(path) as ledger:
        assert ledger.runs("acme") == ()


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    look_inside(path, "CREATE TABLE orders (id INTEGER)")
    assert "another program" in refusal(lambda: SqliteLedger(path), "not_a_ledger").message
    assert look_inside(path, "SELECT name FROM sqlite_master") == [("orders",)]


def test_a_file_of_a_newer_omsync_is_refused(path: Path) -> None:
    SqliteLedger(path).close()
    look_inside(path, "PRAGMA user_version = 4")
    error = refusal(lambda: SqliteLedger(path), "newer_ledger")
    assert "version 4" in error.message
    assert "Upgrade omsync" in error.remedy


def test_a_closed_ledger_says_so_and_closing_twice_is_harmless(ledger: SqliteLedger) -> None:
    ledger.close()
    ledger.close()
    assert "omsync.db' was closed" in refusal(lambda: ledger.runs("acme"), "ledger_closed").message


@pytest.mark.parametrize(
    "action",
    [
        lambda ledger: ledger.begin_run(begun()),
        lambda ledger: ledger.touch_run("1", NOON),
        lambda ledger: ledger.finish_run(ended()),
        lambda ledger: ledger.runs("acme"),
        lambda ledger: ledger.status("acme"),
        lambda ledger: ledger.statuses("acme"),
        lambda ledger: ledger.save_snapshot("acme", stocked()),
        lambda ledger: ledger.last_snapshot("acme"),
        lambda ledger: ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", sent=1)]),
        lambda ledger: ledger.states("acme", "shop"),
        lambda ledger: ledger.memory("acme").recall("pages"),
        lambda ledger: ledger.memory("acme").remember("pages", {"1": "a"}),
        lambda ledger: ledger.memory("acme").forget("pages"),
    ],
)
def test_whatever_sqlite_complains_about_names_the_file_and_the_remedy(
    ledger: SqliteLedger, path: Path, action: Callable[[SqliteLedger], object]
) -> None:
    for table in ("runs", "snapshots", "listing_parts", "listing_deltas", "source_memory"):
        look_inside(path, f"DROP TABLE {table}")
    with pytest.raises(LedgerError, match=r"omsync\.db' could not be used \(no such table") as caught:
        action(ledger)
    assert isinstance(caught.value, OmsyncError)
    assert caught.value.remedy


def test_a_file_held_by_another_program_is_said_to_be_held(ledger: SqliteLedger, path: Path) -> None:
    with ledger._file.reading() as connection:  # noqa: SLF001  nobody wants to wait half a minute
        connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert "held by another program" in refusal(lambda: ledger.begin_run(begun()), "ledger_busy").message
    finally:
        other.close()
    ledger.begin_run(begun())


def test_a_file_that_may_only_be_read_is_said_to_be_read_only(ledger: SqliteLedger) -> None:
    with ledger._file.reading() as connection:  # noqa: SLF001  permissions do not bind every user that tests
        connection.execute("PRAGMA query_only = ON")
    error = refusal(lambda: ledger.begin_run(begun()), "ledger_not_writable")
    assert "may not be written to" in error.message
    assert ledger.runs("acme", "shop") == ()


def test_the_finer_kinds_of_a_complaint_mean_the_same() -> None:
    complaint = sqlite3.OperationalError("attempt to write a readonly database")
    complaint.sqlite_errorname = "SQLITE_READONLY_DIRECTORY"

    def complain() -> None:
        with explained("omsync.db"):
            raise complaint

    refusal(complain, "ledger_not_writable")


def test_a_damaged_file_is_said_to_be_damaged(path: Path) -> None:
    with SqliteLedger(path) as ledger:
        ledger.memory("acme").remember("pages", {str(number): "x" * 500 for number in range(50)})
    content = bytearray(path.read_bytes())
    half = len(content) // 2  # behind what the tables are, where their rows are
    content[half:] = b"\x07" * (len(content) - half)
    path.write_bytes(content)

    def look() -> None:
        with SqliteLedger(path) as ledger:
            ledger.memory("acme").recall("pages")

    refusal(look, "ledger_damaged")


def test_a_disk_without_room_is_named_and_the_ledger_stays_usable(ledger: SqliteLedger) -> None:
    memory = ledger.memory("acme")
    memory.remember("pages", {"1": "small"})
    with ledger._file.reading() as connection:  # noqa: SLF001  stands for a disk that is full
        connection.execute("PRAGMA max_page_count = 1")
    refusal(lambda: memory.remember("pages", {"2": "x" * 100_000}), "ledger_disk_full")
    assert memory.recall("pages") == {"1": "small"}


def test_the_ledger_shows_its_file_and_nothing_else(ledger: SqliteLedger, path: Path) -> None:
    assert repr(ledger) == f"SqliteLedger({str(path)!r})"


def test_how_long_a_run_took_is_known_once_it_has_ended() -> None:
    assert begun().duration is None
    assert ended(started_at=NOON).duration == timedelta(minutes=2)
    assert RunRecord(merchant="acme", status="never").duration is None
