"""Values as rows of the ledger's tables, and back."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import evolve

from omsync.checks import FrozenMapping, shown
from omsync.errors import DecodeError, InvalidValueError, LedgerError, WrongTypeError
from omsync.model import InventorySnapshot
from omsync.ports import ListingState, RunRecord
from omsync.serial import from_json, snapshot_from_json, snapshot_to_json, to_json
from omsync.settings import MerchantSettings

__all__ = [
    "FIGURES",
    "LASTING",
    "STATE_COLUMNS",
    "begun",
    "ended",
    "merchant_name",
    "only_texts",
    "run_exists",
    "run_from_row",
    "run_row",
    "snapshot_from_bytes",
    "snapshot_to_bytes",
    "state_from_row",
    "state_row",
    "text_or_none",
    "time_or_none",
    "time_text",
    "unknown_run",
]

FIGURES = ("desired", "sent", "accepted", "observed")
LASTING = ("desired", "observed")
STATE_COLUMNS = (
    "listing_sku",
    "location_id",
    *(name for figure in FIGURES for name in (figure, f"{figure}_at", f"{figure}_run")),
    *(f"{figure}_since" for figure in LASTING),
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


def merchant_name(merchant: MerchantSettings | str) -> str:
    """Give the name that a merchant's rows are kept under."""
    return merchant.name if isinstance(merchant, MerchantSettings) else merchant


def begun(run: RunRecord, now: datetime) -> RunRecord:
    """Give a run as it is noted when it begins: in progress, whatever status the record has."""
    began = run.started_at or now
    return evolve(run, status="in_progress", started_at=began, last_seen_at=run.last_seen_at or began)


def ended(run: RunRecord, now: datetime) -> RunRecord:
    """Give a run as it is noted when it ends, with the times that the record lacks."""
    if run.status in {"never", "in_progress"}:
        raise InvalidValueError(f"A run that has ended cannot have the status {run.status!r}")
    at = run.finished_at or now
    return evolve(run, started_at=run.started_at or at, finished_at=at, last_seen_at=at)


def run_exists(run_id: str, ledger: str) -> LedgerError:
    """Say that an id is taken."""
    return LedgerError(
        f"The run {run_id!r} is in the ledger {ledger!r} already",
        code="run_exists",
        remedy="Give every run an id of its own.",
    )


def unknown_run(run_id: str, ledger: str) -> LedgerError:
    """Say that a run has not begun here."""
    return LedgerError(
        f"The ledger {ledger!r} knows no run {run_id!r}",
        code="unknown_run",
        remedy="Begin the run in the same ledger.",
    )


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
    """Write what is known of a listing as a row of ``STATE_COLUMNS``, under its merchant and cart."""
    row: list[Any] = [merchant, cart, state.listing_sku, state.location_id or ""]
    since: list[str | None] = []
    for figure in FIGURES:
        units, at = getattr(state, figure), text_or_none(getattr(state, f"{figure}_at"))
        row += [units, at, getattr(state, f"{figure}_run")]
        if figure in LASTING:
            since.append(None if units is None else at)
    return (*row, *since)


def state_from_row(row: Sequence[Any]) -> ListingState:
    """Read what is known of a listing in the order of ``STATE_COLUMNS``."""
    known = dict(zip(STATE_COLUMNS, row, strict=True))
    times = {name: time_or_none(text) for name, text in known.items() if name.endswith(("_at", "_since"))}
    return ListingState(**{**known, **times})


def snapshot_to_bytes(snapshot: InventorySnapshot) -> bytes:
    """Write a snapshot, compressed."""
    return zlib.compress(snapshot_to_json(snapshot).encode(errors="surrogatepass"), level=1)


def snapshot_from_bytes(content: bytes, *, merchant: str, ledger: str, table: str) -> InventorySnapshot:
    """Read a snapshot."""
    try:
        return snapshot_from_json(zlib.decompress(content).decode(errors="surrogatepass"))
    except (zlib.error, UnicodeDecodeError, DecodeError) as error:
        raise LedgerError(
            f"The last snapshot of {merchant!r} in the ledger {ledger!r} cannot be read: {error}",
            code="snapshot_unreadable",
            remedy=f"Delete the merchant's row from its table {table}; the next read writes a new one.",
        ) from error


def only_texts(entries: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Give the entries of a memory, which are text, all of them."""
    for entry in entries.items():
        for part in entry:
            if type(part) is not str:
                raise WrongTypeError(f"A source's memory keeps text, not {shown(part)}")
    return entries.items()
