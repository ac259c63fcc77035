"""One run at a time: the lease that a run takes, renews with its signs of life, and gives back.

A run whose lease was taken over stops before its next batch, and a read before it writes to its memory. What
it still notes about rows that were under way is harmless: figures that two runs sent never pass for settled.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import TypeVar

from attrs import define, frozen

from omsync.allocation import Notice
from omsync.checks import to_the_second
from omsync.errors import LeaseHeldError
from omsync.exchange import Lease, RunRecord
from omsync.http.clock import Clock
from omsync.http.steps import Steps, call
from omsync.ports import HistoryLedger, LeasingLedger, Ledger, Progress, SourceMemory
from omsync.runs import Context, report_of

__all__ = [
    "CartMemory",
    "FencedMemory",
    "Hold",
    "ledger_notices",
    "take_lease",
    "under_lease",
    "with_signs_of_life",
]

T = TypeVar("T")
log = logging.getLogger("omsync")

SPAN = timedelta(minutes=15)
"""How long a run may be silent before another may take its place."""

RENEWED_EVERY = timedelta(seconds=30)
"""A lease that was renewed so lately cannot have run out, so the ledger is not asked again."""

NO_LEASE = Notice(
    reason="no_lease",
    message="This ledger keeps no leases, so it goes unnoticed if two runs work on the cart at once",
)
NO_HISTORY = Notice(reason="no_history", message="This ledger keeps no history of what was sent")


class Hold:
    """A run's lease while it is held; without a ledger that keeps leases it is never lost.

    Args:
        run: The run.
        context: Ledger and clock.
        lease: What was taken; None where the ledger keeps no leases, or there is no ledger.
    """

    def __init__(self, run: RunRecord, context: Context, lease: Lease | None) -> None:
        self._run = run
        self._ledger = _leasing(context.ledger)
        self._clock: Clock = context.clock
        self._lease = lease
        self._renewed_at = context.clock.now()
        self.loss: LeaseHeldError | None = None

    def is_kept(self) -> bool:
        """Renew the lease when it is time to; say whether this run still holds it."""
        now = self._clock.now()
        # A clock that was put back asks too; better once too often.
        lately = abs(now - self._renewed_at) < RENEWED_EVERY
        if self._lease is None or self._ledger is None or self.loss is not None or lately:
            return self.loss is None
        standing = self._ledger.renew_lease(self._run.merchant, self._run.cart, self._lease)
        if standing is None or standing.run_id != self._run.run_id:
            self.loss = _lost(self._run, standing)
            log.warning("%s", self.loss.message)
        self._renewed_at = now
        return self.loss is None

    def check(self) -> None:
        """Raise if the lease was lost."""
        if not self.is_kept() and self.loss is not None:
            raise self.loss

    def fenced(self, memory: SourceMemory) -> SourceMemory:
        """Give a source's memory so that nothing is written to it once the lease is lost."""
        return memory if self._lease is None else FencedMemory(memory=memory, hold=self)

    def fenced_for_cart(self, memory: SourceMemory) -> SourceMemory:
        """Give a sink's memory so that nothing of another run's is dropped once the lease is lost."""
        return memory if self._lease is None else CartMemory(memory=memory, hold=self)

    def release(self) -> Steps[None]:
        """Give the lease back; if that cannot be noted, it runs out by itself."""
        if self._lease is None or self._ledger is None:
            return
        give_back = partial(self._ledger.release_lease, self._run.merchant, self._run.cart, self._lease)
        try:
            yield from call(give_back)
        except Exception:
            log.exception("The lease of run %s could not be given back; it runs out", self._run.run_id)
        except BaseException:
            # Interrupted at this very step, nobody knows whether it was given back; twice does no harm.
            yield from call(give_back)
            raise


@frozen(kw_only=True)
class FencedMemory:
    """A source's memory while its read holds the lease; afterwards another read's figures stand there."""

    memory: SourceMemory
    hold: Hold

    def recall(self, namespace: str) -> Mapping[str, str]:
        """Give everything kept in the namespace, in the order of its keys."""
        return self.memory.recall(namespace)

    def remember(self, namespace: str, entries: Mapping[str, str]) -> None:
        """Keep the entries, durably; raise if the lease was lost."""
        self.hold.check()
        self.memory.remember(namespace, entries)

    def forget(self, namespace: str) -> None:
        """Drop the whole namespace; raise if the lease was lost."""
        self.hold.check()
        self.memory.forget(namespace)


