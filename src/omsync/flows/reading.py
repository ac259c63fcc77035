"""Reading the order manager: the first of the founding document's two legs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol, cast, runtime_checkable

from omsync.bindings_flow import bind_source, check_reading_of, check_source
from omsync.errors import LeaseHeldError, SettingsError, SnapshotError
from omsync.exchange import RunRecord
from omsync.flows.arguments import Source, check_reading
from omsync.http.counting import Tally
from omsync.http.steps import Steps, call
from omsync.leases import Hold, take_lease, with_signs_of_life
from omsync.model import InventorySnapshot
from omsync.planning.bindings import is_unread
from omsync.ports import ReadRequest, SourceMemory
from omsync.remembered import ORIGIN, binding_of
from omsync.runs import Context, finish, new_run
from omsync.settings import MerchantSettings, PerSalesChannel

__all__ = ["read_flow", "snapshot_of"]

log = logging.getLogger("omsync")


@runtime_checkable
class _ReadsInSteps(Protocol):
    def read_steps(self, request: ReadRequest, /) -> Steps[InventorySnapshot]: ...


def read_flow(source: Source, merchant: MerchantSettings, context: Context) -> Steps[InventorySnapshot]:
    """Read the order manager: the first of the founding document's two legs."""
    check_reading(source, merchant)
    run = new_run(merchant.name, None, context)
    hold, memory = yield from _reading(run, merchant, context)
    try:
        return (yield from _read(run, source, merchant, memory, hold, context))
    finally:
        yield from hold.release()


def snapshot_of(
    source: Source | InventorySnapshot | None, merchant: MerchantSettings, context: Context
) -> Steps[InventorySnapshot]:
    """Give the snapshot that was handed over, else read it, else take the ledger's last one."""
    if isinstance(source, InventorySnapshot):
        return source
    if source is not None:
        return (yield from read_flow(source, merchant, context))
    last = None
    if context.ledger is not None:
        last = yield from call(context.ledger.last_snapshot, merchant)
    # After a change of account, the last read is the other one's.
    if last is None or is_unread((yield from binding_of(ORIGIN, merchant.name, context))):
        raise SnapshotError(
            f"The merchant {merchant.name!r} has no complete read yet, so nothing is pushed",
            code="no_complete_read",
            remedy="Run read_inventory() with the same ledger first, or give a source.",
        )
    return last


def _reading(
    run: RunRecord, merchant: MerchantSettings, context: Context
) -> Steps[tuple[Hold, SourceMemory | None]]:
    """Give a read its lease and its memory: only one read at a time may go on with what is remembered."""
    ledger = context.ledger
    try:
        hold = yield from take_lease(run, context)
    except LeaseHeldError as error:
        if isinstance(merchant.mode, PerSalesChannel):
            log.warning("%s", error)
            raise
        # Reading warehouses changes nothing there, so it may be done twice, each time from the beginning.
        log.info("%s; this read is one of its own", error.message)
        return Hold(run, context, None), None
    return hold, None if ledger is None else hold.fenced(ledger.memory(merchant.name))


def _read(
    run: RunRecord,
    source: Source,
    merchant: MerchantSettings,
    memory: SourceMemory | None,
    hold: Hold,
    context: Context,
) -> Steps[InventorySnapshot]:
    ledger, tally = context.ledger, Tally()
    previous = None
    if ledger is not None:
        yield from call(ledger.begin_run, run)
    try:
        bound = yield from check_source(source, merchant.name, context)
        if ledger is not None:
            previous = yield from call(ledger.last_snapshot, merchant)
        request = ReadRequest(
            merchant=merchant,
            now=context.clock.now(),
            memory=memory,
            previous=None if is_unread(bound) else previous,
            on_progress=with_signs_of_life(run, context, hold),
            deadline=context.deadline,
        )
        snapshot = yield from tally.over(_read_source(source, request))
        _check_snapshot(snapshot, merchant)
        check_reading_of(snapshot, previous, bound, merchant.name)
        if ledger is not None:
            yield from call(ledger.save_snapshot, merchant.name, snapshot)
            yield from bind_source(source, bound, merchant.name, context)
    except BaseException as error:
        yield from finish(run, context, "failed", {}, error)
        raise
    counts = {
        "products": len(snapshot.skus),
        "aliases": len(snapshot.aliases),
        "locations": len(snapshot.places),
        "stock_records": len(snapshot.levels),
        **({"calls": tally.requests} if tally.requests else {}),
    }
    yield from finish(run, context, "success", counts, None)
    return snapshot


def _read_source(source: Source, request: ReadRequest) -> Steps[InventorySnapshot]:
    if isinstance(source, _ReadsInSteps):
        return (yield from source.read_steps(request))
    return (yield from call(cast("Callable[[ReadRequest], InventorySnapshot]", source.read), request))


def _check_snapshot(snapshot: object, merchant: MerchantSettings) -> None:
    if not isinstance(snapshot, InventorySnapshot):
        raise SettingsError(
            f"The source gave {type(snapshot).__name__} instead of an InventorySnapshot",
            code="not_a_snapshot",
            remedy="A source's read() returns a whole InventorySnapshot, or raises.",
        )
    wanted = "channel" if isinstance(merchant.mode, PerSalesChannel) else "warehouse"
    if snapshot.scope != wanted:
        raise SettingsError(
            f"The merchant {merchant.name!r} wants figures per {wanted}; "
            f"the source gave them per {snapshot.scope}",
            code="mode_mismatch",
            remedy="Set the merchant's mode to what the source gives, or read with another source.",
        )
