"""The guardrails' place in a run: what the ledger remembers for them, and the approvals of persons.

Everything is kept in the ledger's memory of the merchant, by cart: the last good reading, since when rows
are held, the plans that held something, and what was approved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import field, frozen

from omsync import checks
from omsync.checks import shown, to_the_second
from omsync.errors import SettingsError, WrongTypeError
from omsync.exchange import ListingState
from omsync.http.steps import Steps
from omsync.model import InventorySnapshot
from omsync.planning import SyncPlan
from omsync.planning.approvals import APPROVABLE, Approval, ApprovedRow, rows_of
from omsync.planning.bindings import is_since
from omsync.planning.guards import (
    CartHistory,
    ReadFigures,
    guard,
    guard_again,
    is_guarded,
    last_known,
    read_figures,
)
from omsync.planning.judges import is_good
from omsync.planning.plan import Key
from omsync.planning.warehouses import unnamed_warehouses
from omsync.remembered import ORIGIN, binding_of, forget, keep, kept_as, place_of, recall, states_of
from omsync.runs import Context
from omsync.serial import to_json
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["HeldPlan", "Waiting", "approve_flow", "guarded", "guarded_again", "guarded_alone"]

_PLANS = 50
"""The plans with held lines that can still be approved by their digest."""
_LETTERS = 4_000_000
"""What they may take in the ledger, in letters; the newest stays in any case."""
_APPROVALS = 200
"""The approvals that are kept, the newest."""
_OF_THE_READING = {"partial_snapshot", "shrunken_snapshot"}
"""The guards that say that a reading is not whole."""
_SCRIPTS_SPAN = timedelta(days=1)
"""How long an approval by ``push_plan(approve=...)`` lets later plans through."""


@frozen(kw_only=True)
class HeldPlan:
    """A plan that held something, as a person may approve it later."""

    digest: str = field(validator=checks.text)
    at: datetime = field(converter=checks.to_utc, validator=checks.moment)
    rows: tuple[ApprovedRow, ...] = field(converter=checks.as_tuple)
    read: ReadFigures | None = None
    """How large its reading was, where the plan says that this is in question; approving it answers that."""
    reasons: tuple[str, ...] = field(default=(), converter=checks.as_tuple)
    """Why each row is held, in their order; empty where an earlier version kept the plan."""
    destination: str = field(default="", validator=checks.any_text)
    """The cart that it was made for; empty where an earlier version kept the plan."""


@frozen(kw_only=True)
class Waiting:
    """Since when rows are held."""

    rows: tuple[tuple[str, str | None, datetime], ...] = field(default=(), converter=checks.as_tuple)


def guarded(
    plan: SyncPlan,
    snapshot: InventorySnapshot,
    states: Iterable[ListingState],
    merchant: MerchantSettings,
    cart: CartSettings,
    context: Context,
    *,
    handed: bool,
) -> Steps[SyncPlan]:
    """Hold what is over the cart's guardrails, and remember what it was judged by.

    Args:
        plan: What ``make_plan`` gave.
        snapshot: Its reading.
        states: What the ledger knows of the cart's listings.
        merchant: Names the warehouses that count.
        cart: Has the limits.
        context: Ledger and clock.
        handed: The caller gave the reading itself, which is the caller's word that it is fresh.
    """
    place = place_of("guardrails", plan.cart)
    memory = yield from recall(place, plan.merchant, context)
    history = yield from _history(memory, states, plan.merchant, plan.cart, context)
    read = read_figures(snapshot)
    now = context.clock.now()
    taken_at = now if handed else snapshot.taken_at
    last = history.read if history.read is not None and history.read.scope == read.scope else None
    unnamed = unnamed_warehouses(snapshot, merchant, cart, None if last is None else last.locations)
    judged = guard(plan, cart.guardrails, history, now, read=read, taken_at=taken_at, unnamed=unnamed)
    held = {line.key for line in judged.held if is_guarded(line)}
    reasons = {line.reason for line in judged.held}
    news = {"history": "first" if history.first and "too_many_zeros" in reasons else "known"}
    # A new warehouse stays new until it is named, or approved with the whole plan.
    still = frozenset[str]() if "new_warehouse" in cart.guardrails.off else unnamed.unknown
    good = is_good(read, history.read, cart.guardrails)
    if good:
        news["read"] = to_json(read.without(still))
    since = [(*key, history.waiting.get(key, now)) for key in sorted(held, key=_order)]
    news["waiting"] = to_json(Waiting(rows=since))
    news = {key: text for key, text in news.items() if memory.get(key) != text}
    yield from keep(place, news, plan.merchant, context)
    # Whoever approves the plan answers what it says of its reading; what it does not name stays in question.
    named = {place.id for place in unnamed.new} if "new_warehouse" in reasons else set[str]()
    told = bool(reasons & _OF_THE_READING) or (good and bool(named))
    yield from _keep_held(judged, now, read.without(still - named) if told else None, context)
    return judged


def guarded_alone(plan: SyncPlan, cart: CartSettings, context: Context) -> Steps[SyncPlan]:
    """Hold what is over the cart's guardrails in a plan that has no reading behind it."""
    now = context.clock.now()
    memory = yield from recall(place_of("guardrails", plan.cart), plan.merchant, context)
    states = yield from states_of(plan.merchant, plan.cart, context)
    history = yield from _history(memory, states, plan.merchant, plan.cart, context)
    judged = guard(plan, cart.guardrails, history, now)
    yield from _keep_held(judged, now, None, context)
    return judged


