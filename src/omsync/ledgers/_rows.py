"""Values as rows of the ledger's tables, and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from omsync.checks import FrozenMapping, shown
from omsync.errors import InvalidValueError, WrongTypeError
from omsync.ports import ListingState, RunRecord
from omsync.serial import from_json, to_json

__all__ = ["run_from_row", "run_row", "state_from_row", "state_row", "time_text"]


def time_text(moment: datetime) -> str:
    """Write a time as the tables hold it, in UTC and always of the same length."""
    if moment.utcoffset() is None:
        raise InvalidValueError(f"A time in the ledger must know its zone, not {shown(moment)}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def run_row(run: RunRecord) -> dict[str, Any]:
    """Write a run as a row, without the process that it belongs to."""
    if not run.run_id:
        raise InvalidValueError("A run in the ledger must have an id", remedy="Give RunRecord(run_id=).")
    for what, number in run.counts.items():
        if type(what) is not str or type(number) is not int:
            raise WrongTypeError(
                f"RunRecord.counts[{what!r}] must be a whole number under a text, not {shown(number)}"
            )
    return {
        "run_id": run.run_id,
        "merchant": run.merchant,
        "cart": run.cart,
        "status": run.status,
        "started_at": _text(run.started_at),
        "finished_at": _text(run.finished_at),
        "last_seen_at": _text(run.last_seen_at),
        "counts": to_json(run.counts),
        "message": run.message,
        "code": run.code,
    }


def run_from_row(row: Sequence[Any]) -> RunRecord:
    """Read a run."""
    run_id, merchant, cart, status, started_at, finished_at, last_seen_at, counts, message, code = row
    return RunRecord(
        run_id=run_id,
        merchant=merchant,
        cart=cart,
        status=status,
        started_at=_moment(started_at),
        finished_at=_moment(finished_at),
        last_seen_at=_moment(last_seen_at),
        counts=from_json(counts, FrozenMapping[int]),
        message=message,
        code=code,
    )


def state_row(merchant: str, cart: str, state: ListingState) -> tuple[Any, ...]:
    """Write what is known of a listing as a row."""
    return (
        merchant,
        cart,
        state.listing_sku,
        state.location_id or "",
        state.desired,
        _text(state.desired_at),
        state.sent,
        _text(state.sent_at),
        state.accepted,
        _text(state.accepted_at),
        state.observed,
        _text(state.observed_at),
    )


def state_from_row(row: Sequence[Any]) -> ListingState:
    """Read what is known of a listing, without merchant and cart."""
    (
        listing_sku,
        location_id,
        desired,
        desired_at,
        sent,
        sent_at,
        accepted,
        accepted_at,
        observed,
        observed_at,
    ) = row
    return ListingState(
        listing_sku=listing_sku,
        location_id=location_id,
        desired=desired,
        desired_at=_moment(desired_at),
        sent=sent,
        sent_at=_moment(sent_at),
        accepted=accepted,
        accepted_at=_moment(accepted_at),
        observed=observed,
        observed_at=_moment(observed_at),
    )
