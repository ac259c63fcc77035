"""One run, from its beginning to its end, as the ledger, the log and the report tell it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from attrs import evolve, field, frozen

from omsync.allocation import Desk
from omsync.checks import shown
from omsync.errors import InvalidValueError, OmsyncError, WrongTypeError
from omsync.exchange import RunRecord
from omsync.http.clock import Clock, SystemClock
from omsync.http.steps import Steps, call
from omsync.planning import SyncPlan
from omsync.ports import Ledger, Progress
from omsync.report import Outcome, SyncReport

__all__ = ["Context", "deadline_of", "fail", "finish", "new_run", "report_of"]

log = logging.getLogger("omsync")
_MOST_PROBLEMS = 3
"""The single findings that the sentence about a run names; the error itself has all."""


@frozen(kw_only=True)
class Context:
    """What every flow needs besides its subject.

    Args:
        ledger: Remembers; None for a run that leaves no trace.
        clock: Tells the time.
        on_progress: Called with (stage, done, total or None).
        deadline: Nothing begins after it.
        desk: Allocates; keeps what the carts of one reading have in common.
    """

    ledger: Ledger | None = None
    clock: Clock = field(factory=SystemClock)
    on_progress: Progress | None = None
    deadline: datetime | None = None
    desk: Desk = field(factory=Desk, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.ledger is not None and not hasattr(self.ledger, "begin_run"):
            raise WrongTypeError(
                f"The ledger is none: {shown(self.ledger)}",
                remedy="Give a Ledger, such as SqliteLedger('omsync.db').",
            )

        progress: object = self.on_progress
        if progress is not None and (not callable(progress) or hasattr(progress, "__enter__")):
            raise WrongTypeError(
                f"on_progress cannot be told anything: {shown(progress)}",
                remedy="Write 'with rich_progress() as on_progress:', or give a function of (stage, done, "
                "total or None).",
            )

    def tell(self, stage: str, done: int, total: int | None) -> None:
        """Report progress."""
        if self.on_progress is not None:
            self.on_progress(stage, done, total)


def deadline_of(deadline: datetime | timedelta | None, clock: Clock) -> datetime | None:
    """Turn a deadline that may be a span from now into a moment.

    Raises:
        InvalidValueError: It is a moment without a time zone.
    """
    if isinstance(deadline, timedelta):
        return clock.now() + deadline
    if deadline is not None and not isinstance(deadline, datetime):
        raise WrongTypeError(
            f"A deadline is a datetime or a timedelta, not {shown(deadline)}",
            remedy="Give a span such as timedelta(minutes=5).",
        )
    if deadline is not None and deadline.utcoffset() is None:
        raise InvalidValueError(
            f"The deadline {deadline.isoformat()} must know its time zone",
            remedy="Give a span such as timedelta(minutes=5), or datetime.now(UTC) plus one.",
        )
    return None if deadline is None else deadline.astimezone(UTC)


def new_run(merchant: str, cart: str | None, context: Context) -> RunRecord:
    """Begin a run of a cart, or with ``cart=None`` a read of the order manager."""
    now = context.clock.now()
    return RunRecord(
        run_id=uuid.uuid4().hex[:12],
        merchant=merchant,
        cart=cart,
        status="in_progress",
        started_at=now,
        last_seen_at=now,
    )


def finish(
    run: RunRecord,
    context: Context,
    status: str,
    counts: Mapping[str, int],
    error: BaseException | None,
    why: tuple[str, str] = ("", ""),
) -> Steps[None]:
    """Note how a run ended, in the log and in the ledger; ``why`` tells of a run that no error ended."""
    now = context.clock.now()
    done = evolve(
        run,
        status=status,
        finished_at=now,
        last_seen_at=now,
        counts=counts,
        message="; ".join(filter(None, (run.message, _sentence(error) or why[1]))),
        code=_code(error) or why[0],
    )
    log.log(logging.WARNING if error else logging.INFO, "%s", done)
    if context.ledger is None:
        return
    try:
        yield from call(context.ledger.finish_run, done)
    except Exception:
        # The first error is the one to be seen; a ledger that fails as well must not hide it.
        if error is None:
            raise
        log.exception("The ledger could not note the end of run %s", run.run_id)


def fail(error: BaseException, report: SyncReport, run: RunRecord, context: Context) -> Steps[None]:
    """Let the report of what was done travel with the error, for whoever catches it; note it."""
    error.omsync_report = report  # type: ignore[attr-defined]  # any exception may pass here
    yield from finish(run, context, report.status, report.counts, error)


def _sentence(error: BaseException | None) -> str:
    if not isinstance(error, OmsyncError):
        return str(error or "")
    return "; ".join((error.message, *error.problems[:_MOST_PROBLEMS]))


def _code(error: BaseException | None) -> str:
    if error is None:
        return ""
    return error.code if isinstance(error, OmsyncError) else type(error).__name__


def report_of(
    run: RunRecord,
    plan: SyncPlan | None,
    status: str,
    outcomes: Sequence[Outcome],
    context: Context,
    error: BaseException | None = None,
    digest: str | None = None,
) -> SyncReport:
    """Give the report of a run that ends now; without a plan where it did not come that far.

    ``digest`` is that of the plan which a person can approve, where the cart was looked at again since.
    """
    now = context.clock.now()
    return SyncReport(
        merchant=run.merchant,
        cart=run.cart or "",
        run_id=run.run_id,
        status=status,
        started_at=run.started_at or now,
        finished_at=now,
        destination=plan.destination if plan else "",
        outcomes=outcomes,
        notices=plan.notices if plan else (),
        cart_only=plan.cart_only if plan else (),
        digest=digest if digest is not None else plan.digest if plan else "",
        code=_code(error),
        message="" if error is None else str(error),
        plan=plan,
    )