@define(kw_only=True)
class CartMemory:
    """A sink's memory while its run holds the lease; afterwards another run's entries stand there too.

    What is added is kept all the same: a job that was handed in meanwhile is to be asked about by the next
    run, whoever handed it in.

    Args:
        memory: Where it is kept.
        hold: The run's; None while the run has not begun.
    """

    memory: SourceMemory
    hold: Hold | None = None

    def recall(self, namespace: str) -> Mapping[str, str]:
        """Give everything kept in the namespace, in the order of its keys."""
        return self.memory.recall(namespace)

    def remember(self, namespace: str, entries: Mapping[str, str]) -> None:
        """Keep the entries, durably."""
        self.memory.remember(namespace, entries)

    def forget(self, namespace: str) -> None:
        """Drop the whole namespace; not once the lease was lost, since it would drop another run's jobs."""
        if self.hold is None or self.hold.is_kept():
            self.memory.forget(namespace)
        else:
            log.info("%r stays as it is: its lease was lost", namespace)


def take_lease(run: RunRecord, context: Context) -> Steps[Hold]:
    """Take the lease of the run's cart, or of reading the order manager.

    Raises:
        LeaseHeldError: Another run holds it; says who, since when, and until when at least.
    """
    ledger = _leasing(context.ledger)
    if ledger is None:
        return Hold(run, context, None)
    now = context.clock.now()
    holder = f"{socket.gethostname()}, process {os.getpid()}"
    wanted = Lease(run_id=run.run_id, holder=holder, since=now, until=now + SPAN)
    try:
        standing = yield from call(ledger.take_lease, run.merchant, run.cart, wanted)
    except BaseException as error:
        if not isinstance(error, Exception):
            yield from Hold(run, context, wanted).release()
        raise
    if standing.run_id != run.run_id:
        raise _in_use(run, standing)
    return Hold(run, context, standing)


def under_lease(run: RunRecord, work: Callable[[Hold], Steps[T]], context: Context) -> Steps[T]:
    """Do the work under the lease of the run's cart; a run that does not get it leaves everything alone.

    Such a run is not noted in the ledger, where it would hide how the one under way stands.
    """
    try:
        hold = yield from take_lease(run, context)
    except Exception as error:
        error.omsync_report = report_of(run, None, "failed", (), context, error)  # type: ignore[attr-defined]  # any exception may pass here
        log.warning("%s", error)
        raise
    try:
        return (yield from work(hold))
    finally:
        yield from hold.release()


def ledger_notices(ledger: Ledger | None) -> tuple[Notice, ...]:
    """Give what a report says of a ledger that cannot do everything."""
    if ledger is None:
        return ()
    keeps: dict[Notice, type] = {NO_LEASE: LeasingLedger, NO_HISTORY: HistoryLedger}
    return tuple(notice for notice, kind in keeps.items() if not isinstance(ledger, kind))


def with_signs_of_life(run: RunRecord, context: Context, hold: Hold) -> Progress:
    """Give a progress callback that also tells the ledger now and then that the run is alive.

    The callback raises when the lease was lost meanwhile, so that the read ends.
    """
    last = [context.clock.monotonic()]

    def on_progress(stage: str, done: int, total: int | None) -> None:
        hold.check()
        now = context.clock.monotonic()
        if context.ledger is not None and now - last[0] >= RENEWED_EVERY.total_seconds():
            last[0] = now
            context.ledger.touch_run(run.run_id, context.clock.now())
        context.tell(stage, done, total)

    return on_progress


def _leasing(ledger: object) -> LeasingLedger | None:
    return ledger if isinstance(ledger, LeasingLedger) else None


def _what(run: RunRecord) -> str:
    if run.cart is None:
        return f"The order manager of {run.merchant!r} is being read"
    return f"The cart {run.cart!r} of {run.merchant!r} is in use"


def _held_by(lease: Lease) -> str:
    return (
        f"by run {lease.run_id} ({lease.holder}) since {to_the_second(lease.since)}, "
        f"at least until {lease.until:%H:%M:%S}Z"
    )


def _in_use(run: RunRecord, lease: Lease) -> LeaseHeldError:
    return LeaseHeldError(
        f"{_what(run)} {_held_by(lease)}",
        holder=lease.holder,
        since=lease.since,
        until=lease.until,
        code="cart_in_use" if run.cart is not None else "read_in_use",
        remedy="Let that run end. If it died, its lease runs out at the time named.",
    )


def _lost(run: RunRecord, lease: Lease | None) -> LeaseHeldError:
    now = "free again by now" if lease is None else f"held {_held_by(lease)}"
    return LeaseHeldError(
        f"Run {run.run_id} was silent for too long and lost its lease, which is {now}",
        holder="" if lease is None else lease.holder,
        since=None if lease is None else lease.since,
        until=None if lease is None else lease.until,
        code="lease_lost",
        remedy="Run again; what was sent until then is kept.",
    )
