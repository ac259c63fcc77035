"""What a cart that cannot be read is taken to show, and how long that is believed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from omsync.allocation import Notice
from omsync.exchange import ListingState
from omsync.planning.plan import Key
from omsync.settings import CartSettings

__all__ = ["accepted_figures", "is_answered", "lowest_told", "overdue_figures", "reassert_notices"]


def accepted_figures(states: Iterable[ListingState]) -> dict[Key, int]:
    """Give what a cart that cannot be read is taken to show: what it last accepted.

    A figure that was sent since and never answered leaves open what the cart shows, so it is left out and
    the line is sent again; that the same figure was accepted earlier says nothing, since another may have
    been sent in between.
    """
    return {
        (state.listing_sku, state.location_id): state.accepted
        for state in states
        if state.accepted is not None and state.sent in {None, state.accepted} and is_answered(state)
    }


def lowest_told(states: Iterable[ListingState]) -> dict[Key, int]:
    """Give what can be repeated to a cart that cannot be read, without leaving out what it may show.

    Where an answer is missing it shows what was accepted before or what was sent since; the lower of the two
    is never too much. What it never accepted is left out.
    """
    return {
        (state.listing_sku, state.location_id): min(state.accepted, state.accepted if sent is None else sent)
        for state in states
        if state.accepted is not None
        for sent in (state.sent,)
    }


def overdue_figures(
    states: Iterable[ListingState],
    *,
    now: datetime,
    after: int,
    zeros_after: int,
) -> frozenset[Key]:
    """Name what was accepted longer ago than it is taken for granted; nobody has seen it since. Pure.

    Args:
        states: What the ledger knows.
        now: Decides about age.
        after: Hours that a figure may be old at most; 0 for any age.
        zeros_after: The same for a 0.
    """

    def is_overdue(state: ListingState) -> bool:
        most = zeros_after if state.accepted == 0 else after
        at = state.accepted_at
        # A time to come is of a clock that ran ahead, and says nothing about age.
        return most > 0 and (at is None or not timedelta() <= now - at <= timedelta(hours=most))

    return frozenset(
        (state.listing_sku, state.location_id)
        for state in states
        if state.accepted is not None and is_overdue(state)
    )


def reassert_notices(cart: CartSettings) -> Iterator[Notice]:
    """Say that a cart that cannot be read is trusted for ever, where a setting says so."""
    hours = {"reassert_after": cart.reassert_after, "reassert_zeros_after": cart.reassert_zeros_after}
    off = [name for name, value in hours.items() if not value]
    if off:
        yield Notice(
            reason="reassert_off",
            message=f"{' and '.join(off)} switched off: what the cart accepted is never sent again, even if "
            "it does not show it",
            entries=tuple(off),
        )


def is_answered(state: ListingState) -> bool:
    """Tell whether what was sent last was answered; if not, the cart may have taken it, and show it."""
    return state.sent_at is None or (state.accepted_at is not None and state.accepted_at >= state.sent_at)
