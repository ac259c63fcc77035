"""The pages of the doctor: a diagnosis, a catalogue's audit, both modes side by side."""

from __future__ import annotations

from collections import Counter

from omsync.allocation.reasons import words
from omsync.checks import counted
from omsync.diagnosis import Audit, Diagnosis, ModesCompared
from omsync.diagnosis.verdict import STATUSES
from omsync.views.page import Chart, Column, Fact, Page, Series, Table

__all__ = ["page_of_audit", "page_of_diagnosis", "page_of_modes"]

_TONES = {"ok": "good", "warning": "warning", "wrong": "bad", "unknown": "quiet"}
_WORDS = {tone: status for status, tone in _TONES.items()}
_DRAWN = 15
"""The largest gaps that are drawn."""


def page_of_diagnosis(diagnosis: Diagnosis) -> Page:
    """Lay out the check list, in its own order."""
    counts = Counter(check.status for check in diagnosis)
    facts = [
        Fact(name=status, value=str(counts[status]), tone=_TONES[status])
        for status in STATUSES
        if counts[status]
    ]
    return Page(
        title=f"Diagnosis of {diagnosis.merchant} / {diagnosis.cart}",
        summary=f"{diagnosis.destination}: {diagnosis.summary}.",
        facts=facts,
        parts=[
            Table(
                title="The check list",
                columns=[
                    Column(title="status"),
                    Column(title="question", is_key=True),
                    Column(title="answer"),
                    Column(title="what to do"),
                ],
                rows=[
                    (check.status, check.question, check.answer, "" if check.status == "ok" else check.remedy)
                    for check in diagnosis
                ],
                tones=[_TONES[check.status] for check in diagnosis],
                tone_words=_WORDS,
            )
        ],
        at=diagnosis.at,
    )


def page_of_audit(audit: Audit) -> Page:
    """Lay out what was found in a catalogue, the worst first."""
    counts = Counter(one.severity for one in audit)
    looked = (
        f"{counted(audit.products, 'product')} and {counted(audit.listings, 'alias', 'aliases')} looked at"
    )
    return Page(
        title="Audit of the catalogue",
        summary=f"{looked}: {counted(len(audit), 'finding')}.",
        facts=[
            Fact(name=severity, value=f"{counts[severity]:,}", tone=_TONES[severity])
            for severity in ("wrong", "warning")
            if counts[severity]
        ],
        parts=[
            Table(
                title="Findings",
                columns=[
                    Column(title="severity"),
                    Column(title="kind"),
                    Column(title="codes", kind="code", is_key=True),
                    Column(title="what was found", is_key=True),
                    Column(title="what to do"),
                ],
                rows=[
                    (one.severity, words(one.kind), ", ".join(one.codes), one.message, one.remedy)
                    for one in audit
                ],
                tones=[_TONES[one.severity] for one in audit],
                tone_words=_WORDS,
                empty="Nothing to look at.",
            )
        ],
    )


def page_of_modes(modes: ModesCompared) -> Page:
    """Lay out where the two modes disagree, the largest gap first."""
    gap = sum(line.gap for line in modes)
    first = modes.lines[:_DRAWN]
    chart = Chart(
        title="The largest gaps",
        labels=[line.listing_sku for line in first],
        series=[
            Series(name="per warehouse", figures=[line.per_warehouse for line in first]),
            Series(name="per sales channel", figures=[line.per_channel for line in first]),
        ],
        unit="pieces",
    )
    return Page(
        title=f"Both modes for {modes.cart}",
        summary=f"The same for {counted(modes.agreed, 'listing')}, different for {len(modes):,}, by {gap:+,} "
        f"in all, when the cart takes the channel {modes.channel} instead of the counted warehouses.",
        parts=[
            Table(
                title="Where the modes differ",
                columns=[
                    Column(title="listing", kind="code", is_key=True),
                    Column(title="product", kind="code", is_key=True),
                    Column(title="per warehouse", kind="number"),
                    Column(title="per sales channel", kind="number"),
                    Column(title="gap", kind="number", hint="what sales-channel mode tells more"),
                    Column(title="why nothing is told"),
                ],
                rows=[
                    (
                        line.listing_sku,
                        line.master_sku,
                        line.per_warehouse,
                        line.per_channel,
                        line.gap,
                        words(line.reason),
                    )
                    for line in modes
                ],
                empty="The modes agree everywhere.",
            ),
            *([chart] if first else []),
        ],
    )
