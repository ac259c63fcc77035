"""What goes back and forth with carts and the ledger: capabilities, listings, changes, runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import field, frozen

from omsync import checks
from omsync.checks import printable
from omsync.errors import InvalidValueError

__all__ = [
    "ALREADY_SHOWN",
    "CartListing",
    "HistoryEntry",
    "Lease",
    "ListingState",
    "PushResult",
    "QuantityChange",
    "RunRecord",
    "SinkCapabilities",
]


ALREADY_SHOWN = "already_shown"
"""The reason of a row that a cart accepts although it has moved, since it moved to the very quantity."""


@frozen(kw_only=True)
class SinkCapabilities:
    """What a cart can do, known beforehand.

    Args:
        destination: Which cart this is, without secrets and the same in every run, such as
            ``"vendure at shop.example"``.
        quantity_meaning: ``"available"``: the cart shows what it is sent. ``"on_hand"``: the cart subtracts
            units of its own open orders, so omsync adds them to what it sends.
        readable: Whether the cart can say what it shows. If not, the ledger's accepted figures stand in.
        lists_all: Whether ``read`` also gives listings that nobody asked for, so that they can be counted.
        creates_listings: Whether a listing that the cart does not have is made by pushing it.
        locations: ``"none"``, ``"optional"`` or ``"required"``: whether a row may or must name a location.
        contents: ``"changes"``: a push holds what differs. ``"full"``: it holds everything, in one push that
            is never cut, also when nothing differs; what is unchanged, held or skipped is repeated at what
            the cart was last told. Only for ``"available"``; limits on rows and bytes do not apply.
        sells_all_locations: Whether shoppers may buy what stands at any location; if not, the default one's.
        max_rows: Rows in one push at most; None for no limit.
        rows_per_call: Rows in one of the cart's calls at most, where a push makes several; None: as max_rows.
        max_bytes: Bytes in one push at most; None for no limit.
        bytes_per_row: The most that one row adds to a push, in bytes.
        bytes_per_call: What a push weighs without rows, in bytes.
        grouping: ``"none"``, ``"by_parent"`` or ``"by_location"``: what may share one push.
        atomicity: ``"row"``: rows stand alone. ``"call"``: one bad row refuses the whole push.
            ``"unknown"`` is treated like ``"call"``.
        compare_and_set: ``"cas"`` (refuses if the quantity moved), ``"version"`` (by a version of the row) or
            ``"blind"``.
        completion: ``"immediate"``, ``"eventual"`` (shown later) or ``"job"`` (to be asked about later).
        idempotency_keys: Whether the cart takes a key that makes a repeated push harmless.
        max_in_flight: Pushes under way at once.
        calls_per_second: The documented pace; None when the vendor states none.
        accepts_zero: Whether 0 can be sent.
        zero_ends_listing: Whether 0 takes the listing down.
        needs_reactivation: Whether a listing that was at 0 must be switched on again by hand.
        min_quantity: The smallest quantity that can be sent.
        max_quantity: The largest quantity that can be sent; None for no limit.
        integer_only: Whether fractions are refused; omsync never sends one.
        untracked_policy: What is done with a listing whose stock the cart does not track: ``"skip"``,
            ``"track"`` (switch tracking on) or ``"error"``.
    """

    destination: str = field(validator=checks.text)
    quantity_meaning: str = field(default="available", validator=checks.one_of("available", "on_hand"))
    readable: bool = field(default=True, validator=checks.flag)
    lists_all: bool = field(default=False, validator=checks.flag)
    creates_listings: bool = field(default=False, validator=checks.flag)
    locations: str = field(default="none", validator=checks.one_of("none", "optional", "required"))
    contents: str = field(default="changes", validator=checks.one_of("changes", "full"))
    sells_all_locations: bool = field(default=True, validator=checks.flag)
    max_rows: int | None = field(default=100, validator=checks.optional(checks.whole(minimum=1)))
    rows_per_call: int | None = field(default=None, validator=checks.optional(checks.whole(minimum=1)))
    max_bytes: int | None = field(default=None, validator=checks.optional(checks.whole(minimum=1)))
    bytes_per_row: int = field(default=0, validator=checks.whole(minimum=0))
    bytes_per_call: int = field(default=0, validator=checks.whole(minimum=0))
    grouping: str = field(default="none", validator=checks.one_of("none", "by_parent", "by_location"))
    atomicity: str = field(default="unknown", validator=checks.one_of("row", "call", "unknown"))
    compare_and_set: str = field(default="blind", validator=checks.one_of("cas", "version", "blind"))
    completion: str = field(default="immediate", validator=checks.one_of("immediate", "eventual", "job"))
    idempotency_keys: bool = field(default=False, validator=checks.flag)
    max_in_flight: int = field(default=1, validator=checks.whole(minimum=1))
    calls_per_second: float | None = None
    accepts_zero: bool = field(default=True, validator=checks.flag)
    zero_ends_listing: bool = field(default=False, validator=checks.flag)
    needs_reactivation: bool = field(default=False, validator=checks.flag)
    min_quantity: int = field(default=0, validator=checks.whole(minimum=0))
    max_quantity: int | None = field(default=None, validator=checks.optional(checks.whole(minimum=0)))
    integer_only: bool = field(default=True, validator=checks.flag)
    untracked_policy: str = field(default="skip", validator=checks.one_of("skip", "track", "error"))

    def __attrs_post_init__(self) -> None:
        if self.contents == "full" and self.quantity_meaning == "on_hand":
            raise InvalidValueError(
                "SinkCapabilities.contents 'full' does not go with the quantity_meaning 'on_hand'",
                remedy="What a cart was told can be repeated only where it shows what it is told.",
            )

    @property
    def rows_per_push(self) -> int | None:
        """Rows in one push, by the limits on rows and on bytes; None for no limit."""
        if self.contents == "full":
            return None
        limits = [] if self.max_rows is None else [self.max_rows]
        if self.max_bytes is not None and self.bytes_per_row:
            limits.append(max(1, (self.max_bytes - self.bytes_per_call) // self.bytes_per_row))
        return min(limits) if limits else None


@frozen(kw_only=True)
class CartListing:
    """What a cart shows for one listing, at one of its locations if it has them.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        quantity: What a shopper may still buy (available), or for a cart that keeps units on hand, those;
            by the sink's ``quantity_meaning``. None: the cart does not say.
        allocated: For a cart that keeps units on hand: those promised to its open orders. None: unknown.
        state: ``"listed"``; ``"untracked"`` (the cart does not count its stock), ``"duplicate"`` (several
            listings share the code), ``"unmanaged"`` (a kit, or stock that the platform owns).
        version: What the cart wants back with a write, if anything.
        same_as: The location whose figure this row repeats, because the location goes by several names, or
            one of those that it adds up.
    """

    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    quantity: int | None = field(default=None, validator=checks.optional(checks.whole()))
    allocated: int | None = field(default=None, validator=checks.optional(checks.whole()))
    state: str = field(
        default="listed", validator=checks.one_of("listed", "untracked", "duplicate", "unmanaged")
    )
    version: str | None = field(default=None, validator=checks.optional(checks.text))
    same_as: str | None = field(default=None, validator=checks.optional(checks.text))


@frozen(kw_only=True)
class QuantityChange:
    """One row to push. Quantities are absolute, so sending a row again is harmless.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        quantity: What the cart shall be sent, in the sink's own meaning (available or on hand).
        available: The same as an available quantity; equal unless the cart keeps units on hand.
        shown: What the cart showed when the plan was made, in the sink's own meaning; None: unknown.
        version: The version that the cart gave with ``shown``.
        key: An idempotency key, from the run and the row, never from the value.
        repeated: Nothing was decided anew: the row repeats what the cart was last told, for a cart that is
            sent everything each time.
    """

    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    quantity: int = field(validator=checks.whole(minimum=0))
    available: int = field(validator=checks.whole(minimum=0))
    shown: int | None = field(default=None, validator=checks.optional(checks.whole()))
    version: str | None = field(default=None, validator=checks.optional(checks.text))
    key: str = field(default="", validator=checks.any_text)
    repeated: bool = field(default=False, validator=checks.flag)


@frozen(kw_only=True)
class PushResult:
    """What a cart answered for one row.

    Args:
        listing_sku: The row's listing.
        location_id: The row's location, or None.
        status: ``"accepted"``, ``"rejected"``, ``"conflict"`` (compare-and-set lost), ``"pending"`` (a job,
            or the answer is unknown) or ``"skipped"``.
        echo: The quantity that the cart's answer shows after the write, in the sink's own meaning; None when
            the answer shows none. "Accepted" without it is not yet "applied".
        reason: A stable word for programs when not accepted; of an accepted row ``ALREADY_SHOWN`` where a
            cart that compares had moved, and to this quantity, so that nothing was written.
        message: What the cart said, for a person.
        job: The cart's name for the work under way, when pending.
    """

    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    status: str = field(validator=checks.one_of("accepted", "rejected", "conflict", "pending", "skipped"))
    echo: int | None = field(default=None, validator=checks.optional(checks.whole()))
    reason: str = field(default="", validator=checks.any_text)
    message: str = field(default="", validator=checks.any_text)
    job: str = field(default="", validator=checks.any_text)


@frozen(kw_only=True)
class ListingState:
    """What the ledger knows of one listing at one location: four figures, each with its time and run.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        desired: What the last plan wanted, as an available quantity.
        desired_at: When.
        sent: What was last put on the wire.
        sent_at: When.
        accepted: What the cart last acknowledged. It closes nothing: only what is observed does.
        accepted_at: When.
        observed: What the cart was last seen to show.
        observed_at: When.
        desired_run: The run that wanted it.
        sent_run: The run that sent it.
        accepted_run: The run that was answered.
        observed_run: The run that saw it; None when somebody merely looked.
        desired_since: From when on every plan wanted the same; the ledger works it out.
        observed_since: From when on the cart was seen to show the same; the ledger works it out.
    """

    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    desired: int | None = field(default=None, validator=checks.optional(checks.whole()))
    desired_at: datetime | None = field(default=None, converter=checks.to_utc)
    sent: int | None = field(default=None, validator=checks.optional(checks.whole()))
    sent_at: datetime | None = field(default=None, converter=checks.to_utc)
    accepted: int | None = field(default=None, validator=checks.optional(checks.whole()))
    accepted_at: datetime | None = field(default=None, converter=checks.to_utc)
    observed: int | None = field(default=None, validator=checks.optional(checks.whole()))
    observed_at: datetime | None = field(default=None, converter=checks.to_utc)
    desired_run: str | None = field(default=None, validator=checks.optional(checks.text))
    sent_run: str | None = field(default=None, validator=checks.optional(checks.text))
    accepted_run: str | None = field(default=None, validator=checks.optional(checks.text))
    observed_run: str | None = field(default=None, validator=checks.optional(checks.text))
    desired_since: datetime | None = field(default=None, converter=checks.to_utc)
    observed_since: datetime | None = field(default=None, converter=checks.to_utc)


@frozen(kw_only=True)
class Lease:
    """The right to work on one cart, or to read one order manager, until a moment that can be put off.

    Args:
        run_id: The run that holds it.
        holder: Who that is, for a person: host and process.
        since: When it was taken.
        until: From when on another run may take it over. A ledger that has a clock of its own goes by that,
            and takes from the two times only how long the lease is.
    """

    run_id: str = field(validator=checks.text)
    holder: str = field(validator=checks.text)
    since: datetime = field(converter=checks.to_utc, validator=checks.moment)
    until: datetime = field(converter=checks.to_utc, validator=checks.moment)

    def __attrs_post_init__(self) -> None:
        if self.until <= self.since:
            raise InvalidValueError(f"A lease ends after it begins, not at {self.until:%Y-%m-%d %H:%M:%S}Z")

    @property
    def span(self) -> timedelta:
        """How long it is held without a sign of life."""
        return self.until - self.since


@frozen(kw_only=True)
class HistoryEntry:
    """One quantity that was sent to a cart, with the reply, and why it was that quantity.

    Args:
        run_id: The run that sent it; of what it sent again after a conflict the last is kept.
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        sent_at: When it went out.
        quantity: What was sent, as an available quantity.
        shown: What the cart showed before; None when nobody knew.
        status: ``"sent"`` while no answer is known, then the reply's, as in ``PushResult``.
        echo: The quantity that the answer showed, as an available quantity.
        reason: The reply's stable word.
        message: What the cart said.
        settings_digest: Names the merchant's and the cart's settings by their content; empty: not known.
        plan_digest: The plan's.
        approved_by: Who let it through where a guardrail held it; empty when nobody had to.
        summary: Why it was this quantity, in one line.
        explanation: The whole derivation, as JSON.
    """

    run_id: str = field(validator=checks.text)
    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    sent_at: datetime = field(converter=checks.to_utc, validator=checks.moment)
    quantity: int = field(validator=checks.whole(minimum=0))
    shown: int | None = field(default=None, validator=checks.optional(checks.whole()))
    status: str = field(
        default="sent",
        validator=checks.one_of("sent", "accepted", "rejected", "conflict", "pending", "skipped"),
    )
    echo: int | None = field(default=None, validator=checks.optional(checks.whole()))
    reason: str = field(default="", validator=checks.any_text)
    message: str = field(default="", validator=checks.any_text)
    settings_digest: str = field(default="", validator=checks.any_text)
    plan_digest: str = field(default="", validator=checks.any_text)
    approved_by: str = field(default="", validator=checks.any_text)
    summary: str = field(default="", validator=checks.any_text)
    explanation: str = field(default="", validator=checks.any_text, repr=False)


@frozen(kw_only=True)
class RunRecord:
    """One run, as a person looks it up: the founding document's "WMS Interface status".

    Args:
        run_id: The run.
        merchant: The merchant's name.
        cart: The cart's name; None for a read of the order manager.
        status: ``"never"``, ``"in_progress"``, ``"died"``, ``"success"``, ``"partial"``, ``"failed"`` or
            ``"disabled"``.
        started_at: When it began; None for ``"never"``.
        finished_at: When it ended; None while it has not.
        last_seen_at: The last sign of life.
        counts: How many of what: listings by outcome for a cart; products, stock records, calls for a read.
        message: One sentence for a person.
        code: The error's code, when it failed.
    """

    run_id: str = field(default="", validator=checks.any_text)
    merchant: str = field(validator=checks.text)
    cart: str | None = field(default=None, validator=checks.optional(checks.text))
    status: str = field(
        validator=checks.one_of("never", "in_progress", "died", "success", "partial", "failed", "disabled")
    )
    started_at: datetime | None = field(default=None, converter=checks.to_utc)
    finished_at: datetime | None = field(default=None, converter=checks.to_utc)
    last_seen_at: datetime | None = field(default=None, converter=checks.to_utc)
    counts: Mapping[str, int] = field(factory=dict, converter=checks.as_mapping)
    message: str = field(default="", validator=checks.any_text)
    code: str = field(default="", validator=checks.any_text)

    @property
    def duration(self) -> timedelta | None:
        """How long it took, or None while nobody knows."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at

    def __str__(self) -> str:
        who = f"{self.merchant} / {self.cart}" if self.cart else f"{self.merchant} (order manager)"
        if self.started_at is None:
            return f"{who}: never run"
        began = f"{self.started_at:%Y-%m-%d %H:%M:%S}Z"
        if self.status == "in_progress":
            return f"{who}: in progress since {began}"
        counted = ", ".join(f"{number:,} {what.replace('_', ' ')}" for what, number in self.counts.items())
        tail = f", {counted}" if counted else ""
        took = f" in {self.duration.total_seconds():.1f} s" if self.duration is not None else ""
        words = f" ({self.message})" if self.message else ""
        return printable(f"{who}: {self.status}, began {began}{took}{tail}{words}")
