"""Ledgers that are wrong on purpose, for every check of the ledger kit at least one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import evolve
from fake_ports import DictLedger

from omsync import InventorySnapshot, ListingState, MerchantSettings, RunRecord
from omsync.exchange import HistoryEntry, Lease
from omsync.ledgers.sqlite import SqliteLedger
from omsync.model import Levels
from omsync.ports import SourceMemory
from omsync.testing import LedgerBench

__all__ = ["BROKEN", "Watch", "bench_of", "sqlite_bench"]


class Watch:
    """A clock that a test turns."""

    def __init__(self, now: datetime) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment


class Changed:
    """A ledger of ours, with what is wrong with it in front."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class ForgetsTheReason(Changed):
    """Keeps how a run ended, and not why."""

    def finish_run(self, run: RunRecord, /) -> None:
        self.inner.finish_run(evolve(run, code=""))


class RoundsToSeconds(Changed):
    """Has a column for seconds."""

    def touch_run(self, run_id: str, now: datetime, /) -> None:
        self.inner.touch_run(run_id, now.replace(microsecond=0))


class OldestFirst(Changed):
    """Gives runs as they were written."""

    def runs(self, merchant: str, cart: str | None = None, /) -> Sequence[RunRecord]:
        return list(self.inner.runs(merchant, cart))[::-1]


class MixesCarts(Changed):
    """Gives all runs of a merchant."""

    def runs(self, merchant: str, _: str | None = None, /) -> Sequence[RunRecord]:
        return [*self.inner.runs(merchant, "shop"), *self.inner.runs(merchant, None)]


class ZeroIsNothing(Changed):
    """Takes 0 for None."""

    def record_states(self, merchant: str, cart: str, states: Iterable[ListingState], /) -> None:
        told = [evolve(one, sent=one.sent or None, desired=one.desired or None) for one in states]
        self.inner.record_states(merchant, cart, told)


class StripsCodes(Changed):
    """Has a column that ignores blanks at the end."""

    def record_states(self, merchant: str, cart: str, states: Iterable[ListingState], /) -> None:
        self.inner.record_states(
            merchant, cart, [evolve(one, listing_sku=one.listing_sku.strip()) for one in states]
        )


class ForgetsDoubt(Changed):
    """Keeps what it knew of when it was written."""

    def save_snapshot(self, merchant: str, snapshot: InventorySnapshot, /) -> None:
        self.inner.save_snapshot(merchant, evolve(snapshot, doubtful=()))


class MergesSnapshots(Changed):
    """Adds a snapshot's products to those that are there."""

    def save_snapshot(self, merchant: str, snapshot: InventorySnapshot, /) -> None:
        before = self.inner.last_snapshot(merchant)
        if before is not None:
            known = {level.master_sku for level in snapshot.levels}
            more = [level for level in before.levels if level.master_sku not in known]
            snapshot = evolve(snapshot, levels=Levels([*snapshot.levels, *more]))
        self.inner.save_snapshot(merchant, snapshot)


class Memory:
    """A memory of ours, with what is wrong with it in front."""

    def __init__(self, inner: SourceMemory, ledger: Any, merchant: str) -> None:
        self.inner, self.ledger, self.merchant = inner, ledger, merchant

    def recall(self, namespace: str) -> Mapping[str, str]:
        return self.inner.recall(namespace)

    def remember(self, namespace: str, entries: Mapping[str, str]) -> None:
        self.inner.remember(namespace, entries)

    def forget(self, namespace: str) -> None:
        self.inner.forget(namespace)


class ReplacesTheNamespace(Memory):
    """Keeps the last entries only."""

    def remember(self, namespace: str, entries: Mapping[str, str]) -> None:
        self.inner.forget(namespace)
        self.inner.remember(namespace, entries)


class ForgetsAll(Memory):
    """Drops more than it was told."""

    def forget(self, _: str) -> None:
        for one in ("pages", "marks"):
            self.inner.forget(one)


def with_memory(kind: type[Memory]) -> type[Changed]:
    class WithMemory(Changed):
        def memory(self, merchant: str, /) -> SourceMemory:
            return kind(self.inner.memory(merchant), self.inner, merchant)

    WithMemory.__name__ = kind.__name__
    return WithMemory


