"""Once over for many carts: one reading, then each cart's own way, side by side."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from attrs import evolve

from omsync.allocation import Allocation, Desk
from omsync.checks import shown
from omsync.errors import InvalidValueError, OmsyncError, SettingsError
from omsync.flows.ahead import Ahead, look_ahead
from omsync.flows.arguments import Sink, Source, check_arguments, pairs
from omsync.flows.reading import snapshot_of
from omsync.flows.syncing import sync_flow
from omsync.http.steps import Steps, together
from omsync.model import InventorySnapshot
from omsync.orders_flow import GivenOrders, OrdersRead, read_orders
from omsync.ports import Progress
from omsync.report import SyncReport
from omsync.resume_flow import reading_to_go_on_with
from omsync.runs import Context
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["AT_ONCE", "sync_many_flow"]

log = logging.getLogger("omsync")

AT_ONCE = 8
"""Carts at once where nobody says otherwise: carts make one wait, and each takes memory for its plan."""


def sync_many_flow(
    source: Source | InventorySnapshot | None,
    carts: Iterable[tuple[Sink, CartSettings]],
    merchant: MerchantSettings,
    orders_in_flight: GivenOrders | OrdersRead | None,
    context: Context,
    *,
    resume: bool = True,
    at_once: int = AT_ONCE,
) -> Steps[tuple[SyncReport, ...]]:
    """Read once and sync many carts; one cart's failure is its own report and stops no other.

    With ``resume``, all of them go on from the reading of a run that died on its way into one of them.
    """
    checked = pairs(carts)
    for sink, cart in checked:
        check_arguments(sink, cart, merchant, source)
    _check_many([cart.name for _, cart in checked], at_once)
    snapshot = None
    if resume and not isinstance(source, InventorySnapshot):
        ready = [(sink.capabilities, cart) for sink, cart in checked if cart.enabled]
        snapshot = yield from reading_to_go_on_with(source, ready, merchant, context)
    ahead: list[Ahead | None] = [None] * len(checked)
    if snapshot is None:
        # One after another is all in the caller's thread.
        for number, (sink, cart) in enumerate(checked[:at_once] if at_once > 1 else ()):
            ahead[number] = yield from look_ahead(source, sink, cart, merchant, context)
        snapshot = yield from snapshot_of(source, merchant, context)
    orders = yield from read_orders(
        orders_in_flight, snapshot, [cart for _, cart in checked], merchant, context
    )
    fetched = not isinstance(source, InventorySnapshot)
    names = [cart.name for _, cart in checked]
    reports: dict[str, SyncReport] = {}
    works = [
        _noted(
            cart.name,
            sync_flow(
                snapshot, sink, cart, merchant, orders, of_cart, fetched=fetched, resume=resume, ahead=look
            ),
            reports,
        )
        for (sink, cart), of_cart, look in zip(checked, _contexts(names, context), ahead, strict=True)
    ]
    try:
        yield from together(works, at_once=at_once)
    except BaseException as error:
        told = tuple(reports[name] for name in names if name in reports)
        error.omsync_reports = told  # type: ignore[attr-defined]  # any exception may pass here
        raise
    return tuple(reports[name] for name in names)


def _noted(name: str, syncing: Steps[SyncReport], reports: dict[str, SyncReport]) -> Steps[None]:
    """Keep a cart's report; of one that fails too, so that only an interrupt goes on."""
    try:
        reports[name] = yield from syncing
    except BaseException as error:
        # Every error has a report; an interrupt has none that came before the run began, or after it ended.
        if hasattr(error, "omsync_report"):
            reports[name] = error.omsync_report
        if not isinstance(error, Exception):
            raise
        if not isinstance(error, OmsyncError):  # a user's own sink may raise anything
            log.exception("The cart %r failed", name)


def _check_many(names: Sequence[str], at_once: object) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(
            f"Carts are named alike: {', '.join(map(repr, twice))}",
            code="carts_named_alike",
            remedy="The ledger is keyed by the cart's name; give each its own.",
        )
    if not isinstance(at_once, int) or isinstance(at_once, bool) or at_once < 1:
        raise InvalidValueError(
            f"at_once is a whole number from 1 on, not {shown(at_once)}",
            remedy="Give the number of carts that may be worked on at once; 1 is one after another.",
        )


def _contexts(names: Iterable[str], context: Context) -> list[Context]:
    """Give each cart a context of its own, of which only what is safe to share is shared."""
    turn = threading.Lock()
    desk = _OneDesk()

    def progress_of(name: str, tell: Progress) -> Progress:
        def on_progress(stage: str, done: int, total: int | None) -> None:
            with turn:
                tell(f"{name}: {stage}", done, total)

        return on_progress

    tell = context.on_progress
    return [
        evolve(context, desk=desk, on_progress=None if tell is None else progress_of(name, tell))
        for name in names
    ]


class _OneDesk(Desk):
    """A desk that carts come to at the same time: one is served at a time, since all share its groundwork."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.Lock()

    def allocate(self, *given: Any, **more: Any) -> Allocation:
        """Decide what every listing of a cart is told; as ``omsync.allocate``."""
        with self._turn:
            return super().allocate(*given, **more)
