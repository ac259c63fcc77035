"""A cart that moved between our look and our write: what is decided about a row with the new look. Pure.

A cart that compares refuses such a row; one that is blind is looked at again before it is written, where the
last look is too old. Both come here, and nothing that moved is overwritten without having been decided anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from attrs import evolve, frozen

from omsync.allocation import Notice
from omsync.exchange import CartListing, QuantityChange, SinkCapabilities
from omsync.planning.lines import problem_of, skip, with_shown
from omsync.planning.plan import Key, PlanLine, SyncPlan

__all__ = [
    "TRIES",
    "Again",
    "compares_by_reading",
    "decide_again",
    "has_moved",
    "noting_the_look",
    "too_old",
    "with_rows",
]

Batch = tuple[QuantityChange, ...]

TRIES = 3
"""How often a run sends a row at most that a cart refuses because it moved; then the next run decides."""

LOOK_ROWS = 100
"""So many rows at least are looked at again together, where a push takes fewer and more are waiting."""

BLIND = "blind_cart"
"""The reason of the notice that a cart cannot refuse a write that comes too late."""


@frozen(kw_only=True)
class Again:
    """What a second look decided about a row.

    Args:
        line: The line with what the cart shows now.
        send: Whether it goes out; if not, its action and reason say why.
    """

    line: PlanLine
    send: bool


def decide_again(line: PlanLine, listing: CartListing, capabilities: SinkCapabilities) -> Again:
    """Decide about a row with what the cart shows now. Pure.

    A fall and a zero go out against the new figure, since what shows is too much. A rise goes out if the cart
    shows no less than before; if it shows less, it has probably sold, and the rise is held: the figures of
    this run were read before that sale.

    Args:
        line: What was planned, with what the cart showed then.
        listing: What it shows now.
        capabilities: What the cart can do.
    """
    problem = problem_of(listing, capabilities, at_location=listing)
    if problem is not None:
        return Again(line=skip(line, problem), send=False)
    now = with_shown(line, listing, capabilities)
    if now.shown == line.quantity:
        return Again(line=evolve(now, action="unchanged", reason="", hint=""), send=False)
    if line.shown is None or now.shown is None or now.quantity < now.shown or now.shown >= line.shown:
        return Again(line=now, send=True)
    hint = (
        f"It showed {line.shown} when it was planned and {now.shown} when it was to be written, as after a "
        "sale; it is raised once the order manager's figures hold that sale."
    )
    return Again(line=evolve(now, action="hold", reason="maybe_sold", hint=hint), send=False)


def has_moved(line: PlanLine, now: PlanLine) -> bool:
    """Whether a second look saw anything else than the first: if not, a refusal has another cause."""
    return (line.shown, line.allocated, line.version) != (now.shown, now.allocated, now.version)


def compares_by_reading(capabilities: SinkCapabilities) -> bool:
    """Whether a look right before the write is the only comparison there is, and says something.

    A job is carried out at some later time, so a look before it is handed in tells nothing; what is sent as a
    whole is not decided row by row.
    """
    return (
        capabilities.compare_and_set == "blind"
        and capabilities.readable
        and capabilities.completion != "job"
        and capabilities.contents != "full"
    )


def too_old(waiting: Iterable[Batch], is_old: Callable[[Key], bool]) -> list[Key]:
    """Give the old rows of the next batch, and with them those of batches after it, while they are few.

    Args:
        waiting: The batches in their order.
        is_old: Whether the last look at a row is too old.
    """
    old: list[Key] = []
    for number, batch in enumerate(waiting):
        old += filter(is_old, ((row.listing_sku, row.location_id) for row in batch))
        if len(old) >= LOOK_ROWS or (number == 0 and not old):
            break
    return old


def with_rows(waiting: Iterable[Batch], rows: Mapping[Key, QuantityChange | None]) -> Iterator[Batch]:
    """Give the batches with rows replaced, or left out where there is None; without empty ones."""
    for batch in waiting:
        new = (rows.get((row.listing_sku, row.location_id), row) for row in batch)
        kept = tuple(row for row in new if row is not None)
        if kept:
            yield kept


def noting_the_look(
    plan: SyncPlan, capabilities: SinkCapabilities, compare_within: int, looked_at: datetime
) -> SyncPlan:
    """Note on a plan when the cart was looked at and how old that may become, and say so where it matters.

    Args:
        plan: What ``make_plan`` gave.
        capabilities: How the cart compares.
        compare_within: As in the cart's settings, in seconds.
        looked_at: When reading the cart began.
    """
    notices = plan.notices
    if compares_by_reading(capabilities) and any(one.reason == BLIND for one in notices):
        said = _by_reading(compare_within)
        notices = (*(one for one in notices if one.reason != BLIND), said)
    if compares_by_reading(capabilities) and not compare_within:
        notices = (
            *notices,
            Notice(
                reason="compare_within_off",
                message="compare_within is switched off: however long a push takes, this cart is not looked "
                "at again before it is written, and a sale meanwhile is overwritten",
            ),
        )
    return evolve(plan, notices=notices, compare_within=compare_within, looked_at=looked_at.isoformat())


def _by_reading(seconds: int) -> Notice:
    age = (
        f"a row whose look is older than {timedelta(seconds=seconds)} is looked at again right before it goes"
    )
    return Notice(
        reason=BLIND,
        message="The cart cannot refuse a write that comes too late: it is read, compared, then written"
        + (f", and {age}" if seconds else "")
        + "; a sale in between is corrected by the next run",
    )