class ReadsOnce(Changed):
    """Keeps figures in the object, and writes them when it is closed."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.waiting: list[tuple[str, str, tuple[ListingState, ...]]] = []

    def record_states(self, merchant: str, cart: str, states: Iterable[ListingState], /) -> None:
        self.waiting.append((merchant, cart, tuple(states)))

    def states(self, merchant: str, cart: str, /) -> Iterable[ListingState]:
        self.flush()
        return self.inner.states(merchant, cart)  # type: ignore[no-any-return]  # any ledger

    def flush(self) -> None:
        for one in self.waiting:
            self.inner.record_states(*one)
        self.waiting.clear()

    def close(self) -> None:
        self.flush()
        self.inner.close()


class LosesAWrite(Changed):
    """Loses a write now and then, as one that reads everything and writes it back does between threads."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.writes = 0

    def record_states(self, merchant: str, cart: str, states: Iterable[ListingState], /) -> None:
        self.writes += 1
        if self.writes % 7:
            self.inner.record_states(merchant, cart, states)


class GivesTheLeaseToAll(Changed):
    """Notes who works, and refuses nobody."""

    def take_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> Lease:
        self.inner.take_lease(merchant, cart, lease)
        return lease


class NeverRunsOut(Changed):
    """Waits for a dead run for ever."""

    def take_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> Lease:
        for_ever = evolve(lease, until=lease.until.replace(year=9000))
        return self.inner.take_lease(merchant, cart, for_ever)  # type: ignore[no-any-return]  # any ledger

    def renew_lease(self, _: str, __: str | None, lease: Lease, /) -> Lease | None:
        return lease


class KeepsTheQuestion(Changed):
    """Keeps what was sent, and not what was said to it."""

    def record_history(self, merchant: str, cart: str, entries: Iterable[HistoryEntry], /) -> None:
        self.inner.record_history(merchant, cart, [one for one in entries if one.status == "sent"])


class KeepsNothing(Changed):
    """Writes to memory."""

    def save_snapshot(self, _: str, snapshot: InventorySnapshot, /) -> None:
        self.kept = snapshot

    def last_snapshot(self, _: MerchantSettings | str, /) -> InventorySnapshot | None:
        return getattr(self, "kept", None)


BROKEN: tuple[tuple[type[Changed], str], ...] = (
    (ForgetsTheReason, "a_run_is_in_progress_until_it_ends"),
    (RoundsToSeconds, "a_sign_of_life_is_kept"),
    (OldestFirst, "runs_come_newest_first"),
    (MixesCarts, "runs_are_kept_apart"),
    (ZeroIsNothing, "a_figure_that_is_none_leaves_what_is_there"),
    (StripsCodes, "listings_are_kept_apart"),
    (ForgetsDoubt, "a_snapshot_comes_back_as_it_was"),
    (MergesSnapshots, "a_newer_snapshot_takes_the_place_of_the_last"),
    (with_memory(ReplacesTheNamespace), "memory_keeps_text_by_namespace"),
    (with_memory(ForgetsAll), "memory_forgets_a_namespace_and_no_other"),
    (ReadsOnce, "two_writers_lose_nothing"),
    (LosesAWrite, "threads_lose_nothing"),
    (GivesTheLeaseToAll, "a_lease_has_one_holder"),
    (GivesTheLeaseToAll, "of_many_runs_one_gets_the_lease"),
    (NeverRunsOut, "a_lease_that_has_run_out_can_be_taken_over"),
    (KeepsTheQuestion, "history_keeps_what_was_sent"),
    (KeepsNothing, "everything_is_there_after_opening_again"),
)
"""Ledgers that are wrong, each with the check that catches it."""


def sqlite_bench(path: Path, kind: type[Changed] | None = None) -> LedgerBench:
    """Put the SQLite ledger on the bench, with a clock that is turned instead of waited for."""
    watch = Watch(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))

    def opened() -> Any:
        ledger = SqliteLedger(path, now=watch.now)
        return ledger if kind is None else kind(ledger)

    def wait(seconds: float) -> None:
        watch.moment += timedelta(seconds=seconds)

    return LedgerBench(
        open=opened,
        close=lambda ledger: ledger.close(),
        program=f"from omsync.ledgers.sqlite import SqliteLedger\nledger = SqliteLedger({str(path)!r})",
        wait=wait,
    )


def bench_of() -> LedgerBench:
    """Put the tests' ledger in dicts on the bench."""
    ledger = DictLedger()
    return LedgerBench(open=lambda: ledger, keeps=False)
