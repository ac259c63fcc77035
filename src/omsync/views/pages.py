"""A page for any value that a person looks at: the views, and what runs and looks give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from omsync.allocation import Explanation
from omsync.allocation.reasons import words
from omsync.checks import counted, shown
from omsync.comparison import Comparison
from omsync.comparison.findings import KINDS
from omsync.convergence import Drift, History
from omsync.diagnosis import Audit, Diagnosis, ModesCompared
from omsync.errors import WrongTypeError
from omsync.planning import SyncPlan
from omsync.planning.quarantine_view import Quarantine
from omsync.report import OUTCOMES, SyncReport
from omsync.views.doctor import page_of_audit, page_of_diagnosis, page_of_modes
from omsync.views.explanations import explanation_view
from omsync.views.page import Chart, Column, Fact, Page, Series, Table
from omsync.views.plans import plan_view
from omsync.views.rendered import Rendered

__all__ = ["page_of"]

_LISTING = (
    Column(title="listing", kind="code", is_key=True),
    Column(title="location", kind="code"),
)
_SHOWS = Column(title="shows", kind="number", hint="? where nobody knows")
_WHY = Column(title="why")


def page_of(value: object) -> Page:
    """Lay out a view, a plan, an explanation, a report, what a comparison, a look-up or the doctor found.

    Raises:
        WrongTypeError: There is no page for this.
    """
    if isinstance(value, Rendered):
        return value.page()
    for kind, layout in _LAYOUTS.items():
        if isinstance(value, kind):
            return layout(value)
    known = ", ".join(kind.__name__ for kind in _LAYOUTS)
    raise WrongTypeError(f"There is no page for {shown(value)}", remedy=f"Give a view, or one of: {known}.")


def _drift(drift: Drift) -> Page:
    where = "shows" if drift.basis == "cart" else "cannot be read, and last accepted"
    return Page(
        title=f"Drift of {drift.merchant} / {drift.cart}",
        summary=f"{drift.destination} {where} something else than it should for {len(drift):,} of "
        f"{counted(drift.compared, 'listing')}.",
        parts=[
            Table(
                title="What differs, the longest first",
                columns=[
                    *_LISTING,
                    _SHOWS,
                    Column(title="shall show", kind="number"),
                    Column(title="since", kind="time", hint="from when on it is known to differ"),
                    _WHY,
                ],
                rows=[
                    (
                        one.listing_sku,
                        one.location_id or "",
                        one.shown,
                        one.desired,
                        one.since,
                        "" if one.reason == "differs" else words(one.reason),
                    )
                    for one in drift
                ],
                empty="Everything shows what it should.",
            )
        ],
        at=drift.looked_at,
    )


def _quarantine(quarantine: Quarantine) -> Page:
    exposed = quarantine.exposed
    on_sale = f", {counted(exposed, 'unit')} on sale that are not there" if exposed else ""
    return Page(
        title=f"Quarantine of {quarantine.merchant} / {quarantine.cart}",
        summary=f"{counted(len(quarantine), 'row')}{on_sale}.",
        parts=[
            Table(
                title="Refused again and again",
                columns=[
                    *_LISTING,
                    _SHOWS,
                    Column(title="refused", kind="number"),
                    Column(title="times", kind="number"),
                    Column(title="since", kind="time"),
                    Column(title="next try"),
                    _WHY,
                ],
                rows=[
                    (
                        *(one.listing_sku, one.location_id or "", one.shown, one.quantity),
                        *(one.tries, one.since, one.trying, one.why),
                    )
                    for one in quarantine
                ],
                tones=["bad" if one.exposed else "warning" for one in quarantine],
                empty="Nothing is in quarantine.",
            )
        ],
    )


def _report(report: SyncReport) -> Page:
    tone = {"success": "good", "partial": "warning", "failed": "bad"}.get(report.status, "quiet")
    took = (report.finished_at - report.started_at).total_seconds()
    return Page(
        title=f"Report of {report.merchant} / {report.cart}",
        summary=str(report).splitlines()[0],
        facts=[
            Fact(name="Status", value=report.status, tone=tone),
            Fact(name="Run", value=report.run_id),
            Fact(name="Cart", value=report.destination or "?"),
            Fact(name="Took", value=f"{took:,.1f} s"),
        ],
        parts=[
            Table(
                title="Outcomes",
                columns=[
                    *_LISTING,
                    Column(title="product", kind="code", is_key=True),
                    Column(title="outcome"),
                    Column(title="showed", kind="number"),
                    Column(title="shall show", kind="number"),
                    _WHY,
                    Column(title="what to do"),
                ],
                rows=[
                    (
                        *(one.listing_sku or "", one.location_id or "", one.master_sku, one.outcome),
                        *(one.shown, one.quantity, words(one.reason) if one.reason else "", one.message),
                    )
                    for one in report.outcomes
                ],
                tones=["warning" if one.went_wrong else "" for one in report.outcomes],
                empty="Nothing to sync.",
            ),
            Chart(
                title="Listings by outcome",
                labels=OUTCOMES,
                series=[Series(name="listings", figures=[report.counts.get(name, 0) for name in OUTCOMES])],
                unit="listings",
            ),
        ],
        notes=[one.message for one in report.notices],
        at=report.finished_at,
    )


def _comparison(comparison: Comparison) -> Page:
    first, second = comparison.names
    differing = counted(len(comparison.differences), "difference")
    return Page(
        title=f"{first} and {second} compared",
        summary=f"{differing}, {counted(comparison.units, 'unit')} in all; {comparison.same:,} alike.",
        facts=[
            Fact(name=f"{name} read", value=f"{moment:%Y-%m-%d %H:%M}Z")
            for name, moment in zip(comparison.names, comparison.taken_at, strict=True)
            if moment is not None
        ],
        parts=[
            Table(
                title="What differs, the worst first",
                columns=[
                    Column(title="kind"),
                    Column(title="product", kind="code", is_key=True),
                    Column(title="listing", kind="code", is_key=True),
                    Column(title="place"),
                    Column(title=f"a: {first}"),
                    Column(title=f"b: {second}"),
                    Column(title="gap", kind="number"),
                    Column(title="in words"),
                ],
                rows=[
                    (
                        KINDS.get(one.kind, (0, words(one.kind)))[1],
                        *(one.sku, one.listing_sku or "", one.place or "", one.a, one.b),
                        *(one.gap, one.sentence),
                    )
                    for one in comparison.differences
                ],
                empty="Nothing differs.",
            )
        ],
        notes=[one.message for one in comparison.notices],
    )


def _history(history: History) -> Page:
    return Page(
        title=f"What was sent to {history.merchant} / {history.cart}",
        summary=f"{counted(len(history), 'quantity', 'quantities')}, the oldest first.",
        parts=[
            Table(
                title="Sent",
                columns=[
                    Column(title="sent at", kind="time"),
                    *_LISTING,
                    Column(title="showed", kind="number"),
                    Column(title="sent", kind="number"),
                    Column(title="reply"),
                    _WHY,
                    Column(title="approved by"),
                    Column(title="why this quantity"),
                ],
                rows=[
                    (
                        *(one.sent_at, one.listing_sku, one.location_id or "", one.shown, one.quantity),
                        "no answer is known" if one.status == "sent" else words(one.status),
                        ": ".join(filter(None, (words(one.reason), one.message))),
                        *(one.approved_by, one.summary),
                    )
                    for one in history
                ],
                empty="Nothing was sent.",
            )
        ],
    )


_LAYOUTS: Mapping[type, Callable[[Any], Page]] = {
    SyncPlan: lambda plan: plan_view(plan).page(),
    Explanation: lambda explanation: explanation_view(explanation).page(),
    SyncReport: _report,
    Comparison: _comparison,
    Drift: _drift,
    Quarantine: _quarantine,
    History: _history,
    Diagnosis: page_of_diagnosis,
    Audit: page_of_audit,
    ModesCompared: page_of_modes,
}