def guarded_again(plan: SyncPlan, approve: str | None, context: Context) -> Steps[SyncPlan]:
    """Look at a plan again before it is pushed; its approval by digest holds for later plans too.

    Like any approval of a whole plan it says that the plan's reading is good.
    """
    now = context.clock.now()
    if approve is not None:
        rows = rows_of(plan)
        if rows:
            approval = Approval(
                digest=approve,
                by="push_plan",
                reason="its approve argument",
                at=now,
                until=now + _SCRIPTS_SPAN,
                rows=rows,
                destination=plan.destination,
            )
            plans = yield from _plans(plan.merchant, plan.cart, context)
            read = next((one.read for one in plans.values() if one.digest == approve), None)
            yield from _approve(plan.merchant, plan.cart, approval, read, context)
        return guard_again(plan, (), now, approved=True)
    approvals = yield from _approvals(plan.merchant, plan.cart, context)
    return guard_again(plan, approvals, now)


def approve_flow(
    cart: CartSettings | str,
    digest: str,
    by: str,
    reason: str,
    until: datetime | timedelta,
    rows: Collection[Key] | None,
    merchant: MerchantSettings | str,
    context: Context,
) -> Steps[Approval]:
    """Let held lines of a plan through, in this plan and in later ones."""
    name = cart.name if isinstance(cart, CartSettings) else cart
    merchant = merchant.name if isinstance(merchant, MerchantSettings) else merchant
    now = context.clock.now()
    if not isinstance(until, datetime | timedelta):
        raise WrongTypeError(
            f"until is a datetime or a timedelta, not {shown(until)}",
            remedy="Give a span such as timedelta(days=2).",
        )
    plans = yield from _plans(merchant, name, context)
    plan = next((one for one in plans.values() if one.digest == digest), None)
    if plan is None:
        raise SettingsError(
            f"No plan of {merchant} / {name} with held lines has the digest {digest!r}",
            code="unknown_digest",
            remedy="Plan with this ledger, look at the plan, and approve it by its digest.",
        )
    approval = Approval(
        digest=digest,
        by=by,
        reason=reason,
        at=now,
        until=now + until if isinstance(until, timedelta) else until,
        rows=_chosen(plan, rows),
        destination=plan.destination,
    )
    if approval.until <= now:
        raise SettingsError(
            f"The approval would have ended at {to_the_second(approval.until)} already",
            code="approval_ended",
            remedy="Give a moment to come, or a span from now such as timedelta(days=2).",
        )
    whole = rows is None
    yield from _approve(merchant, name, approval, plan.read if whole else None, context)
    return approval


def _keep_held(plan: SyncPlan, now: datetime, read: ReadFigures | None, context: Context) -> Steps[None]:
    """Keep what a plan holds, where it holds something that can be approved."""
    rows = rows_of(plan)
    if rows:
        held = HeldPlan(
            digest=plan.digest,
            at=now,
            rows=rows,
            read=read,
            reasons=[line.reason for line in plan.held if line.reason in APPROVABLE],
            destination=plan.destination,
        )
        yield from _keep_plan(plan, held, context)


