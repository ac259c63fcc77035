"""The alerts about single listings: held, pending, refused, written by others, drifting, in doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from omsync.allocation.notices import few
from omsync.checks import counted, to_the_minute
from omsync.convergence import wanted
from omsync.exchange import ListingState
from omsync.settings import PerSalesChannel
from omsync.views.alert import Alert, Case
from omsync.views.known import Known
from omsync.views.pending import PendingRow

__all__ = ["of_figures", "of_listings"]

_NAMED = 20
"""The listings that an alert names; the run view has all."""


class _Row(Protocol):
    @property
    def listing_sku(self) -> str: ...


def of_listings(case: Case, cart: str, known: Known) -> Iterator[Alert]:
    """Give the alerts about the listings of one cart."""
    slow = _slow(case, known)
    yield from _pending(case, cart, known, slow)
    held = [row for row in known.held if not row.approved_by]
    if held:
        message = f"{counted(len(held), 'row')} held for a person by the plan {held[-1].digest}"
        yield _alert(case, "held", cart, message, held, min(row.since for row in held))
    refused = known.quarantined
    if refused:
        exposed = sum(row.exposed for row in refused)
        units = f", {counted(exposed, 'unit')} on sale that are not there" if exposed else ""
        message = f"{counted(len(refused), 'row')} refused again and again{units}"
        since = min(row.since for row in refused)
        yield _alert(case, "quarantined", cart, message, refused, since, critical=exposed > 0)
    if known.turned:
        moments = [one.since for one in known.turned if one.since is not None]
        message = f"another system writes {counted(len(known.turned), 'listing')} of this cart"
        yield _alert(case, "another_writer", cart, message, known.turned, min(moments, default=None))
    drifting = list(_drifting(case, known, slow))
    if drifting:
        states = [state for state, _ in drifting]
        message = f"{counted(len(drifting), 'listing')} seen to show something else than it should"
        yield _alert(case, "drift", cart, message, states, min(since for _, since in drifting))


def of_figures(case: Case) -> Iterator[Alert]:
    """Give the alert about figures of the order manager whose newest answer was lost on its way.

    Only a reading by sales channel can have such, and only for a merchant whose carts do not run well, since
    a run on them is no success.
    """
    if case.settings is not None and not isinstance(case.settings.mode, PerSalesChannel):
        return
    snapshot = case.ledger.last_snapshot(case.merchant)
    if snapshot is None or not snapshot.doubtful:
        return
    products = sorted({sku for sku, _ in snapshot.doubtful})
    yield case.alert(
        "source_answer_lost",
        None,
        f"the newest figures of {counted(len(products), 'product')} were lost on their way: {few(products)}",
        opened=snapshot.taken_at,
        entries=products[:_NAMED],
        number=len(products),
    )


def _slow(case: Case, known: Known) -> list[PendingRow]:
    """Give what was sent too long ago and has no moment by which an answer is due."""
    return [
        row for row in known.pending if row.due is None and case.now - row.waits_since > case.patience.pending
    ]


def _pending(case: Case, cart: str, known: Known, slow: Sequence[PendingRow]) -> Iterator[Alert]:
    late = [(row, row.due) for row in known.pending if row.due is not None and row.due < case.now]
    if late:
        first = min(due for _, due in late)
        what = f"{counted(len(late), 'row')} without the acknowledgement that was due"
        message = f"{what} at {to_the_minute(first)}"
        rows = [row for row, _ in late]
        yield _alert(case, "acknowledgement_overdue", cart, message, rows, first, critical=True)
    if slow:
        message = f"{counted(len(slow), 'row')} sent, and not seen in the cart since"
        yield _alert(case, "pending", cart, message, slow, min(row.waits_since for row in slow))


def _drifting(
    case: Case, known: Known, slow: Sequence[PendingRow]
) -> Iterator[tuple[ListingState, datetime]]:
    """Give the listings that were seen to differ for too long, for no reason that another alert names."""
    due = [row for row in known.pending if row.due is not None]
    named = {
        (row.listing_sku, row.location_id)
        for rows in (known.held, slow, due, known.quarantined, known.turned)
        for row in rows
    }
    for state in wanted(known.states):
        since = max(
            (one for one in (state.observed_since, state.desired_since) if one is not None), default=None
        )
        differs = state.observed is not None and state.observed != state.desired
        if not differs or since is None or (state.listing_sku, state.location_id) in named:
            continue
        if case.now - since > case.patience.drift:
            yield state, since


def _alert(
    case: Case,
    kind: str,
    cart: str,
    message: str,
    rows: Sequence[_Row],
    opened: datetime | None,
    *,
    critical: bool = False,
) -> Alert:
    names = sorted({row.listing_sku for row in rows})
    return case.alert(
        kind,
        cart,
        f"{message}: {few(names)}",
        critical=critical,
        opened=opened,
        entries=names[:_NAMED],
        number=len(rows),
    )
