"""What a ledger in a database does, as cases that every kind of database is held to."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sql_place import SqlPlace
from sqlalchemy import event, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateSchema

from omsync import (
    HistoryEntry,
    HistoryLedger,
    InventorySnapshot,
    Lease,
    LeasingLedger,
    Ledger,
    ListingState,
    MerchantSettings,
    PerWarehouse,
    RunRecord,
    Sku,
    StockLevel,
    Warehouse,
)
from omsync.errors import InvalidValueError, LedgerError, WrongTypeError
from omsync.ledgers import _sql_database, _sql_schema, sql
from omsync.ledgers.sql import SqlLedger

__all__ = ["NOON", "SqlLedgerCases", "begun", "ended", "lease", "refusal", "sent"]

NOON = datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC)
NOBODY = 2**22 + 1
"""A process id that no process has."""


def begun(run_id: str = "1", *, cart: str | None = "shop", at: datetime = NOON) -> RunRecord:
    return RunRecord(run_id=run_id, merchant="acme", cart=cart, status="in_progress", started_at=at)


def ended(run_id: str = "1", status: str = "success", **more: Any) -> RunRecord:
    known: dict[str, Any] = {"merchant": "acme", "cart": "shop", "finished_at": NOON + timedelta(minutes=2)}
    return RunRecord(run_id=run_id, status=status, **(known | more))


def sent(sku: str = "FORK", *, run_id: str = "r1", at: datetime = NOON, **more: Any) -> HistoryEntry:
    return HistoryEntry(**{"run_id": run_id, "listing_sku": sku, "sent_at": at, "quantity": 7, **more})


def lease(run_id: str) -> Lease:
    return Lease(run_id=run_id, holder=run_id, since=NOON, until=NOON + timedelta(minutes=15))


def stocked(on_hand: int = 5, *, at: datetime = NOON) -> InventorySnapshot:
    return InventorySnapshot(
        taken_at=at,
        skus=[Sku(master_sku="FORK", name="Gabel für Gäste"), Sku(master_sku="half \ud83d")],
        warehouses=[Warehouse(id="reno")],
        levels=[StockLevel(master_sku="FORK", location_id="reno", on_hand=on_hand)],
    )


def refusal(action: Callable[[], object], code: str) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        action()
    assert caught.value.code == code, caught.value
    assert caught.value.remedy
    return caught.value


class Trouble(Exception):  # noqa: N818  what a driver raises
    """A complaint of a driver, with its SQLSTATE."""

    def __init__(self, state: str) -> None:
        super().__init__(f"trouble {state}")
        self.sqlstate = state


class SqlLedgerCases:
    """Subclass it with a fixture ``place`` that gives an empty database."""

    @pytest.fixture
    def ledger(self, place: SqlPlace) -> Iterator[SqlLedger]:
        with place.open() as opened:
            yield opened

    @pytest.fixture
    def troubled(self, place: SqlPlace) -> Iterator[tuple[SqlLedger, list[Exception]]]:
        """Give a ledger, and a list of what goes wrong next, each at the first word of a transaction."""
        engine, troubles = place.engine(), list[Exception]()

        @event.listens_for(engine, "before_cursor_execute")
        def interrupt(*_: Any) -> None:
            if troubles:
                raise troubles.pop(0)

        with place.open(engine) as opened:
            yield opened, troubles

    def test_it_is_a_ledger_with_leases_and_history(self, ledger: SqlLedger) -> None:
        every: Ledger = ledger
        assert isinstance(every, Ledger)
        assert isinstance(every, LeasingLedger)
        assert isinstance(every, HistoryLedger)

    # -- runs

    def test_a_cart_that_never_ran_says_so(self, ledger: SqlLedger) -> None:
        assert ledger.runs("acme", "shop") == ()
        assert ledger.status("acme", "shop") == RunRecord(merchant="acme", cart="shop", status="never")

    def test_a_run_is_in_progress_until_it_ends_and_then_shows_how(self, ledger: SqlLedger) -> None:
        ledger.begin_run(begun())
        run = ledger.status(MerchantSettings(name="acme", mode=PerWarehouse()), "shop")
        assert (run.status, run.started_at, run.last_seen_at) == ("in_progress", NOON, NOON)
        counts = {"unchanged": 1160, "applied": 37}
        ledger.finish_run(ended(status="partial", counts=counts, message="7 skipped", code="some_skipped"))
        run = ledger.status("acme", "shop")
        assert (run.status, run.message, run.code) == ("partial", "7 skipped", "some_skipped")
        assert (run.started_at, run.duration) == (NOON, timedelta(minutes=2))
        assert list(run.counts.items()) == list(counts.items())

    def test_a_run_without_times_gets_those_of_the_database(self, ledger: SqlLedger) -> None:
        ledger.begin_run(RunRecord(run_id="1", merchant="acme", status="never"))
        ledger.finish_run(ended("2", cart="edi", finished_at=None))
        read, run = ledger.status("acme"), ledger.status("acme", "edi")
        assert read.started_at is not None
        assert run.started_at == run.finished_at
        assert run.finished_at is not None
        assert timedelta() <= run.finished_at - read.started_at < timedelta(hours=1)

    def test_runs_come_newest_first_and_apart_by_merchant_and_cart(self, ledger: SqlLedger) -> None:
        for number in (2, 1, 3):
            ledger.begin_run(begun(str(number), at=NOON + timedelta(hours=number)))
        ledger.begin_run(begun("4", at=NOON + timedelta(hours=3)))
        ledger.begin_run(begun("read", cart=None))
        assert [run.run_id for run in ledger.runs("acme", "shop")] == ["4", "3", "2", "1"]
        assert [run.run_id for run in ledger.runs("acme")] == ["read"]
        assert ledger.status("acme", "shop").run_id == "4"

    def test_the_statuses_of_a_merchant_are_its_reads_and_every_cart_known(self, ledger: SqlLedger) -> None:
        ledger.finish_run(ended())
        ledger.record_states("acme", "edi", [ListingState(listing_sku="FORK", desired=1)])
        ledger.begin_run(RunRecord(run_id="2", merchant="beta", cart="elsewhere", status="in_progress"))
        found = [(run.cart, run.status) for run in ledger.statuses("acme")]
        assert found == [(None, "never"), ("edi", "never"), ("shop", "success")]

    def test_the_merchants_are_all_that_have_a_run_or_a_reading(self, ledger: SqlLedger) -> None:
        assert ledger.merchants() == ()
        ledger.save_snapshot("gamma", stocked())
        ledger.finish_run(ended())
        ledger.begin_run(begun("2", cart=None))
        ledger.begin_run(RunRecord(run_id="3", merchant="beta", cart="elsewhere", status="in_progress"))
        assert ledger.merchants() == ("acme", "beta", "gamma")

    def test_a_run_whose_process_is_gone_is_shown_as_died(self, ledger: SqlLedger, place: SqlPlace) -> None:
        script = (
            "ledger.begin_run(RunRecord(run_id='1', merchant='acme', cart='shop', status='in_progress'))\n"
            "print(os.getpid())\n"
        )
        pid = place.elsewhere(script).strip()
        run = ledger.status("acme", "shop")
        assert (run.status, run.message) == ("died", f"its process {pid} is gone")

    def test_a_silent_run_has_died_until_it_shows_itself(self, ledger: SqlLedger, place: SqlPlace) -> None:
        ledger.begin_run(begun())
        place.let_pass(minutes=14)
        assert ledger.status("acme", "shop").status == "in_progress"
        place.let_pass(minutes=2)
        run = ledger.status("acme", "shop")
        assert (run.status, run.message) == ("died", "no sign of life since 2026-03-02 12:00:00Z")
        ledger.touch_run("1", NOON + timedelta(minutes=1))
        run = ledger.status("acme", "shop")
        assert (run.status, run.last_seen_at) == ("in_progress", NOON + timedelta(minutes=1))

    def test_elsewhere_only_silence_tells_that_a_run_has_died(
        self, ledger: SqlLedger, place: SqlPlace
    ) -> None:
        ledger.begin_run(begun())
        with place.beside() as connection:
            connection.execute(update(place.tables.runs).values(host="elsewhere", pid=NOBODY))
        assert ledger.status("acme", "shop").status == "in_progress"
        place.let_pass(minutes=16)
        assert ledger.status("acme", "shop").status == "died"

    def test_the_patience_with_silent_runs_can_be_chosen(self, place: SqlPlace) -> None:
        with place.open(stale_after=timedelta(hours=3)) as ledger:
            ledger.begin_run(begun())
            place.let_pass(hours=2)
            assert ledger.status("acme", "shop").status == "in_progress"

    def test_a_late_sign_of_life_turns_nothing_back(self, ledger: SqlLedger) -> None:
        ledger.begin_run(begun())
        ledger.finish_run(ended())
        ledger.touch_run("1", NOON + timedelta(minutes=1))
        run = ledger.status("acme", "shop")
        assert (run.status, run.last_seen_at) == ("success", NOON + timedelta(minutes=2))

    def test_a_run_has_an_id_of_its_own(self, ledger: SqlLedger) -> None:
        ledger.begin_run(begun())
        refusal(lambda: ledger.begin_run(begun()), "run_exists")
        refusal(lambda: ledger.touch_run("2", NOON), "unknown_run")
        for note in (ledger.begin_run, ledger.finish_run):
            with pytest.raises(InvalidValueError, match="must have an id"):
                note(RunRecord(merchant="acme", status="success"))
        with pytest.raises(InvalidValueError, match="cannot have the status"):
            ledger.finish_run(ended(status="in_progress"))

    def test_what_somebody_said_is_kept_whatever_it_holds(self, ledger: SqlLedger) -> None:
        ledger.finish_run(ended(status="failed", message="half\0way 'é' %s {x} \\"))
        ledger.record_history("acme", "shop", [sent(message="no\0pe")])
        assert ledger.status("acme", "shop").message == "half\ufffdway 'é' %s {x} \\"
        assert ledger.history("acme", "shop")[0].message == "no\ufffdpe"

    # -- listing states

    def test_figures_are_merged_with_their_times_and_none_leaves_what_is_there(
        self, ledger: SqlLedger
    ) -> None:
        def record(minutes: int, **figures: int) -> ListingState:
            at = NOON + timedelta(minutes=minutes)
            known: dict[str, Any] = {**figures}
            for name in figures:
                known |= {f"{name}_at": at, f"{name}_run": f"r{minutes}"}
            ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", **known)])
            (state,) = ledger.states("acme", "shop")
            return state

        record(0, desired=5, observed=4)
        record(1, sent=5)
        state = record(2, desired=5, accepted=5)
        assert (state.desired, state.sent, state.accepted, state.observed) == (5, 5, 5, 4)
        assert (state.desired_run, state.sent_run, state.observed_run) == ("r2", "r1", "r0")
        assert (state.desired_since, state.observed_since) == (NOON, NOON)
        state = record(3, desired=0)
        assert (state.desired, state.desired_since) == (0, NOON + timedelta(minutes=3))
        ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", sent=1, observed_at=NOON)])
        (state,) = ledger.states("acme", "shop")
        assert (state.sent, state.sent_at, state.sent_run) == (1, None, None)
        assert (state.observed, state.observed_run) == (4, "r0")

    def test_states_are_kept_apart_and_come_letter_by_letter(self, ledger: SqlLedger) -> None:
        keys = [("SPOON", None), ("FORK", "york"), ("FORK", None), ("fork", None), ("Äpfel", None)]
        states = [ListingState(listing_sku=sku, location_id=at, accepted=1) for sku, at in keys]
        ledger.record_states("acme", "shop", iter([*states, ListingState(listing_sku="fork", accepted=2)]))
        ledger.record_states("acme", "edi", [ListingState(listing_sku="FORK", accepted=9)])
        ledger.record_states("acme", "edi", [])
        found = [(state.listing_sku, state.location_id) for state in ledger.states("acme", "shop")]
        assert found == [("FORK", None), ("FORK", "york"), ("SPOON", None), ("fork", None), ("Äpfel", None)]
        # Of two figures in one batch the later stands.
        assert [one.accepted for one in ledger.states("acme", "shop")] == [1, 1, 1, 2, 1]

    def test_a_batch_of_states_is_kept_whole_or_not_at_all(self, ledger: SqlLedger) -> None:
        broken = [ListingState(listing_sku="FORK", sent=1), ListingState(listing_sku="half \ud83d", sent=1)]
        assert "half" in refusal(lambda: ledger.record_states("acme", "shop", broken), "broken_text").message
        naive = datetime(2025, 3, 9)  # noqa: DTZ001  without a zone on purpose
        with pytest.raises(InvalidValueError, match="must know its zone"):
            ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", sent=1, sent_at=naive)])
        assert ledger.states("acme", "shop") == ()

    # -- the last snapshot

    def test_only_the_newest_snapshot_of_each_merchant_is_kept(self, ledger: SqlLedger) -> None:
        assert ledger.last_snapshot("acme") is None
        later = NOON + timedelta(hours=1)
        ledger.save_snapshot("acme", stocked(6, at=later))
        ledger.save_snapshot("beta", stocked(1))
        ledger.save_snapshot("acme", stocked(5))
        assert ledger.last_snapshot("acme") == stocked(6, at=later)
        assert ledger.last_snapshot(MerchantSettings(name="beta", mode=PerWarehouse())) == stocked(1)

    def test_a_snapshot_that_cannot_be_read_is_an_error_with_a_way_out(
        self, ledger: SqlLedger, place: SqlPlace
    ) -> None:
        ledger.save_snapshot("acme", stocked())
        with place.beside() as connection:
            connection.execute(update(place.tables.snapshots).values(content=zlib.compress(b"[")))
        error = refusal(lambda: ledger.last_snapshot("acme"), "snapshot_unreadable")
        assert "omsync_snapshots" in error.remedy
        ledger.save_snapshot("acme", stocked())
        assert ledger.last_snapshot("acme") == stocked()

    # -- memory

    def test_a_source_recalls_what_it_kept_in_the_order_of_its_keys(self, ledger: SqlLedger) -> None:
        memory, other = ledger.memory("acme"), ledger.memory("beta")
        memory.remember("pages", {"b": "b", "B": "a"})
        memory.remember("pages", {"c": "c", "B": "A"})
        memory.remember("pages", {})
        memory.remember("marks", {"1": "x"})
        other.remember("pages", {"1": "b"})
        assert list(memory.recall("pages").items()) == [("B", "A"), ("b", "b"), ("c", "c")]
        memory.forget("pages")
        assert memory.recall("pages") == {}
        assert memory.recall("marks") == {"1": "x"}
        assert other.recall("pages") == {"1": "b"}

    @pytest.mark.parametrize("entries", [{"1": 5}, {1: "a"}, {"1": None}])
    def test_memory_keeps_text_and_nothing_else(self, ledger: SqlLedger, entries: Any) -> None:
        memory = ledger.memory("acme")
        with pytest.raises(WrongTypeError, match="keeps text"):
            memory.remember("pages", {"0": "kept?"} | entries)
        assert memory.recall("pages") == {}

    # -- history, and what of it goes

    def test_what_was_sent_is_kept_and_its_reply_takes_its_place(self, ledger: SqlLedger) -> None:
        spoon = sent("SPOON", location_id="york", at=NOON + timedelta(hours=1))
        ledger.record_history("acme", "shop", [spoon, sent(explanation="half \ud83d")])
        reply = sent(shown=3, explanation="half \ud83d", status="rejected", reason="too_many", echo=3)
        ledger.record_history("acme", "shop", [reply])
        ledger.record_history("acme", "edi", [sent()])
        ledger.record_history("acme", "edi", [])
        assert ledger.history("acme", "shop") == (reply, spoon)
        assert ledger.history("acme", "shop", "SPOON") == (spoon,)
        assert ledger.history("acme", "shop", None, NOON + timedelta(minutes=1)) == (spoon,)
        assert ledger.history("acme", "edi", "SPOON", NOON) == ()

    def test_what_is_older_than_is_kept_goes_when_a_run_ends_and_the_newest_run_stays(
        self, place: SqlPlace
    ) -> None:
        now = datetime.now(UTC)
        old, young = now - timedelta(days=31), now - timedelta(days=29)
        with place.open(keep=timedelta(days=30)) as ledger:
            for run_id, cart, at in (
                ("old", "shop", old),
                ("older", "shop", old - timedelta(days=1)),
                ("newest of edi", "edi", old),
                ("newest read", None, old),
            ):
                ledger.finish_run(ended(run_id, cart=cart, started_at=at, finished_at=at))
            ledger.record_history("acme", "shop", [sent(run_id="old", at=old)])
            ledger.record_history("acme", "shop", [sent(run_id="young", at=young)])
            memory = ledger.memory("acme")
            memory.remember("jobs", {"done": "", "open": "{}"})
            place.let_pass(days=31)
            memory.remember("jobs", {"done lately": ""})
            assert len(ledger.history("acme", "shop")) == 2
            ledger.finish_run(ended("now", started_at=now, finished_at=now))
            assert [run.run_id for run in ledger.runs("acme", "shop")] == ["now"]
            assert [entry.run_id for entry in ledger.history("acme", "shop")] == ["young"]
            assert dict(memory.recall("jobs")) == {"done lately": "", "open": "{}"}
            assert ledger.status("acme", "edi").run_id == "newest of edi"
            assert ledger.status("acme").run_id == "newest read"

    def test_a_run_drops_a_bounded_number_of_rows_and_always_more_than_it_adds(
        self, place: SqlPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sql, "PRUNED_AT_ONCE", 3)
        with place.open(keep=timedelta(days=1)) as ledger:
            ledger.record_history("acme", "shop", [sent(str(number)) for number in range(3)])
            ledger.finish_run(ended("r1"))
            assert ledger.history("acme", "shop") == ()
            ledger.record_history("acme", "shop", [sent(str(number)) for number in range(20)])
            with place.open(keep=timedelta(days=1)) as another:
                another.finish_run(ended("r2"))
            assert len(ledger.history("acme", "shop")) == 20 - 3

    # -- leases

    def test_a_lease_is_held_by_one_run_until_it_is_given_back(self, ledger: SqlLedger) -> None:
        first = ledger.take_lease("acme", "shop", lease("r1"))
        assert (first.run_id, first.span) == ("r1", timedelta(minutes=15))
        assert ledger.take_lease("acme", "shop", lease("r2")) == first
        for merchant, cart in (("acme", "edi"), ("acme", None), ("beta", "shop")):
            assert ledger.take_lease(merchant, cart, lease("r3")).run_id == "r3"
        ledger.release_lease("acme", "shop", lease("r2"))
        ledger.release_lease("acme", "nowhere", lease("r2"))
        assert ledger.take_lease("acme", "shop", lease("r2")) == first
        again = ledger.take_lease("acme", "shop", lease("r1"))
        assert (again.since, again.until > first.until) == (first.since, True)
        ledger.release_lease("acme", "shop", again)
        assert ledger.renew_lease("acme", "shop", again) is None
        assert ledger.take_lease("acme", "shop", lease("r2")).run_id == "r2"

    def test_a_lease_goes_by_the_databases_clock_and_is_taken_over_once_it_has_run_out(
        self, ledger: SqlLedger, place: SqlPlace
    ) -> None:
        first = ledger.take_lease("acme", "shop", lease("r1"))
        # What this machine believes the time to be does not matter.
        assert abs(first.since - datetime.now(UTC)) < timedelta(hours=1)
        place.let_pass(minutes=14)
        renewed = ledger.renew_lease("acme", "shop", first)
        assert renewed is not None
        assert renewed.until - renewed.since >= timedelta(minutes=29)
        place.let_pass(minutes=14)
        assert ledger.take_lease("acme", "shop", lease("r2")).run_id == "r1"
        place.let_pass(minutes=2)
        second = ledger.take_lease("acme", "shop", lease("r2"))
        assert second.run_id == "r2"
        assert ledger.renew_lease("acme", "shop", first) == second
        ledger.release_lease("acme", "shop", second)
        assert ledger.renew_lease("acme", "shop", first) is None

    def test_a_lease_that_ran_out_and_was_wanted_by_nobody_is_renewed(
        self, ledger: SqlLedger, place: SqlPlace
    ) -> None:
        first = ledger.take_lease("acme", "shop", lease("r1"))
        place.let_pass(hours=3)
        renewed = ledger.renew_lease("acme", "shop", first)
        assert renewed is not None
        assert ledger.take_lease("acme", "shop", lease("r2")).run_id == "r1"

    def test_the_lease_of_a_killed_process_is_taken_over_at_once_and_elsewhere_when_it_runs_out(
        self, ledger: SqlLedger, place: SqlPlace
    ) -> None:
        script = (
            "now = datetime.now(UTC)\n"
            "killed = Lease(run_id='killed', holder='me', since=now, until=now + timedelta(minutes=15))\n"
            "ledger.take_lease('acme', 'shop', killed)\n"
            "ledger.take_lease('acme', 'edi', killed)\n"
            "print('taken', flush=True)\n"
            "os.kill(os.getpid(), 9)\n"
        )
        killed = place.start(script)
        assert killed.communicate(timeout=60)[0] == "taken\n"
        assert killed.returncode == -9
        assert ledger.take_lease("acme", "shop", lease("r2")).run_id == "r2"
        with place.beside() as connection:
            connection.execute(update(place.tables.leases).values(host="elsewhere"))
        assert ledger.take_lease("acme", "edi", lease("r2")).run_id == "killed"
        place.let_pass(minutes=16)
        assert ledger.take_lease("acme", "edi", lease("r2")).run_id == "r2"

    # -- trouble

    def test_what_the_server_has_undone_is_done_again_whatever_it_is(
        self, troubled: tuple[SqlLedger, list[Exception]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ledger, troubles = troubled
        for state in ("40001", "40P01"):
            troubles += [OperationalError("", None, Trouble(state)) for _ in range(3)]
            ledger.begin_run(begun(state))
        assert len(ledger.runs("acme", "shop")) == 2
        monkeypatch.setattr(_sql_database, "_ATTEMPTS", 3)
        troubles += [OperationalError("", None, Trouble("40001")) for _ in range(3)]
        error = refusal(lambda: ledger.touch_run("40001", NOON), "ledger_busy")
        assert "trouble 40001" in error.message

    def test_when_the_connection_breaks_what_can_be_repeated_is_tried_once_more(
        self, troubled: tuple[SqlLedger, list[Exception]]
    ) -> None:
        ledger, troubles = troubled

        def breaks(times: int) -> None:
            gone = [OperationalError("", None, Trouble("57P01"), connection_invalidated=True)]
            troubles[:] = gone * times

        breaks(1)
        assert ledger.states("acme", "shop") == ()
        breaks(1)
        ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", sent=1)])
        assert len(ledger.states("acme", "shop")) == 1
        breaks(2)
        refusal(lambda: ledger.states("acme", "shop"), "ledger_unreachable")
        # Nobody knows whether a run has begun when the answer is lost, so it is not begun twice.
        breaks(1)
        refusal(lambda: ledger.begin_run(begun()), "ledger_unreachable")
        ledger.begin_run(begun())

    def test_an_interrupt_in_a_write_leaves_nothing_of_it(
        self, place: SqlPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with place.open() as ledger:
            runs = ledger._runs  # noqa: SLF001  there is no other way into the middle of a method

            def interrupt(*_: object) -> None:
                raise KeyboardInterrupt

            monkeypatch.setattr(type(runs), "_prune", interrupt)
            with pytest.raises(KeyboardInterrupt):
                ledger.finish_run(ended())
            monkeypatch.undo()
            assert ledger.runs("acme", "shop") == ()
            ledger.finish_run(ended())

    def test_a_closed_ledger_says_so_and_closing_twice_is_harmless(
        self, place: SqlPlace, ledger: SqlLedger
    ) -> None:
        ledger.close()
        ledger.close()
        refusal(lambda: ledger.runs("acme"), "ledger_closed")
        with place.open() as again:
            assert again.runs("acme") == ()

    def test_a_forked_process_is_told_to_make_its_own_and_harms_nobody(self, place: SqlPlace) -> None:
        script = (
            "child = os.fork()\n"
            "if child == 0:\n"
            "    try:\n"
            "        ledger.runs('acme')\n"
            "    except LedgerError as error:\n"
            "        print(error.code, flush=True)\n"
            "    sys.exit()\n"
            "os.waitpid(child, 0)\n"
            "print(len(ledger.runs('acme')))\n"
        )
        assert place.elsewhere(script) == "ledger_forked\n0\n"

    def test_tables_that_are_gone_are_an_error_and_not_an_empty_ledger(
        self, place: SqlPlace, ledger: SqlLedger
    ) -> None:
        with place.beside() as connection:
            place.tables.every.drop_all(connection)
        assert "could not be used" in refusal(lambda: ledger.runs("acme"), "ledger_failed").message
        refusal(lambda: ledger.finish_run(ended()), "ledger_failed")

    # -- the tables over the years

    def test_several_threads_may_make_the_tables_at_once(self, place: SqlPlace) -> None:
        together = threading.Barrier(8)

        def start(number: int) -> None:
            together.wait(timeout=60)
            with place.open() as ledger:
                ledger.memory("acme").remember("starters", {str(number): "here"})

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(start, range(8)))
        with place.open() as ledger:
            assert len(ledger.memory("acme").recall("starters")) == 8

    def test_several_processes_may_make_the_tables_at_once(self, place: SqlPlace) -> None:
        script = "ledger.memory('acme').remember('starters', {str(os.getpid()): 'here'})\n"
        starters = [place.start(script) for _ in range(3)]
        for starter in starters:
            starter.communicate(timeout=60)
        assert [starter.returncode for starter in starters] == [0] * 3
        with place.open() as ledger:
            assert len(ledger.memory("acme").recall("starters")) == 3

    def test_tables_of_a_newer_omsync_are_refused(self, place: SqlPlace, ledger: SqlLedger) -> None:
        ledger.close()
        with place.beside() as connection:
            connection.execute(update(place.tables.meta).values(version=99))
        assert "version 99" in refusal(place.open, "newer_ledger").message

    def test_older_tables_are_brought_forward_as_a_whole_or_left_as_they_were(
        self, place: SqlPlace, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ledger.finish_run(ended())

        def more(connection: Any, tables: Any) -> None:
            connection.execute(update(tables.runs).values(message="brought forward"))

        def broken(connection: Any, tables: Any) -> None:
            more(connection, tables)
            connection.exec_driver_sql("NONSENSE")

        def told() -> tuple[int, str]:
            with place.beside() as connection:
                version = connection.execute(select(place.tables.meta.c.version)).scalar_one()
            return version, ledger.status("acme", "shop").message

        monkeypatch.setattr(_sql_schema, "_FORWARD", (broken,))
        refusal(place.open, "ledger_failed")
        assert told() == (1, "")
        monkeypatch.setattr(_sql_schema, "_FORWARD", (more,))
        for _ in range(2):
            place.open().close()
            assert told() == (2, "brought forward")
        monkeypatch.undo()
        refusal(place.open, "newer_ledger")

    def test_another_programs_table_of_our_name_is_left_alone(self, place: SqlPlace) -> None:
        with place.beside() as connection:
            if place.schema is not None:
                connection.execute(CreateSchema(place.schema))
            place.tables.history.create(connection)
            connection.execute(insert(place.tables.history).values({**_a_row(place), "run_id": "theirs"}))
        with pytest.raises(LedgerError, match="already exists"):
            place.open()
        with place.beside() as connection:
            assert connection.execute(select(place.tables.history.c.run_id)).scalar_one() == "theirs"


def _a_row(place: SqlPlace) -> dict[str, Any]:
    values: dict[str, Any] = {"quantity": 1, "explanation": b""}
    columns = [column.name for column in place.tables.history.columns if column.name != "number"]
    return {name: values.get(name, "") if name not in {"shown", "echo"} else None for name in columns}
