"""Quarantine's place in a run: what a plan leaves out, what a push adds, what a person looks up and lets out.

What is known of refusals is kept in the ledger's memory of the merchant, by cart. Without a ledger nothing
is known, and every row is tried in every run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import evolve

from omsync.allocation import Notice
from omsync.errors import SettingsError
from omsync.exchange import RunRecord, SinkCapabilities
from omsync.http.steps import Steps
from omsync.planning import SyncPlan
from omsync.planning.lines import HINTS
from omsync.planning.plan import Key, entry_of
from omsync.planning.quarantine import (
    QUARANTINED,
    QuarantinedRow,
    Refusal,
    Release,
    after_push,
    hold_quarantined,
)
from omsync.planning.quarantine_view import Quarantine, noticed
from omsync.pushing import Push
from omsync.remembered import (
    keep,
    kept_as,
    ledger_of,
    name_of,
    place_of,
    recall,
    warn_of_a_stranger,
)
from omsync.report import Outcome
from omsync.runs import Context
from omsync.serial import to_json
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["note_refusals", "quarantine", "quarantined_flow", "release_flow"]

_TAKEN = {"accepted", "not_yet_seen", "accepted_not_applied"}
"""Pending, and the cart said yes."""
_UNANSWERED = {"answer_unknown", "no_answer_for_row"}
_OF_THE_JOB = {"job_cancelled", "job_failed"}
"""Refusals of a whole job; they say nothing about a row of it."""


def quarantine(plan: SyncPlan, cart: CartSettings, context: Context) -> Steps[SyncPlan]:
    """Hold what is in quarantine, before the guardrails look at the plan."""
    if not cart.guardrails.quarantine_after:
        off = Notice(
            reason="quarantine_off",
            message="quarantine_after is switched off: what the cart refuses is sent again in every run",
        )
        return evolve(plan, notices=(*plan.notices, off))
    rows = yield from _rows(plan.merchant, plan.cart, context)
    plan = hold_quarantined(plan, rows, context.clock.now())
    tried = [rows[line.key] for line in plan.changes if line.key in rows]
    held = [rows[line.key] for line in plan.held if line.reason == QUARANTINED]
    return noticed(plan, held, [row for row in tried if row.released is not None])


def note_refusals(
    push: Push, capabilities: SinkCapabilities, run: RunRecord, context: Context
) -> Steps[None]:
    """Note what the cart refused and what it took, and say in the report what is in quarantine now."""
    plan = push.plan
    began = run.started_at
    if context.ledger is None or plan.guardrails is None or began is None:
        return
    before = yield from _rows(plan.merchant, plan.cart, context)
    outcomes = {(one.listing_sku or "", one.location_id): one for one in push.outcomes()}
    refused = _refused(plan, outcomes, before, whole=capabilities.contents == "full")
    unsettled = {line.key for line in plan.lines if not _is_over(outcomes[line.key])}
    if not plan.taken_at:
        # What is put back says nothing about listings that stay as they are.
        unsettled |= before.keys() - {line.key for line in plan.lines}
    after = after_push(
        before,
        refused,
        unsettled,
        rails=plan.guardrails,
        settings_digest=plan.settings_digest,
        at=began,
    )
    news = {entry_of(key): "" for key in before if key not in after}
    news |= {entry_of(key): to_json(row) for key, row in after.items() if before.get(key) != row}
    yield from keep(_place(plan.cart), news, plan.merchant, context)
    push.plan = noticed(plan, [row for row in after.values() if row.is_quarantined])


def quarantined_flow(
    cart: CartSettings | str, merchant: MerchantSettings | str, context: Context
) -> Steps[Quarantine]:
    """Look up what is in quarantine."""
    ledger_of(context)
    owner, name = name_of(merchant), name_of(cart)
    yield from warn_of_a_stranger(owner, name, context)
    rows = yield from _rows(owner, name, context)
    return Quarantine(merchant=owner, cart=name, rows=[row for row in rows.values() if row.is_quarantined])


def release_flow(
    cart: CartSettings | str,
    listing_skus: str | Collection[str] | None,
    by: str,
    reason: str,
    merchant: MerchantSettings | str,
    context: Context,
) -> Steps[Quarantine]:
    """Let rows out of quarantine; the next run tries them."""
    inside = yield from quarantined_flow(cart, merchant, context)
    wanted = {listing_skus} if isinstance(listing_skus, str) else listing_skus
    known = {row.listing_sku for row in inside}
    strange = sorted(set(wanted or ()) - known)
    if strange or (wanted is not None and not wanted):
        named = ", ".join(map(repr, strange[:5]))
        raise SettingsError(
            f"In the quarantine of {inside.merchant} / {inside.cart} there is no {named}"
            if strange
            else "No listing is released",
            code="not_quarantined",
            remedy="quarantined() gives what is; leave the listings out to release all.",
        )
    release = Release(by=by, reason=reason, at=context.clock.now())
    rows = [evolve(row, released=release) for row in inside if wanted is None or row.listing_sku in wanted]
    news = {entry_of(row.key): to_json(row) for row in rows}
    yield from keep(_place(inside.cart), news, inside.merchant, context)
    return evolve(inside, rows=rows)


def _refused(
    plan: SyncPlan, outcomes: Mapping[Key, Outcome], before: Mapping[Key, QuarantinedRow], *, whole: bool
) -> dict[Key, Refusal]:
    """Give what was refused for its own sake.

    A run in which several rows were refused and nothing got through says more about the cart or the settings
    than about its rows, so no row is put in quarantine for it; nor for a refusal of a cart that is sent
    everything at once, ``whole``.
    """
    refused = {
        line.key: Refusal(quantity=line.quantity, shown=one.shown, reason=one.reason, message=one.message)
        for line in plan.lines
        if line.action in {"change", "hold"}
        and (one := outcomes[line.key]).outcome == "rejected"
        and one.reason not in _OF_THE_JOB
    }
    if any(map(_got_through, outcomes.values())) or (len(refused) == 1 and not whole):
        return refused
    return {key: said for key, said in refused.items() if key in before and before[key].is_quarantined}


def _is_over(outcome: Outcome) -> bool:
    """Whether the cart has what it shall show, or is not to be told anything."""
    if outcome.outcome == "pending":
        return outcome.reason in _TAKEN
    if outcome.outcome == "skipped":
        return outcome.reason in HINTS
    return outcome.outcome in {"applied", "unchanged"}


def _got_through(outcome: Outcome) -> bool:
    sent = outcome.outcome == "pending" and outcome.reason not in _UNANSWERED
    return sent or outcome.outcome == "applied" or outcome.repeated is not None


def _rows(merchant: str, cart: str, context: Context) -> Steps[dict[Key, QuarantinedRow]]:
    kept = yield from recall(_place(cart), merchant, context)
    rows = [kept_as(QuarantinedRow, text, _place(cart)) for text in kept.values() if text]
    return {row.key: row for row in rows}


def _place(cart: str) -> str:
    return place_of("quarantine", cart)
