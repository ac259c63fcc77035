"""The tables of a run view that say what waits: held for a person, pending, in quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omsync.allocation.reasons import words
from omsync.views.page import Column, Table
from omsync.views.wording import aged

if TYPE_CHECKING:  # the view lays itself out with this module
    from omsync.views.runs import CartRuns, RunView

__all__ = ["WHO", "held_table", "pending_table", "quarantine_table", "said", "who"]

WHO = (Column(title="merchant", is_key=True), Column(title="cart", is_key=True))
_LISTING = (
    *WHO,
    Column(title="listing", kind="code", is_key=True),
    Column(title="location", kind="code"),
)


def who(row: CartRuns) -> tuple[str, str]:
    """Name the merchant and the cart of a row."""
    return row.merchant, row.cart or "(order manager)"


def held_table(view: RunView) -> Table:
    """List what waits for a person."""
    rows = [(row, one) for row in view for one in row.held]
    return Table(
        title="Held for a person",
        columns=[
            *_LISTING,
            Column(title="shows", kind="number"),
            Column(title="should show", kind="number"),
            Column(title="why"),
            Column(title="since", kind="time"),
            Column(title="what to do"),
        ],
        rows=[
            (
                *who(row),
                one.listing_sku,
                one.location_id or "",
                one.shown,
                one.quantity,
                words(one.reason) if one.reason else "over a guardrail",
                one.since,
                f"approved by {one.approved_by}; the next run sends it"
                if one.approved_by
                else f"look at the plan, approve it by its digest {one.digest}",
            )
            for row, one in rows
        ],
        tones=["good" if one.approved_by else "warning" for _, one in rows],
        tone_words={"good": "approved", "warning": "waits"},
        note="Rises that only wait for a younger reading are counted as held in their run and not listed "
        "here: they go out by themselves.",
        empty="Nothing waits for a person.",
    )


def pending_table(view: RunView) -> Table:
    """List what was sent and not seen since."""
    rows = [(row, one) for row in view for one in row.pending]
    return Table(
        title="Pending",
        columns=[
            *_LISTING,
            Column(title="sent", kind="number"),
            Column(title="last seen", kind="number", hint="what the cart was last seen to show"),
            Column(title="sent at", kind="time"),
            Column(title="age"),
            Column(title="why"),
        ],
        rows=[
            (
                *who(row),
                one.listing_sku,
                one.location_id or "",
                one.quantity,
                one.observed,
                one.since,
                aged(view.at - one.since),
                said(words(one.reason), one.message),
            )
            for row, one in rows
        ],
        empty="Nothing is pending.",
    )


def quarantine_table(view: RunView) -> Table:
    """List what is refused again and again."""
    rows = [(row, one) for row in view for one in row.quarantined]
    return Table(
        title="In quarantine",
        columns=[
            *_LISTING,
            Column(title="shows", kind="number"),
            Column(title="refused", kind="number"),
            Column(title="times", kind="number"),
            Column(title="since", kind="time"),
            Column(title="next try"),
            Column(title="why"),
        ],
        rows=[
            (
                *who(row),
                one.listing_sku,
                one.location_id or "",
                one.shown,
                one.quantity,
                one.tries,
                one.since,
                one.trying,
                one.why,
            )
            for row, one in rows
        ],
        tones=["bad" if one.exposed else "warning" for _, one in rows],
        empty="The cart refuses nothing again and again.",
    )


def said(code: str, message: str) -> str:
    """Join a code and a sentence, as far as they are there."""
    return ": ".join(part for part in (code, message) if part)
