"""What a name in the ledger stands for: one account of an order manager, or one cart. Pure.

Figures of one cart say nothing about another, and a test account's reading must not reach a real shop. So
a change of either is refused until a person confirms it, and what is older than that is not believed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, field, frozen

from omsync import checks
from omsync.checks import to_the_second
from omsync.errors import SettingsError
from omsync.exchange import ListingState
from omsync.model import InventorySnapshot

__all__ = [
    "Binding",
    "binding_moment",
    "is_another_account",
    "is_since",
    "is_unread",
    "newest",
    "other_account",
    "other_cart",
    "other_reading",
    "outdated_plan",
    "states_since",
]

_TELLING = 20
"""With fewer products, how many of them are still there says nothing."""
_SHARED_PERCENT = 10
"""A reading that shares fewer products with the last one, and no location, is another account's."""
_FIGURES = ("desired", "sent", "accepted", "observed")
_TICK = timedelta(microseconds=1)


@frozen(kw_only=True)
class Binding:
    """What a name stands for, from when on, and who said so.

    Args:
        what: The cart's destination, or the order manager's origin; empty: it names none.
        since: From when on.
        by: Who confirmed it; empty when the first run found it so.
        reason: Why it was confirmed.
        read: Whether the order manager was read since.
    """

    what: str = field(validator=checks.any_text)
    since: datetime = field(converter=checks.to_utc, validator=checks.moment)
    by: str = field(default="", validator=checks.any_text)
    reason: str = field(default="", validator=checks.any_text)
    read: bool = field(default=False, validator=checks.flag)

    @property
    def confirmed(self) -> bool:
        """Whether a person said so; what is older than that is then of another."""
        return bool(self.by)

    @property
    def entry(self) -> str:
        """The key that it is kept under; later ones sort later."""
        return self.since.isoformat(timespec="microseconds")

    def __str__(self) -> str:
        said = f", confirmed by {self.by} ({self.reason})" if self.confirmed else ""
        return f"{self.what or 'without a name'} since {to_the_second(self.since)}{said}"


def newest(bindings: Iterable[Binding]) -> Binding | None:
    """Give the binding that holds now; None where there is none yet."""
    return max(bindings, key=lambda one: one.since, default=None)


def binding_moment(now: datetime, before: Binding | None, states: Iterable[ListingState] = ()) -> datetime:
    """Give the moment of a new binding: now, and after everything that is known of the old one.

    Clocks of several machines differ, and a figure of the old cart must not look newer than the new one.
    """
    known: list[datetime] = [] if before is None else [before.since]
    for state in states:
        times = (state.desired_at, state.sent_at, state.accepted_at, state.observed_at)
        known += [moment for moment in times if moment is not None]
    return max([now, *(moment + _TICK for moment in known)])


def other_cart(bound: Binding, here: str, *, merchant: str, cart: str) -> SettingsError:
    """Say that a sink is not the cart that its name stands for."""
    return SettingsError(
        f"The cart {cart!r} of {merchant!r} is {bound}, and this sink is {here}; nothing was pushed",
        code="other_cart",
        remedy="Give the sink of that cart, or a cart name of its own; if the change is meant, confirm it "
        "with confirm_cart(ledger, sink, cart, by=..., reason=...).",
    )


def other_account(bound: Binding, here: str, *, merchant: str) -> SettingsError:
    """Say that a source is not the account that the merchant's readings are of."""
    return SettingsError(
        f"The order manager of {merchant!r} is {bound}, and this source "
        + (f"is {here}" if here else "does not say which it is")
        + "; nothing was read",
        code="other_account",
        remedy="Give that source, or a merchant name of its own; if the change is meant, confirm it "
        "with confirm_source(ledger, source, merchant=..., by=..., reason=...).",
    )


def other_reading(last: InventorySnapshot, reading: InventorySnapshot, *, merchant: str) -> SettingsError:
    """Say that a reading looks like that of another account."""
    shared = len(_codes(last) & _codes(reading))
    kind = "warehouses" if last.scope == "warehouse" else "sales channels"
    return SettingsError(
        f"This reading of {merchant!r} looks like another account's: of the last good one of "
        f"{to_the_second(last.taken_at)} it has none of the {kind} and {shared:,} of "
        f"{checks.counted(len(_codes(last)), 'product')}; it was not kept",
        code="other_account",
        remedy="Check the source's credentials; if the account did change, confirm it "
        "with confirm_source(ledger, source, merchant=..., by=..., reason=...), and read again.",
    )


def is_another_account(last: InventorySnapshot, reading: InventorySnapshot) -> bool:
    """Whether two readings share no location and hardly any product. An empty reading says nothing."""
    places, codes = {place.id for place in last.places}, _codes(last)
    found = _codes(reading)
    if last.scope != reading.scope or not found or len(codes) < _TELLING:
        return False
    if places & {place.id for place in reading.places}:
        return False
    return 100 * len(codes & found) < _SHARED_PERCENT * len(codes)


def is_unread(bound: Binding | None) -> bool:
    """Whether an account was confirmed and not read since, so that the last reading may be another's."""
    return bound is not None and bound.confirmed and not bound.read


def is_since(moment: datetime, bound: Binding | None) -> bool:
    """Whether something was said or decided of what a name stands for now, and not of what it did before."""
    return bound is None or not bound.confirmed or moment >= bound.since


def outdated_plan(bound: Binding, *, merchant: str, cart: str) -> SettingsError:
    """Say that a plan was made before a person confirmed another cart or another account."""
    return SettingsError(
        f"The plan for {merchant} / {cart} was made before it was {bound}; nothing was pushed",
        code="outdated_plan",
        remedy="Plan again: its figures are of what was there before.",
    )


def states_since(states: Iterable[ListingState], bound: Binding | None) -> list[ListingState]:
    """Give what is known of a cart's listings without the figures of the cart that it was before."""
    if bound is None or not bound.confirmed:
        return list(states)
    own = (_since(state, bound.since) for state in states)
    return [state for state in own if state is not None]


def _since(state: ListingState, since: datetime) -> ListingState | None:
    times = {figure: getattr(state, f"{figure}_at") for figure in _FIGURES}
    old = [figure for figure, at in times.items() if at is None or at < since]
    if len(old) == len(_FIGURES):
        return None
    changed: dict[str, Any] = {f"{figure}{part}": None for figure in old for part in ("", "_at", "_run")}
    for figure in ("desired", "observed"):
        began = getattr(state, f"{figure}_since")
        if figure in old:
            changed[f"{figure}_since"] = None
        elif began is not None and began < since:
            changed[f"{figure}_since"] = since
    return evolve(state, **changed)


def _codes(snapshot: InventorySnapshot) -> set[str]:
    return {sku.master_sku for sku in snapshot.skus}
