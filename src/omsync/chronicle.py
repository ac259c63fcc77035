"""What a push leaves in the history: each quantity that goes out, why it is that, and the reply to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import AttrsInstance, evolve, fields, has

from omsync.errors import NoExplanationError
from omsync.exchange import HistoryEntry, PushResult, QuantityChange, RunRecord
from omsync.http.steps import Steps, call
from omsync.planning import SyncPlan
from omsync.planning.plan import PUT_BACK, Key
from omsync.ports import HistoryLedger
from omsync.report import Outcome
from omsync.runs import Context
from omsync.serial import to_json
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["Chronicle", "settings_digest"]

_STATUSES = {"applied": "accepted", "held": "skipped", "unchanged": "skipped"}
"""By outcome, the reply's status where that has another name."""


class Chronicle:
    """The history of one push; with a ledger that keeps none, nothing is written down.

    What a cart is sent each time without being decided anew is left out.

    Args:
        plan: What is pushed.
        digest: Names the plan as it was made, or approved.
        run: The run that pushes it.
        context: Ledger and clock.
    """

    def __init__(self, plan: SyncPlan, digest: str, run: RunRecord, context: Context) -> None:
        self._plan = plan
        self._digest = digest
        self._run = run
        ledger: object = context.ledger
        self._ledger = ledger if isinstance(ledger, HistoryLedger) else None
        self._context = context
        self._lines = {line.key: line for line in plan.lines}
        self._entries: dict[Key, HistoryEntry] = {}

    def sent(self, batch: Iterable[QuantityChange]) -> Steps[None]:
        """Write down that the rows are about to go out."""
        if self._ledger is not None:
            decided = [change for change in batch if not change.repeated]
            self._entries = yield from call(
                lambda: {(one.listing_sku, one.location_id): self._entry(one) for one in decided}
            )
            yield from self._write(self._entries.values())

    def answered(self, batch: Sequence[QuantityChange], results: Iterable[PushResult]) -> Steps[None]:
        """Write down the cart's replies; a row without one stays as sent."""
        more = {(row.listing_sku, row.location_id): row.quantity - row.available for row in batch}
        yield from self._write(
            evolve(
                self._entries[key],
                status=result.status,
                echo=None if result.echo is None else result.echo - more[key],
                reason=result.reason,
                message=result.message,
            )
            for result in results
            if (key := (result.listing_sku, result.location_id)) in self._entries
        )

    def failed(self, outcome_of: Callable[[Key], Outcome | None]) -> Steps[None]:
        """Write down what is known after an error; rows that will go out again have no outcome yet."""
        outcomes = {key: outcome_of(key) for key in self._entries}
        yield from self._write(
            evolve(
                self._entries[key],
                status=_STATUSES.get(outcome.outcome, outcome.outcome),
                reason=outcome.reason,
                message=outcome.message,
            )
            for key, outcome in outcomes.items()
            if outcome is not None
        )

    def not_sent(self) -> Steps[None]:
        """Write down that the rows did not go out after all."""
        yield from self._write(
            evolve(entry, status="skipped", reason="not_sent") for entry in self._entries.values()
        )

    def _entry(self, change: QuantityChange) -> HistoryEntry:
        more = change.quantity - change.available
        line = self._lines[change.listing_sku, change.location_id]
        # A held line that goes out was let through together with all the others.
        approved_by = f"the plan's digest {self._digest}" if line.action == "hold" else line.approved_by
        summary, explanation = (line.why_gone, "") if line.gone else self._why(change)
        return HistoryEntry(
            run_id=self._run.run_id,
            listing_sku=change.listing_sku,
            location_id=change.location_id,
            sent_at=self._context.clock.now(),
            quantity=change.available,
            shown=None if change.shown is None else change.shown - more,
            settings_digest=self._plan.settings_digest,
            plan_digest=self._digest,
            approved_by=approved_by,
            summary=summary,
            explanation=explanation,
        )

    def _why(self, change: QuantityChange) -> tuple[str, str]:
        try:
            explanation = self._plan.explain(change.listing_sku, change.location_id)
        except NoExplanationError as error:
            return (error.message if error.code == PUT_BACK else ""), ""
        return explanation.summary, to_json(explanation)

    def _write(self, entries: Iterable[HistoryEntry]) -> Steps[None]:
        known = list(entries)
        if known and self._ledger is not None:
            yield from call(self._ledger.record_history, self._plan.merchant, self._plan.cart, known)


def settings_digest(merchant: MerchantSettings, cart: CartSettings) -> str:
    """Name settings by their content: equal settings have equal digests, in every process."""
    content = [_plain(merchant, MerchantSettings), _plain(cart, CartSettings)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _plain(value: Any, kind: type[AttrsInstance] | None = None) -> Any:
    """Give a setting as JSON knows it; with a class, only the fields that this class has."""
    if kind is not None or has(type(value)):
        parts = {one.name: _plain(getattr(value, one.name)) for one in fields(kind or type(value))}
        return [(kind or type(value)).__name__, parts]
    if isinstance(value, Mapping):
        return sorted([key, _plain(one)] for key, one in value.items())
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, int) else str(value)