def _chosen(plan: HeldPlan, rows: Collection[Key] | None) -> tuple[ApprovedRow, ...]:
    if rows is None:
        return plan.rows
    wanted = set(rows)
    strange = sorted(wanted - {row.key for row in plan.rows}, key=_order)
    if strange or not wanted:
        named = ", ".join(map(repr, strange[:5]))
        raise SettingsError(
            f"The plan {plan.digest} does not hold {named}" if strange else "No row is approved",
            code="not_held",
            remedy="Approve rows that the plan holds; read_approvals() gives those marked in its CSV.",
        )
    return tuple(row for row in plan.rows if row.key in wanted)


def _approve(
    merchant: str, cart: str, approval: Approval, read: ReadFigures | None, context: Context
) -> Steps[None]:
    """Keep an approval; one of a whole plan says that its reading is good."""
    namespace = place_of("approvals", cart)
    kept = yield from recall(namespace, merchant, context)
    if len(kept) >= _APPROVALS:
        newest = dict(sorted(kept.items())[-_APPROVALS // 2 :])
        yield from forget(namespace, merchant, context)
        yield from keep(namespace, newest, merchant, context)
    # Of one moment there may be several, for other rows.
    key = f"{approval.at.isoformat()} {len(kept)} {approval.digest}"
    yield from keep(namespace, {key: to_json(approval)}, merchant, context)
    if read is not None:
        yield from keep(place_of("guardrails", cart), {"read": to_json(read)}, merchant, context)


def _history(
    memory: Mapping[str, str],
    told: Iterable[ListingState],
    merchant: str,
    cart: str,
    context: Context,
) -> Steps[CartHistory]:
    if context.ledger is None:
        return CartHistory()
    states = tuple(told)
    place = place_of("guardrails", cart)
    waiting = kept_as(Waiting, memory.get("waiting", "{}"), place)
    return CartHistory(
        first=_is_first(memory.get("history"), states),
        known=last_known(states),
        read=kept_as(ReadFigures, memory["read"], place) if "read" in memory else None,
        approvals=(yield from _approvals(merchant, cart, context)),
        waiting={(sku, location): since for sku, location, since in waiting.rows},
    )


def _is_first(said: str | None, states: Sequence[ListingState]) -> bool:
    """Whether a push would be the cart's first: that somebody planned, and pushed nothing, is no history."""
    if said == "first":
        return True
    told = any(state.sent is not None or state.accepted is not None for state in states)
    return not told and (said is None or all(state.desired is None for state in states))


def _approvals(merchant: str, cart: str, context: Context) -> Steps[tuple[Approval, ...]]:
    place = place_of("approvals", cart)
    kept = yield from recall(place, merchant, context)
    approvals = [kept_as(Approval, text, place) for text in kept.values()]
    bound = yield from binding_of(ORIGIN, merchant, context)
    return tuple(one for one in approvals if is_since(one.at, bound))


def _plans(merchant: str, cart: str, context: Context) -> Steps[dict[str, HeldPlan]]:
    """Give the plans that can be approved, by the slot they are kept in; emptied slots are left out."""
    place = place_of("held plans", cart)
    kept = yield from recall(place, merchant, context)
    plans = {slot: kept_as(HeldPlan, text, place) for slot, text in kept.items() if text}
    bound = yield from binding_of(ORIGIN, merchant, context)
    return {slot: plan for slot, plan in plans.items() if is_since(plan.at, bound)}


def _keep_plan(plan: SyncPlan, held: HeldPlan, context: Context) -> Steps[None]:
    """Keep a plan in the slot it has, else in a free one, else in the oldest one's."""
    plans = yield from _plans(plan.merchant, plan.cart, context)
    same = [slot for slot, one in plans.items() if one.digest == held.digest]
    free = [slot for slot in map(str, range(_PLANS)) if slot not in plans]
    oldest = sorted(plans, key=lambda slot: plans[slot].at)
    slot = (same or free or oldest)[0]
    news = {slot: to_json(held)}
    others = {other: len(to_json(plans[other])) for other in oldest if other != slot}
    letters = len(news[slot]) + sum(others.values())
    for other, length in others.items():
        if letters > _LETTERS:
            letters -= length
            news[other] = ""
    yield from keep(place_of("held plans", plan.cart), news, plan.merchant, context)


def _order(key: Key) -> tuple[str, str]:
    return key[0], key[1] or ""
