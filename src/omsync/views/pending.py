"""What a cart was sent and has not been seen to show, from what the ledger knows. Nothing is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from attrs import frozen

from omsync.exchange import HistoryEntry, ListingState
from omsync.planning.accepted import is_answered
from omsync.planning.plan import Key
from omsync.ports import HistoryLedger, Ledger

__all__ = ["PendingRow", "pending_of"]

_DUE = re.compile(r"acknowledgement is due by (\d{4}-\d\d-\d\d \d\d:\d\d)Z")
_FEW = 50
"""Of so many listings the history is read one by one."""
_OPEN = {"sent", "pending"}
"""The replies in the history that leave open what the cart shows."""


@frozen(kw_only=True)
class PendingRow:
    """A listing that the cart was sent and has not been seen to show.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        quantity: What was sent.
        observed: What the cart was last seen to show; None when nobody ever looked.
        since: When it was sent.
        reason: ``"answer_unknown"``, ``"not_yet_seen"`` (accepted), or the reply's own word.
        message: What was said.
        due: When its acknowledgement is due, where one is.
        first_sent: When this quantity was first sent, where runs have sent it again since; None: then
            ``since`` is all that is known.
    """

    listing_sku: str
    location_id: str | None
    quantity: int
    observed: int | None
    since: datetime
    reason: str
    message: str = ""
    due: datetime | None = None
    first_sent: datetime | None = None

    @property
    def waits_since(self) -> datetime:
        """From when on the quantity was sent and not seen."""
        return self.first_sent or self.since


def pending_of(ledger: Ledger, merchant: str, cart: str, states: Iterable[ListingState]) -> list[PendingRow]:
    """Give what was sent and not seen since; a reply that the history has says what is not pending."""
    sent = {
        (one.listing_sku, one.location_id): _Sent(state=one, quantity=quantity, at=at)
        for one in states
        if (quantity := one.sent) is not None and (at := one.sent_at) is not None
    }
    waiting = {key: one for key, one in sent.items() if one.is_open}
    if not waiting:
        return []
    replies = _replies(ledger, merchant, cart, waiting)
    firsts = _firsts(ledger, merchant, cart, waiting)
    rows = []
    for key, one in waiting.items():
        entry = None if is_answered(one.state) else replies.get(key)
        if entry is not None and entry.status not in _OPEN:
            continue
        reason = "not_yet_seen" if is_answered(one.state) else "answer_unknown"
        if entry is not None:
            reason = entry.reason or (reason if entry.status == "sent" else entry.status)
        rows.append(
            PendingRow(
                listing_sku=key[0],
                location_id=key[1],
                quantity=one.quantity,
                observed=one.state.observed,
                since=one.at,
                reason=reason,
                message="" if entry is None else entry.message,
                due=None if entry is None else _due(entry.message),
                first_sent=firsts.get(key),
            )
        )
    return sorted(rows, key=lambda row: (row.since, row.listing_sku, row.location_id or ""))


@frozen(kw_only=True)
class _Sent:
    """What is known of a listing that something was sent to."""

    state: ListingState
    quantity: int
    at: datetime

    @property
    def again_since(self) -> datetime | None:
        """From when on runs may have sent this quantity again and again, and the cart showed another."""
        state = self.state
        moments = (state.desired_since, state.observed_since)
        since = max((one for one in moments if one is not None), default=None)
        return since if state.desired == self.quantity and since is not None and since < self.at else None

    @property
    def is_open(self) -> bool:
        """Whether it was not seen since; of a cart that nobody can look into, accepting is all."""
        state = self.state
        seen_at = state.observed_at
        if not is_answered(state):
            return not (seen_at is not None and seen_at > self.at and state.observed == self.quantity)
        if state.observed is None or state.observed == self.quantity:
            return False
        return seen_at is None or state.accepted_at is None or seen_at <= state.accepted_at


def _replies(
    ledger: Ledger, merchant: str, cart: str, waiting: Mapping[Key, _Sent]
) -> dict[Key, HistoryEntry]:
    keeper: object = ledger
    if not isinstance(keeper, HistoryLedger):
        return {}
    first = min(one.at for one in waiting.values())
    replies = {}
    for entry in keeper.history(merchant, cart, None, first):
        key = (entry.listing_sku, entry.location_id)
        if key in waiting and waiting[key].state.sent_run == entry.run_id:
            replies[key] = entry
    return replies


def _firsts(ledger: Ledger, merchant: str, cart: str, waiting: Mapping[Key, _Sent]) -> dict[Key, datetime]:
    """Tell when what runs send again and again was first sent, as far as there is a history."""
    keeper: object = ledger
    again = {key: since for key, one in waiting.items() if (since := one.again_since) is not None}
    if not again or not isinstance(keeper, HistoryLedger):
        return {}
    skus: list[str | None] = [*sorted({sku for sku, _ in again})]
    # Of many listings the whole history is read once, of a few theirs.
    asked = skus if len(skus) <= _FEW else [None]
    first = min(again.values())
    firsts: dict[Key, datetime] = {}
    for entry in (one for sku in asked for one in keeper.history(merchant, cart, sku, first)):
        key = (entry.listing_sku, entry.location_id)
        if key in again and entry.sent_at >= again[key] and entry.quantity == waiting[key].quantity:
            firsts.setdefault(key, entry.sent_at)
    return firsts


def _due(message: str) -> datetime | None:
    found = _DUE.search(message)
    return None if found is None else datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
