"""The questions about the order manager: does it answer, how old are its figures, what can be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from omsync.allocation.locations import choose_locations
from omsync.allocation.notices import few
from omsync.checks import counted, to_the_second
from omsync.diagnosis.evidence import Evidence
from omsync.diagnosis.verdict import Check
from omsync.errors import OmsyncError
from omsync.settings import PerSalesChannel

__all__ = ["failed", "hours", "questions", "unanswered", "why_no_plan"]

_AHEAD = timedelta(minutes=2)
"""So far two machines' clocks may be apart without harm."""
_OF_A_READING = {
    "reading_age": "Are its figures fresh?",
    "locations": "Which locations count for this cart?",
}
_OF_PRODUCTS = {
    "alias": "Do the products have the cart's alias?",
    "bundles": "Do the bundles have what they need?",
    "exclusions": "Is anything left out on purpose?",
    "stock_records": "Do the products have stock records?",
}
_FEW = 5
"""The locations that an answer names."""
_MOST_WITHOUT = 50
"""From this share of products without a listing on it is worth a warning, in percent."""


def questions(evidence: Evidence) -> Iterator[Check]:
    """Answer what can be said of the order manager."""
    yield _reading(evidence)
    if evidence.snapshot is not None:
        yield _age(evidence, evidence.snapshot.taken_at)
        yield _locations(evidence)
    else:
        yield from unanswered(_OF_A_READING, "there is no reading")
    yield _clock(evidence)
    if evidence.plan is not None and evidence.plan.enabled:
        yield from _products(evidence)
    else:
        yield from unanswered(_OF_PRODUCTS, why_no_plan(evidence))


def unanswered(questions: Mapping[str, str], why: str) -> Iterator[Check]:
    """Give the answers of questions that could not be asked."""
    for key, question in questions.items():
        yield Check(key=key, question=question, status="unknown", answer=f"not asked: {why}")


def why_no_plan(evidence: Evidence) -> str:
    """Say why nobody knows what the cart would be told."""
    if evidence.snapshot is None:
        return "there is no reading"
    return "see 'cart'" if evidence.plan is None else "the cart is switched off"


def failed(key: str, question: str, error: OmsyncError) -> Check:
    """Give the answer of a question that an error answered."""
    return Check(
        key=key, question=question, status="wrong", answer=error.message, remedy=error.remedy, code=error.code
    )


def _reading(evidence: Evidence) -> Check:
    key, question = "order_manager", "Does the order manager answer?"
    snapshot = evidence.snapshot
    if evidence.reading_error is not None:
        return failed(key, question, evidence.reading_error)
    if snapshot is None:
        return Check(
            key=key,
            question=question,
            status="unknown",
            answer="there is no complete reading yet",
            remedy="Run read_inventory() or sync_cart() with this ledger. A diagnosis does not read sales "
            "channels itself, since that acknowledges figures, which then nobody else would be told.",
        )
    figures = f"{counted(len(snapshot.skus), 'product')}, {counted(len(snapshot.levels), 'stock record')}"
    how = "read just now" if evidence.read_anew else "the last complete reading"
    if not snapshot.levels:
        remedy = "Check that the account sees stock, and the token's permissions."
        return Check(key=key, question=question, status="wrong", answer=f"{how}: {figures}", remedy=remedy)
    last = evidence.reads[0] if evidence.reads else None
    if not evidence.read_anew and last is not None and last.status in {"failed", "died"}:
        answer = f"{how}: {figures}; the newest try {last.status}: {last.message or last.code}"
        remedy = "Put right what the message says, and read again."
        return Check(key=key, question=question, status="wrong", answer=answer, remedy=remedy, code=last.code)
    return Check(key=key, question=question, status="ok", answer=f"{how}: {figures}")


def _age(evidence: Evidence, taken_at: datetime) -> Check:
    key, question = "reading_age", _OF_A_READING["reading_age"]
    age, limits = evidence.now - taken_at, evidence.cart.guardrails
    answer = f"read {to_the_second(taken_at)}, {hours(age)} ago"
    if age >= timedelta(hours=limits.stale_hours):
        answer += f"; nothing changes on figures older than {limits.stale_hours} hours"
        return Check(key=key, question=question, status="wrong", answer=answer, remedy="Read again.")
    if age >= timedelta(hours=limits.rise_stale_hours):
        answer += f"; nothing rises on figures older than {limits.rise_stale_hours} hours"
        return Check(key=key, question=question, status="warning", answer=answer, remedy="Read again.")
    often = evidence.merchant.frequency
    if often is not None and not evidence.read_anew and often.is_due(taken_at, evidence.now):
        answer += f"; a read is due {often}"
        remedy = "See whether what calls read_inventory() still runs."
        return Check(key=key, question=question, status="warning", answer=answer, remedy=remedy)
    return Check(key=key, question=question, status="ok", answer=answer)


