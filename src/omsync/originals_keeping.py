"""Keeping what a cart showed before omsync first changed a listing, before the change goes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from omsync.exchange import QuantityChange, RunRecord, SinkCapabilities
from omsync.http.steps import Steps
from omsync.planning import SyncPlan
from omsync.planning.originals import Original, first_shown, originals_place
from omsync.planning.plan import Key, entry_of, key_of
from omsync.remembered import keep, recall, states_of
from omsync.report import Outcome
from omsync.runs import Context
from omsync.serial import to_json

__all__ = ["OriginalsKeeper"]

_NOT_WRITTEN = {"rejected", "conflict", "skipped", "held", "unchanged"}
"""After these omsync has not written the listing: the last two are what a look after a conflict decides."""


class OriginalsKeeper:
    """Keeps the originals of one push. Of a cart that cannot be read nothing is known, and nothing kept.

    Args:
        plan: What is pushed.
        capabilities: The cart's.
        run: The run that pushes it.
        context: Ledger and clock.
    """

    def __init__(
        self, plan: SyncPlan, capabilities: SinkCapabilities, run: RunRecord, context: Context
    ) -> None:
        self._plan = plan
        self._lines = {line.key: line for line in plan.lines}
        self._capabilities = capabilities
        self._run = run
        self._context = context
        self._place = originals_place(plan.cart, capabilities.destination)
        self._known: set[Key] | None = None
        self._own: dict[Key, Original] = {}

    def about_to_send(self, batch: Sequence[QuantityChange]) -> Steps[None]:
        """Keep what the rows' listings show, where omsync has not changed them yet."""
        if self._context.ledger is None or not self._capabilities.readable:
            return
        rows = [row for row in batch if not row.repeated]
        if self._known is None:
            # Before the first row is noted as sent, so that the ledger tells what was sent earlier.
            self._known = yield from self._changed_before()
        known = self._known
        originals = first_shown(
            [row for row in rows if (row.listing_sku, row.location_id) not in known],
            self._lines,
            self._capabilities,
            seen_at=self._context.clock.now(),
            run_id=self._run.run_id,
        )
        # A row that goes out once more in this run was not written before: what it shows now counts.
        news = [one for one in originals if not one.same_as(self._own.get(one.key))]
        self._own |= {one.key: one for one in news}
        yield from self._keep({one.entry: to_json(one) for one in news})

    def came_of(
        self, batch: Sequence[QuantityChange], outcome_of: Callable[[Key], Outcome | None]
    ) -> Steps[None]:
        """Take back what was kept of rows that the cart did not take."""
        keys = {(row.listing_sku, row.location_id) for row in batch} & self._own.keys()
        outcomes = {key: outcome_of(key) for key in keys}
        undone = {key for key, one in outcomes.items() if one is not None and one.outcome in _NOT_WRITTEN}
        yield from self._take_back(undone)

    def not_sent(self, batch: Sequence[QuantityChange]) -> Steps[None]:
        """Take back what was kept of rows that did not go out after all."""
        yield from self._take_back({(row.listing_sku, row.location_id) for row in batch} & self._own.keys())

    def _take_back(self, keys: set[Key]) -> Steps[None]:
        for key in keys:
            del self._own[key]
        yield from self._keep({entry_of(key): "" for key in keys})

    def _changed_before(self) -> Steps[set[Key]]:
        """Name what was kept already, or sent by runs that kept nothing yet; not what was taken back."""
        kept = yield from recall(self._place, self._plan.merchant, self._context)
        states = yield from states_of(self._plan.merchant, self._plan.cart, self._context)
        sent = {(state.listing_sku, state.location_id) for state in states if state.sent is not None}
        back = {key_of(entry) for entry, text in kept.items() if not text}
        return (sent - back) | {key_of(entry) for entry, text in kept.items() if text}

    def _keep(self, news: dict[str, str]) -> Steps[None]:
        yield from keep(self._place, news, self._plan.merchant, self._context)
