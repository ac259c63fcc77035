"""Whether a cart has come to show what it should, and what was sent to it on the way there. Pure.

That a cart accepted a quantity closes nothing; only what it is seen to show does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from attrs import field, frozen

from omsync import checks
from omsync.allocation import Explanation
from omsync.allocation.reasons import words
from omsync.checks import counted, printable, to_the_minute, to_the_second
from omsync.errors import DecodeError, NoExplanationError
from omsync.exchange import CartListing, HistoryEntry, ListingState, SinkCapabilities
from omsync.planning import accepted_figures
from omsync.planning.spreadsheet import as_csv, harmless
from omsync.planning.table import aligned
from omsync.serial import from_json

__all__ = ["Drift", "DriftLine", "History", "available", "drift_of", "wanted"]

_COLUMNS = (
    *("sent_at", "listing_sku", "location_id", "quantity", "shown", "status", "echo", "reason", "message"),
    *("approved_by", "run_id", "plan_digest", "settings_digest", "summary", "explanation"),
)
_MOST_ROWS = 40


@frozen(kw_only=True)
class DriftLine:
    """One listing at one location that does not show what it should.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        desired: What the last plan wanted it to show, as an available quantity.
        shown: What it shows; None when it shows nothing that counts, or nobody knows.
        reason: ``"differs"``, ``"not_in_cart"``, ``"untracked_in_cart"`` and the like, ``"not_said"`` (the
            cart names no quantity), or, where the cart cannot be read, ``"not_accepted"``.
        since: From when on it is known to differ; None when nobody ever looked.
        run_id: The run that last wanted it.
    """

    listing_sku: str
    location_id: str | None
    desired: int
    shown: int | None
    reason: str
    since: datetime | None
    run_id: str | None


@frozen(kw_only=True, repr=False)
class Drift:
    """Where a cart differs from what it should show. Its length is the number of listings that do.

    Args:
        merchant: The merchant's name.
        cart: The cart's name.
        destination: Which cart, in the sink's own words.
        basis: ``"cart"``: the cart was read. ``"ledger"``: it cannot be, so what it last accepted stands in.
        looked_at: When.
        compared: How many listings, each at each of its locations, the last plan had a quantity for.
        lines: Those that differ, the longest first.
    """

    merchant: str
    cart: str
    destination: str
    basis: str
    looked_at: datetime
    compared: int
    lines: tuple[DriftLine, ...] = field(default=(), converter=checks.as_tuple)

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[DriftLine]:
        return iter(self.lines)

    def __repr__(self) -> str:
        return f"<Drift of {self.merchant} / {self.cart}: {len(self):,} of {self.compared:,}>"

    def __str__(self) -> str:
        where = "shows" if self.basis == "cart" else "cannot be read, and last accepted"
        head = (
            f"{self.merchant} / {self.cart}: {self.destination} {where} something else than it should for "
            f"{len(self):,} of {counted(self.compared, 'listing')}"
        )
        if not self.lines:
            return head
        table = [("listing", "location", "shows", "shall show", "since", "")]
        table += [
            (
                line.listing_sku,
                line.location_id or "-",
                "?" if line.shown is None else str(line.shown),
                str(line.desired),
                "?" if line.since is None else to_the_minute(line.since),
                "" if line.reason == "differs" else words(line.reason),
            )
            for line in self.lines[:_MOST_ROWS]
        ]
        more = len(self) - _MOST_ROWS
        rest = [f"  ... and {more:,} more"] if more > 0 else []
        return "\n".join([printable(head), *aligned(table), *rest])


def wanted(states: Iterable[ListingState]) -> list[ListingState]:
    """Give the listings that the last plan had a quantity for, and none that no plan speaks of any more."""
    known = [state for state in states if state.desired is not None]
    moments = {state.desired_at for state in known if state.desired_at is not None}
    last = max(moments, default=None)
    return [state for state in known if state.desired_at == last]


def drift_of(
    states: Sequence[ListingState], shown: Iterable[CartListing] | None, capabilities: SinkCapabilities
) -> tuple[DriftLine, ...]:
    """Compare what listings should show with what they do; those that differ for longest come first.

    Args:
        states: What the ledger knows of them, as from ``wanted``.
        shown: What the cart shows; None for a cart that cannot be read.
        capabilities: The cart's.
    """
    listings = None if shown is None else {(one.listing_sku, one.location_id): one for one in shown}
    accepted = accepted_figures(states)
    lines = []
    for state in states:
        key = (state.listing_sku, state.location_id)
        if listings is None:
            figure = accepted.get(key)
            reason, since = "not_accepted", state.desired_since
        else:
            figure, reason = _figure(listings.get(key), capabilities)
            since = _since(state)
        if state.desired is not None and figure != state.desired:
            lines.append(
                DriftLine(
                    listing_sku=state.listing_sku,
                    location_id=state.location_id,
                    desired=state.desired,
                    shown=figure,
                    reason=reason,
                    since=since,
                    run_id=state.desired_run,
                )
            )
    return tuple(sorted(lines, key=_longest_first))


def _figure(listing: CartListing | None, capabilities: SinkCapabilities) -> tuple[int | None, str]:
    if listing is None:
        return None, "not_in_cart"
    if listing.state != "listed":
        return None, f"{listing.state}_in_cart"
    figure = available(listing, capabilities)
    return figure, "not_said" if figure is None else "differs"


def available(listing: CartListing, capabilities: SinkCapabilities) -> int | None:
    """Give what a shopper may still buy of a listing; None where the cart does not say."""
    if capabilities.quantity_meaning == "available" or listing.quantity is None:
        return listing.quantity
    return None if listing.allocated is None else listing.quantity - listing.allocated


def _since(state: ListingState) -> datetime | None:
    """Tell from when on a listing differs: it did when it was last seen, or it was right then."""
    seen = state.observed_at if state.observed == state.desired else state.observed_since
    return max((moment for moment in (seen, state.desired_since) if moment is not None), default=None)


def _longest_first(line: DriftLine) -> tuple[bool, str, str, str]:
    since = "" if line.since is None else line.since.isoformat()
    return line.since is not None, since, line.listing_sku, line.location_id or ""


@frozen(kw_only=True, repr=False)
class History:
    """What was sent to a cart, the oldest first, with the replies and the reasons.

    Args:
        merchant: The merchant's name.
        cart: The cart's name.
        entries: One for each quantity that was sent.
    """

    merchant: str
    cart: str
    entries: tuple[HistoryEntry, ...] = field(default=(), converter=checks.as_tuple)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[HistoryEntry]:
        return iter(self.entries)

    def __repr__(self) -> str:
        return f"<History of {self.merchant} / {self.cart}: {counted(len(self), 'quantity', 'quantities')}>"

    def __str__(self) -> str:
        if not self.entries:
            return f"{self.merchant} / {self.cart}: nothing was sent"
        return "\n".join(map(_sentence, self.entries))

    @staticmethod
    def explain(entry: HistoryEntry) -> Explanation:
        """Give the derivation of an entry's quantity as it was when it was sent.

        Raises:
            NoExplanationError: None was kept, or it is of another version of omsync; its text is there.
        """
        if not entry.explanation:
            raise NoExplanationError(
                f"No explanation was kept of what was sent to {entry.listing_sku!r}",
                code="not_kept",
                remedy="It was pushed from a plan that carried none; its digest is in the entry.",
            )
        try:
            return from_json(entry.explanation, Explanation)
        except DecodeError as error:
            raise NoExplanationError(
                f"The explanation of what was sent to {entry.listing_sku!r} is not of this omsync: {error}",
                code="not_readable",
                remedy="Read its text in the entry; it says the same.",
            ) from error

    def to_csv(self) -> str:
        """Give the entries as CSV text; a cell that a spreadsheet would run begins with an apostrophe."""
        rows = [[_cell(getattr(entry, name)) for name in _COLUMNS] for entry in self.entries]
        return as_csv([_COLUMNS, *rows])


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return harmless(value) if isinstance(value, str) else "" if value is None else str(value)


def _sentence(entry: HistoryEntry) -> str:
    where = f" at {entry.location_id}" if entry.location_id is not None else ""
    before = "" if entry.shown is None else f" (it showed {entry.shown})"
    reply = words(entry.status) if entry.status != "sent" else "no answer is known"
    why = words(entry.reason) if entry.reason and entry.reason != entry.status else ""
    said = ": ".join(part for part in (why, entry.message) if part)
    echo = "" if entry.echo is None else f", showing {entry.echo}"
    line = (
        f"{to_the_second(entry.sent_at)} {entry.listing_sku}{where}: sent {entry.quantity}{before}, "
        f"{reply}{echo}" + (f" ({said})" if said else "")
    )
    if entry.approved_by:
        line += f", approved by {entry.approved_by}"
    return "\n  ".join(map(printable, filter(None, (line, entry.summary))))