def _locations(evidence: Evidence) -> Check:
    key, question = "locations", _OF_A_READING["locations"]
    assert evidence.snapshot is not None  # noqa: S101  asked only where there is one
    try:
        choices = choose_locations(evidence.snapshot, evidence.merchant, evidence.cart)
    except OmsyncError as error:
        return failed(key, question, error)
    counting = [str(choice) for choice in choices if choice.counted]
    others = [f"{choice} ({choice.reason.replace('_', ' ')})" for choice in choices if not choice.counted]
    mode = "sales channel" if isinstance(evidence.merchant.mode, PerSalesChannel) else "warehouse"
    answer = f"per {mode}: {', '.join(counting) or 'none'}"
    if others and mode == "warehouse":
        answer += f"; not {', '.join(others[:_FEW])}"
        answer += f" and {len(others) - _FEW} more" if len(others) > _FEW else ""
    if not counting:
        remedy = "Count at least one: look at PerWarehouse(disabled=, counted=) and at what is active there."
        return Check(key=key, question=question, status="wrong", answer=answer, remedy=remedy)
    return Check(key=key, question=question, status="ok", answer=answer, entries=tuple(counting))


def _clock(evidence: Evidence) -> Check:
    key, question = "clock", "Does this machine's clock agree?"
    moments = [run.last_seen_at for run in (*evidence.reads[:1], *evidence.runs[:1]) if run.last_seen_at]
    if evidence.snapshot is not None:
        moments.append(evidence.snapshot.taken_at)
    if not moments:
        return Check(key=key, question=question, status="ok", answer="nothing to compare it with yet")
    ahead = max(moments) - evidence.now
    if ahead > _AHEAD:
        return Check(
            key=key,
            question=question,
            status="wrong",
            answer=f"the newest run or reading lies {hours(ahead)} in the future",
            remedy="Set the clock of this machine, or of the one that ran; ages and waits are counted by it.",
        )
    return Check(key=key, question=question, status="ok", answer="no run or reading lies in the future")


def _products(evidence: Evidence) -> Iterator[Check]:
    assert evidence.plan is not None  # noqa: S101  asked only where there is one
    plan, cart = evidence.plan, evidence.cart
    by_reason: dict[str, set[str]] = {}
    for one in plan.skipped:
        by_reason.setdefault(one.reason, set()).add(one.master_sku)
    told = {line.master_sku for line in plan.lines}
    yield _alias(cart.alias, told, by_reason.get("no_alias", set()))
    bad = {
        sku: reason
        for reason, skus in by_reason.items()
        if reason.startswith(("bundle_", "component_"))
        for sku in skus
    }
    without = by_reason.get("bundle_without_stock_record", set())
    if bad:
        answer = f"no quantity for {counted(len(bad), 'bundle')}"
        answer += f", {len(without):,} of them for want of a stock record" if without else ""
        hints = {one.master_sku: one.hint for one in plan.skipped if one.master_sku in bad}
        first = min(bad)
        yield Check(
            key="bundles",
            question=_OF_PRODUCTS["bundles"],
            status="wrong",
            answer=f"{answer}: {few(bad)}",
            remedy=hints[first],
            entries=tuple(sorted(bad)),
        )
    else:
        yield Check(
            key="bundles",
            question=_OF_PRODUCTS["bundles"],
            status="ok",
            answer="none is skipped",
        )
    out = {reason: by_reason.get(reason, set()) for reason in ("excluded", "not_in_only", "inactive_product")}
    said = [f"{len(skus):,} {reason.replace('_', ' ')}" for reason, skus in out.items() if skus]
    yield Check(
        key="exclusions",
        question=_OF_PRODUCTS["exclusions"],
        status="ok",
        answer=", ".join(said) or "nothing",
        entries=tuple(sorted(set().union(*out.values()))),
    )
    missing = by_reason.get("no_stock_record", set())
    yield Check(
        key="stock_records",
        question=_OF_PRODUCTS["stock_records"],
        status="warning" if missing else "ok",
        answer=f"none for {counted(len(missing), 'product')}: {few(missing)}"
        if missing
        else "all that are sold",
        remedy="Absent is not zero: create a stock record in the order manager to sync them."
        if missing
        else "",
        entries=tuple(sorted(missing)),
    )


def _alias(alias: str | None, told: set[str], without: set[str]) -> Check:
    key, question = "alias", _OF_PRODUCTS["alias"]
    if alias is None:
        answer = "the cart is said to use master SKUs"
        return Check(key=key, question=question, status="ok", answer=answer)
    every = told | without
    answer = f"{len(told):,} of {counted(len(every), 'product')} have a listing under {alias!r}"
    share = 100 * len(without) / len(every) if every else 0
    if not told:
        remedy = "Check the alias: it must be the sales channel's name or id, letter by letter."
        return Check(key=key, question=question, status="wrong", answer=answer, remedy=remedy)
    if share >= _MOST_WITHOUT:
        remedy = "If the others are sold in this cart, add listings for them in the order manager."
        entries = tuple(sorted(without))
        return Check(
            key=key, question=question, status="warning", answer=answer, remedy=remedy, entries=entries
        )
    return Check(key=key, question=question, status="ok", answer=answer, entries=tuple(sorted(without)))


def hours(span: timedelta) -> str:
    """Write a span for a person."""
    minutes = round(span.total_seconds() / 60)
    return counted(minutes, "minute") if minutes < 120 else counted(round(minutes / 60), "hour")  # noqa: PLR2004
