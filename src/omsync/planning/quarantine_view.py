"""What is in quarantine, for a person: a table of it, and the sentences of plans and reports. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from attrs import evolve, field, frozen

from omsync.allocation import Notice
from omsync.allocation.notices import few
from omsync.checks import counted, printable, to_the_minute
from omsync.planning.plan import SyncPlan
from omsync.planning.quarantine import QUARANTINED, QuarantinedRow
from omsync.planning.table import aligned

__all__ = ["Quarantine", "noticed"]

_WORST = 3
"""The rows that a sentence names; ``quarantined()`` gives all."""


def _worst_first(row: QuarantinedRow) -> tuple[bool, int, datetime, str, str]:
    return not row.is_dangerous, -row.exposed, row.since, row.listing_sku, row.location_id or ""


def _sorted(rows: Iterable[QuarantinedRow]) -> tuple[QuarantinedRow, ...]:
    return tuple(sorted(rows, key=_worst_first))


@frozen(kw_only=True, repr=False)
class Quarantine:
    """The rows of a cart that are in quarantine, those that show too much first. Its length is their number.

    Args:
        merchant: The merchant's name.
        cart: The cart's name.
        rows: Each listing at each location.
    """

    merchant: str
    cart: str
    rows: tuple[QuarantinedRow, ...] = field(default=(), converter=_sorted)

    @property
    def exposed(self) -> int:
        """Units that the cart shows and should not, as far as anybody knows."""
        return sum(row.exposed for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[QuarantinedRow]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"<Quarantine of {self.merchant} / {self.cart}: {counted(len(self), 'row')}>"

    def __str__(self) -> str:
        head = f"{self.merchant} / {self.cart}: {counted(len(self), 'row')} in quarantine"
        if not self.rows:
            return head
        exposed = f", {counted(self.exposed, 'unit')} on sale that are not there" if self.exposed else ""
        table = [("listing", "location", "shows", "refused", "times", "since", "next try", "")]
        table += [
            (
                row.listing_sku,
                row.location_id or "-",
                "?" if row.shown is None else str(row.shown),
                str(row.quantity),
                str(row.tries),
                to_the_minute(row.since),
                row.trying,
                row.why + (f" (released by {row.released.by})" if row.released is not None else ""),
            )
            for row in self.rows
        ]
        return "\n".join([printable(head + exposed), *aligned(table)])


def noticed(
    plan: SyncPlan, rows: Iterable[QuarantinedRow], released: Collection[QuarantinedRow] = ()
) -> SyncPlan:
    """Say in the plan which rows are in quarantine, before all else, in place of what was said before. Pure.

    Args:
        plan: The plan.
        rows: Those that are.
        released: Those that somebody let out, and that this plan tries.
    """
    waiting = _sorted(rows)
    news = [*([_waiting(waiting)] if waiting else []), *([_released(released)] if released else [])]
    return evolve(plan, notices=(*news, *(one for one in plan.notices if one.reason != QUARANTINED)))


def _waiting(rows: Sequence[QuarantinedRow]) -> Notice:
    named = "; ".join(map(_sentence, rows[:_WORST]))
    more = f"; and {len(rows) - _WORST:,} more" if len(rows) > _WORST else ""
    exposed = sum(row.exposed for row in rows)
    units = f"{counted(exposed, 'unit')} on sale that are not there, " if exposed else ""
    return Notice(
        reason=QUARANTINED,
        message=f"{counted(len(rows), 'row')} in quarantine, refused by the cart again and again, {units}"
        f"the oldest since {to_the_minute(min(row.since for row in rows))}: {named}{more}",
        entries=tuple(sorted({row.listing_sku for row in rows})),
    )


def _released(rows: Collection[QuarantinedRow]) -> Notice:
    who = sorted({f"{row.released.by} ({row.released.reason})" for row in rows if row.released is not None})
    entries = sorted({row.listing_sku for row in rows})
    return Notice(
        reason="released",
        message=f"{counted(len(rows), 'row')} released from quarantine by {', '.join(who)}: {few(entries)}",
        entries=tuple(entries),
    )


def _sentence(row: QuarantinedRow) -> str:
    where = "" if row.location_id is None else f" at {row.location_id}"
    shown = "?" if row.shown is None else row.shown
    times = counted(row.tries, "time")
    return f"{row.listing_sku!r}{where} {shown} -> {row.quantity} ({times}, {row.why}; next try {row.trying})"
