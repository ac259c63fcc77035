"""Values as rows of the ledger's tables, and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from omsync.checks import FrozenMapping, shown
from omsync.errors import InvalidValueError, WrongTypeError
from omsync.ports import ListingState, RunRecord
from omsync.serial import from_json, to_json

__all__ = [
    "MERGE_STATE",
    "STATES",
    "run_from_row",
    "run_row",
    "state_from_row",
    "state_row",
    "text_or_none",
    "time_or_none",
    "time_text",
]

_FIGURES = ("desired", "sent", "accepted", "observed")
_LASTING = ("desired", "observed")
_COLUMNS = (
    "listing_sku",
    "location_id",
    *(name for figure in _FIGURES for name in (figure, f"{figure}_at", f"{figure}_run")),
    *(f"{figure}_since" for figure in _LASTING),
)
# A figure brings its time and its run along, so that a new figure is never dated by an old time.
_MERGED = [
    f"{figure} = coalesce(excluded.{figure}, {figure}), "
    f"{figure}_at = CASE WHEN excluded.{figure} IS NULL THEN {figure}_at ELSE excluded.{figure}_at END, "
    f"{figure}_run = CASE WHEN excluded.{figure} IS NULL THEN {figure}_run ELSE excluded.{figure}_run END"
    for figure in _FIGURES
] + [
    f"{figure}_since = CASE WHEN excluded.{figure} IS NULL THEN {figure}_since "
    f"WHEN excluded.{figure} IS {figure} THEN coalesce({figure}_since, excluded.{figure}_at) "
    f"ELSE excluded.{figure}_at END"
    for figure in _LASTING
]
# What is put together here are the names of columns, each written above; figures are always parameters.
MERGE_STATE = (
    f"INSERT INTO listing_figures (merchant, cart, {', '.join(_COLUMNS)}) "  # noqa: S608  see above
    f"VALUES ({', '.join('?' * (len(_COLUMNS) + 2))}) "
    f"ON CONFLICT (merchant, cart, listing_sku, location_id) DO UPDATE SET {', '.join(_MERGED)}"
)
STATES = (
    f"SELECT {', '.join(_COLUMNS)} FROM listing_states WHERE merchant = ? AND cart = ? "  # noqa: S608  see above
    "ORDER BY listing_sku, location_id"
)


def time_text(moment: datetime) -> str:
    """Write a time as the tables hold it, in UTC and always of the same length."""
    if moment.utcoffset() is None:
        raise InvalidValueError(f"A time in the ledger must know its zone, not {shown(moment)}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def text_or_none(moment: datetime | None) -> str | None:
    """Write a time, if there is one."""
    return None if moment is None else time_text(moment)


def time_or_none(text: str | None) -> datetime | None:
    """Read a time, if there is one."""
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
        "started_at": text_or_none(run.started_at),
        "finished_at": text_or_none(run.finished_at),
        "last_seen_at": text_or_none(run.last_seen_at),
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
        started_at=time_or_none(started_at),
        finished_at=time_or_none(finished_at),
        last_seen_at=time_or_none(last_seen_at),
        counts=from_json(counts, FrozenMapping[int]),
        message=message,
        code=code,
    )


def state_row(merchant: str, cart: str, state: ListingState) -> tuple[Any, ...]:
    """Write what is known of a listing as a row for ``MERGE_STATE``."""
    row: list[Any] = [merchant, cart, state.listing_sku, state.location_id or ""]
    since: list[str | None] = []
    for figure in _FIGURES:
        units, at = getattr(state, figure), text_or_none(getattr(state, f"{figure}_at"))
        row += [units, at, getattr(state, f"{figure}_run")]
        if figure in _LASTING:
            since.append(None if units is None else at)
    return (*row, *since)


def state_from_row(row: Sequence[Any]) -> ListingState:
    """Read what is known of a listing as ``STATES`` gives it."""
    known = dict(zip(_COLUMNS, row, strict=True))
    times = {name: time_or_none(text) for name, text in known.items() if name.endswith(("_at", "_since"))}
    return ListingState(**{**known, **times})
