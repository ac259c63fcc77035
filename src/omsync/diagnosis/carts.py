"""The questions about the cart's side: is it on, does it answer, does it know the listings, what is held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from omsync.allocation.notices import few
from omsync.allocation.reasons import words
from omsync.checks import counted
from omsync.diagnosis.evidence import Evidence
from omsync.diagnosis.likeness import plain_form
from omsync.diagnosis.order_manager import failed, hours, unanswered, why_no_plan
from omsync.diagnosis.verdict import Check
from omsync.errors import NoExplanationError
from omsync.planning import SyncPlan
from omsync.planning.lines import HINTS
from omsync.planning.quarantine import QUARANTINED

__all__ = ["questions"]

_NOT_COUNTED = ("untracked_in_cart", "duplicate_in_cart", "unmanaged_in_cart", "allocated_unknown")
_BAD = {"failed", "died"}
_OF_A_PLAN = {
    "cart": "Does the cart answer?",
    "cart_match": "Does the cart know the listings?",
    "cart_tracking": "Does the cart count their stock?",
    "rules": "Do rules hide stock?",
    "guardrails": "Is anything held back?",
}
_WHY = "Why does {} show what it shows?"


def questions(evidence: Evidence) -> Iterator[Check]:
    """Answer what can be said of the cart."""
    yield _is_on(evidence)
    yield _ledger(evidence)
    if evidence.plan is not None and evidence.plan.enabled:
        yield _cart(evidence, evidence.plan)
        yield _match(evidence.plan)
        yield _tracking(evidence.plan)
        yield _rules(evidence, evidence.plan)
        yield _held(evidence.plan)
    elif evidence.plan_error is not None:
        yield failed("cart", _OF_A_PLAN["cart"], evidence.plan_error)
        rest = {key: question for key, question in _OF_A_PLAN.items() if key != "cart"}
        yield from unanswered(rest, why_no_plan(evidence))
    else:
        yield from unanswered(_OF_A_PLAN, why_no_plan(evidence))
    yield _quarantine(evidence)
    yield _writes(evidence)
    if evidence.listing_sku is not None:
        yield from _listing_asked_about(evidence.listing_sku, evidence)


def _listing_asked_about(listing_sku: str, evidence: Evidence) -> Iterator[Check]:
    if evidence.plan is None or not evidence.plan.enabled:
        question = _WHY.format(listing_sku)
        yield from unanswered({"listing": question}, why_no_plan(evidence))
    else:
        yield _listing(listing_sku, evidence.plan)


def _is_on(evidence: Evidence) -> Check:
    key, question = "cart_upload", "Is the cart synced?"
    if not evidence.cart.enabled:
        remedy = "Set enabled=True to sync it."
        answer = "it is switched off in its settings"
        return Check(key=key, question=question, status="wrong", answer=answer, remedy=remedy)
    if not evidence.runs:
        answer = "no run of it is known" if evidence.has_ledger else "without a ledger nobody knows"
        remedy = "Run sync_cart() with this ledger."
        return Check(key=key, question=question, status="unknown", answer=answer, remedy=remedy)
    last = evidence.runs[0]
    seen = last.finished_at or last.last_seen_at or last.started_at
    ago = "" if seen is None else f" {hours(evidence.now - seen)} ago"
    answer = f"the last run: {last.status.replace('_', ' ')}{ago}"
    if last.message and last.status != "success":
        answer += f": {last.message}"
    if last.status in _BAD:
        remedy = "Put right what the message says, and run again; nothing that was noted is lost."
        return Check(key=key, question=question, status="wrong", answer=answer, remedy=remedy, code=last.code)
    often = evidence.cart.frequency
    if often is not None and last.status != "in_progress" and often.is_due(last.started_at, evidence.now):
        answer += f"; a run is due {often}"
        remedy = "See whether what calls sync_cart() still runs."
        return Check(key=key, question=question, status="warning", answer=answer, remedy=remedy)
    status = "warning" if last.status == "partial" else "ok"
    remedy = (
        "Look at what was rejected, held or skipped: its report, or run_view()." if status != "ok" else ""
    )
    return Check(key=key, question=question, status=status, answer=answer, remedy=remedy)


def _ledger(evidence: Evidence) -> Check:
    key, question = "ledger", "Is there a ledger?"
    if evidence.ledger_error is not None:
        return failed(key, question, evidence.ledger_error)
    if evidence.has_ledger:
        return Check(key=key, question=question, status="ok", answer="yes")
    return Check(
        key=key,
        question=question,
        status="warning",
        answer="no: sales between reads, other writers, quarantine and dead runs go unnoticed",
        remedy="Give one, such as SqliteLedger('omsync.db'), to every call.",
    )


def _cart(evidence: Evidence, plan: SyncPlan) -> Check:
    key, question = "cart", _OF_A_PLAN["cart"]
    if not evidence.capabilities.readable:
        answer = f"{plan.destination} cannot be read; what it was last told stands in"
        return Check(key=key, question=question, status="ok", answer=answer)
    shown = sum(line.basis == "cart" for line in plan.lines)
    answer = f"{plan.destination} shows {counted(shown, 'listing')} of {len(plan.lines):,}"
    return Check(key=key, question=question, status="ok", answer=answer)


def _match(plan: SyncPlan) -> Check:
    key, question = "cart_match", _OF_A_PLAN["cart_match"]
    missing = sorted({line.listing_sku for line in plan.lines if line.reason == "not_in_cart"})
    every = {line.listing_sku for line in plan.lines}
    answer = f"{len(every) - len(missing):,} of {counted(len(every), 'listing')}"
    if not missing:
        return Check(key=key, question=question, status="ok", answer=answer)
    forms = {plain_form(code): code for code in plan.cart_only}
    near = [f"{code!r} (it has {forms[plain_form(code)]!r})" for code in missing if plain_form(code) in forms]
    if near:
        answer += f"; {len(near):,} differ only in how they are written: {', '.join(near[:3])}"
        remedy = "Make the codes equal, in the cart or in the order manager."
    else:
        answer += f"; not {few(missing)}"
        remedy = HINTS["not_in_cart"]
    status = "wrong" if near or len(missing) == len(every) else "warning"
    return Check(
        key=key, question=question, status=status, answer=answer, remedy=remedy, entries=tuple(missing)
    )


def _tracking(plan: SyncPlan) -> Check:
    key, question = "cart_tracking", _OF_A_PLAN["cart_tracking"]
    found = [line for line in plan.lines if line.reason in _NOT_COUNTED]
    if not found:
        return Check(key=key, question=question, status="ok", answer="yes")
    counts = Counter(words(line.reason) for line in found)
    answer = ", ".join(f"{number:,} {word}" for word, number in counts.most_common())
    entries = tuple(sorted({line.listing_sku for line in found}))
    return Check(
        key=key, question=question, status="wrong", answer=answer, remedy=found[0].hint, entries=entries
    )


def _rules(evidence: Evidence, plan: SyncPlan) -> Check:
    key, question = "rules", _OF_A_PLAN["rules"]
    told = {line.key: line.quantity for line in plan.lines}
    bare = evidence.without_rules
    rows = [] if bare is None else bare.quantities
    zeroed = sorted(
        row.listing_sku
        for row in rows
        if row.quantity > 0 and told.get((row.listing_sku, row.location_id)) == 0
    )
    if not zeroed:
        return Check(key=key, question=question, status="ok", answer="no listing is at 0 because of a rule")
    rules = evidence.cart.rules
    answer = f"at 0 because of the rules: {counted(len(zeroed), 'listing')}, {few(zeroed)}"
    cause = f"zero_below={rules.zero_below}" if rules.zero_below else "the rules and overrides"
    return Check(
        key=key,
        question=question,
        status="warning",
        answer=answer,
        remedy=f"Look at {cause} of the cart's settings, and explain one of them.",
        entries=tuple(zeroed),
    )


def _held(plan: SyncPlan) -> Check:
    key, question = "guardrails", _OF_A_PLAN["guardrails"]
    held = [line for line in plan.held if line.reason != QUARANTINED]
    if not held:
        return Check(key=key, question=question, status="ok", answer="nothing")
    counts = Counter(words(line.reason) for line in held)
    answer = ", ".join(f"{number:,} {word}" for word, number in counts.most_common())
    hint = next((line.hint for line in held if line.hint), "")
    entries = tuple(sorted({line.listing_sku for line in held}))
    return Check(key=key, question=question, status="warning", answer=answer, remedy=hint, entries=entries)


def _quarantine(evidence: Evidence) -> Check:
    key, question = "quarantine", "Does the cart refuse rows?"
    if not evidence.has_ledger:
        return Check(key=key, question=question, status="unknown", answer="without a ledger nobody knows")
    if not evidence.quarantined:
        return Check(key=key, question=question, status="ok", answer="none is in quarantine")
    answer = f"in quarantine: {counted(evidence.quarantined, 'row')}"
    remedy = "Look at quarantined(ledger, cart): it has the cart's own words; release() tries one at once."
    return Check(key=key, question=question, status="warning", answer=answer, remedy=remedy)


def _writes(evidence: Evidence) -> Check:
    key, question = "cart_writes", "Can the cart refuse a write that comes too late?"
    can = evidence.capabilities
    answers = {
        "cas": "yes, it compares the quantity",
        "version": "yes, it compares a version",
        "blind": "no: it is compared, then written; a sale in between is corrected by the next run",
    }
    more = "; telling it 0 takes the listing down" if can.zero_ends_listing else ""
    return Check(key=key, question=question, status="ok", answer=answers[can.compare_and_set] + more)


def _listing(listing_sku: str, plan: SyncPlan) -> Check:
    key, question = "listing", _WHY.format(listing_sku)
    lines = [line for line in plan.lines if line.listing_sku == listing_sku]
    lines = lines or [line for line in plan.lines if line.master_sku == listing_sku]
    if lines:
        said = []
        for line in lines:
            place = f" at {line.location_id}" if line.location_id else ""
            shows = "not known" if line.shown is None else str(line.shown)
            why = _why(line.location_id, line.listing_sku, plan)
            name = "it" if line.listing_sku == listing_sku else line.listing_sku
            said.append(f"{name} shows {shows}{place} and shall show {line.quantity} ({why})")
        bad = next((line for line in lines if line.action in {"skip", "hold"}), None)
        status = "ok" if bad is None else "warning"
        return Check(
            key=key,
            question=question,
            status=status,
            answer="; ".join(said) + (f"; {words(bad.reason)}" if bad else ""),
            remedy=bad.hint if bad else "",
            entries=tuple(sorted({line.master_sku for line in lines})),
        )
    for one in plan.skipped:
        if listing_sku in {one.listing_sku, one.master_sku}:
            return Check(
                key=key, question=question, status="wrong", answer=words(one.reason), remedy=one.hint,
                entries=(one.master_sku,),
            )  # fmt: skip
    if listing_sku in plan.cart_only:
        return Check(
            key=key,
            question=question,
            status="wrong",
            answer="only the cart has it, and keeps what it shows: no product or alias has this code",
            remedy="Add an alias of this code to its product in the order manager.",
        )
    codes = {line.listing_sku for line in plan.lines} | set(plan.cart_only)
    near = sorted(code for code in codes if plain_form(code) == plain_form(listing_sku))
    answer = f"nothing is told of it; there is {few(near)}" if near else "no such listing is known"
    remedy = (
        "Check the code, sign by sign." if near else "Check the alias in the order manager, and the code."
    )
    return Check(key=key, question=question, status="wrong", answer=answer, remedy=remedy)


def _why(location_id: str | None, listing_sku: str, plan: SyncPlan) -> str:
    try:
        return plan.explain(listing_sku, location_id).summary
    except NoExplanationError as error:
        return error.message
