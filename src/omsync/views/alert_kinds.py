"""The alerts of one merchant: what its runs tell, and when the next was due. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from omsync.checks import to_the_minute
from omsync.exchange import RunRecord
from omsync.frequency import Frequency
from omsync.views.alert import Alert, Case
from omsync.views.alert_listings import of_figures, of_listings
from omsync.views.known import known_of

__all__ = ["found_in"]

_BAD = {"failed", "died", "partial"}


def found_in(case: Case) -> list[Alert]:
    """Give the alerts of one merchant; those that the last run of a cart ended have ``closed``."""
    carts = case.carts
    names = list(carts) if carts is not None else [run.cart for run in case.statuses if run.cart is not None]
    reads = tuple(case.ledger.runs(case.merchant, None))
    found = list(_of_runs(case, None, reads))
    if case.settings is not None and case.settings.frequency is not None:
        found += _when_due(case, None, reads, case.settings.frequency)
        found += _never(case, None, reads)
    troubled = False
    for name in names:
        runs = tuple(case.ledger.runs(case.merchant, name))
        found += _of_runs(case, name, runs)
        if carts is not None:
            found += _when_due(case, name, runs, carts[name].frequency)
        found += _never(case, name, runs)
        found += of_listings(case, name, known_of(case.ledger, case.merchant, name, runs, now=case.now))
        ended = [run.status for run in runs if run.status != "in_progress"]
        troubled = troubled or any(status in _BAD for status in ended[:1])
    return [*found, *of_figures(case)] if troubled else found


def _of_runs(case: Case, cart: str | None, runs: Iterable[RunRecord]) -> Iterator[Alert]:
    ended = [run for run in runs if run.status != "in_progress"]
    series = [(status, list(some)) for status, some in groupby(ended, key=lambda run: run.status)]
    if series and series[0][0] in _BAD:
        yield _of_series(case, cart, series[0][1])
    if len(series) > 1 and series[1][0] in _BAD and len(series[0][1]) == 1:
        yield _of_series(case, cart, series[1][1], closed=_end(series[0][1][0]))


def _of_series(case: Case, cart: str | None, runs: list[RunRecord], closed: datetime | None = None) -> Alert:
    last, first = runs[0], runs[-1]
    what = "read" if cart is None else "run"
    how = {"failed": "failed", "died": "died", "partial": "got through in part only"}[last.status]
    why = ": ".join(filter(None, (last.code, last.message)))
    running = f"{len(runs):,} {what}s running" if len(runs) > 1 else f"the last {what}"
    return case.alert(
        f"{what}_{last.status}",
        cart,
        f"{running} {how}" + (f"; {why}" if why else ""),
        remedy=last.status,
        critical=last.status != "partial",
        opened=_end(first),
        closed=closed,
        number=len(runs),
    )


def _end(run: RunRecord) -> datetime | None:
    return run.finished_at or run.last_seen_at or run.started_at


def _when_due(
    case: Case, cart: str | None, runs: Sequence[RunRecord], frequency: Frequency | None
) -> Iterator[Alert]:
    began = next((run.started_at for run in runs if run.started_at is not None), None)
    if frequency is None or began is None or runs[0].status == "in_progress":
        return
    due = frequency.next_due(began, case.now)
    # A run that took longer than its frequency leaves its scheduler the same patience from its end.
    free = max(due, runs[0].finished_at or due)
    if case.now > free + case.patience.late:
        what = "read" if cart is None else "run"
        yield case.alert(
            f"no_{what}_when_due",
            cart,
            f"a {what} was due at {to_the_minute(due)} ({frequency}), and none has begun since "
            f"{to_the_minute(began)}",
            remedy="not_run",
            critical=True,
            opened=due,
        )


def _never(case: Case, cart: str | None, runs: Sequence[RunRecord]) -> Iterator[Alert]:
    if not runs:
        if cart is None:
            yield case.alert("never_read", None, "the order manager has never been read", remedy="never")
        else:
            yield case.alert("never_run", cart, "the cart has never run", remedy="never")
