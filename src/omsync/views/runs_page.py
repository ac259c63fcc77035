"""The page of a run view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from omsync.checks import counted
from omsync.exchange import RunRecord
from omsync.report import OUTCOMES
from omsync.views.page import Chart, Column, Fact, Page, Part, Series, Table
from omsync.views.runs_tables import WHO, held_table, pending_table, quarantine_table, said, who
from omsync.views.wording import STATUS_TONES, aged, ran, status_words

if TYPE_CHECKING:  # the view lays itself out with this module
    from omsync.views.runs import CartRuns, RunView

__all__ = ["page_of_runs"]

_CHARTED = 6
"""Carts whose history is drawn; with more of them, a merchant is looked at alone."""
_COUNTED = ("applied", "pending", "held", "rejected", "conflict")
_WRONG = {"died", "failed", "partial", "never"}


def page_of_runs(view: RunView) -> Page:
    """Lay out how things stand, the runs, what is held, pending and in quarantine, and the history."""
    statuses = Counter(row.status for row in view)
    wrong = sum(statuses[status] for status in _WRONG)
    merchants = sorted({row.merchant for row in view})
    whose = merchants[0] if len(merchants) == 1 else counted(len(merchants), "merchant")
    held, pending, quarantined = (
        sum(len(getattr(row, what)) for row in view) for what in ("held", "pending", "quarantined")
    )
    facts = [
        Fact(
            name=status.replace("_", " ").capitalize(),
            value=f"{statuses[status]:,}",
            tone=STATUS_TONES[status],
        )
        for status in STATUS_TONES
        if statuses[status]
    ]
    facts += [
        Fact(name=name, value=f"{number:,}", tone="warning" if number else "")
        for name, number in (
            ("Held for a person", held),
            ("Pending", pending),
            ("In quarantine", quarantined),
        )
    ]
    return Page(
        title=f"Runs of {whose}",
        summary=_summary(wrong, len(view)),
        facts=facts,
        parts=[
            _standing(view),
            held_table(view),
            pending_table(view),
            quarantine_table(view),
            _runs(view),
            *_charts(view),
        ],
        at=view.at,
    )


def _summary(wrong: int, rows: int) -> str:
    if not rows:
        return "The ledger knows of no run."
    return f"{counted(wrong, 'row')} of {rows:,} to look at." if wrong else "All is well."


def _standing(view: RunView) -> Table:
    return Table(
        title="How things stand",
        columns=[
            *WHO,
            Column(title="status"),
            Column(title="age", hint="since its last sign of life"),
            Column(title="seconds", kind="number", hint="how long the last run took"),
            *(Column(title=name, kind="number", hint="listings, in the last run") for name in _COUNTED),
            Column(title="quarantined", kind="number", hint="listings that are left out for a while"),
            Column(title="why"),
        ],
        rows=[
            (
                *who(row),
                status_words(row.last),
                _age(row.last, view),
                ran(row.last),
                *(_count(row, name) for name in _COUNTED),
                len(row.quarantined),
                _why(row.last),
            )
            for row in view
        ],
        tones=[STATUS_TONES[row.status] for row in view],
        empty="The ledger knows of no run.",
    )


def _count(row: CartRuns, name: str) -> int | None:
    """Give a count of the last run; None of a read, and of a run that has not come to count anything."""
    counted_nothing = not row.last.counts and row.status not in {"success", "disabled"}
    return None if row.cart is None or counted_nothing else row.last.counts.get(name, 0)


def _runs(view: RunView) -> Table:
    runs = [(row, run) for row in view for run in row.runs if run.started_at is not None]
    runs.sort(key=lambda one: one[1].started_at or view.at, reverse=True)
    return Table(
        title="Runs, newest first",
        columns=[
            *WHO,
            Column(title="run", kind="code"),
            Column(title="began", kind="time"),
            Column(title="status"),
            Column(title="seconds", kind="number"),
            Column(title="counts"),
            Column(title="why"),
        ],
        rows=[
            (
                *who(row),
                run.run_id,
                run.started_at,
                status_words(run),
                ran(run),
                ", ".join(f"{number:,} {what.replace('_', ' ')}" for what, number in run.counts.items()),
                _why(run),
            )
            for row, run in runs
        ],
        tones=[STATUS_TONES[run.status] for _, run in runs],
        empty="There was no run.",
    )


def _charts(view: RunView) -> Iterator[Part]:
    drawn = [row for row in view if sum(run.started_at is not None for run in row.runs) > 1]
    for row in drawn if len(drawn) <= _CHARTED else ():
        runs = [run for run in reversed(row.runs) if run.started_at is not None]
        labels = [f"{run.started_at:%m-%d %H:%M}" for run in runs]
        if row.cart is not None:
            yield from _chart(
                f"Outcomes of the runs of {row.who}", "stacked", labels, runs, OUTCOMES, "listings"
            )
        else:
            yield from _chart(
                f"Requests of the reads of {row.who}", "bars", labels, runs, ["calls"], "requests"
            )
        yield Chart(
            title=f"How long runs took: {row.who}",
            kind="line",
            labels=labels,
            series=[Series(name="seconds", figures=map(ran, runs))],
            unit="seconds",
            note="A gap is a run of which nobody knows when it ended.",
        )


def _chart(
    title: str, kind: str, labels: Sequence[str], runs: Sequence[RunRecord], names: Sequence[str], unit: str
) -> Iterator[Part]:
    series = [
        Series(name=name, figures=[run.counts.get(name, 0) for run in runs])
        for name in names
        if any(run.counts.get(name) for run in runs)
    ]
    if series:
        yield Chart(title=title, kind=kind, labels=labels, series=series, unit=unit)


def _age(run: RunRecord, view: RunView) -> str:
    seen = run.last_seen_at or run.finished_at or run.started_at
    return "" if seen is None else aged(view.at - seen)


def _why(run: RunRecord) -> str:
    return said(run.code, run.message)
