"""The state of one push: which rows are left, what came of the others. Decisions only; somebody else sends.

A batch that is refused as a whole is halved until the bad row stands alone, so that the others go through.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import evolve

from omsync.allocation import Notice
from omsync.allocation.reasons import words
from omsync.checks import counted
from omsync.errors import (
    DeadlineError,
    DecodeError,
    OmsyncError,
    RefusedError,
    ThrottledError,
    TransientError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.exchange import (
    ALREADY_SHOWN,
    CartListing,
    ListingState,
    PushResult,
    QuantityChange,
    SinkCapabilities,
)
from omsync.planning import SyncPlan, batches, changes_of, refresh
from omsync.planning.conflicts import (
    TRIES,
    Again,
    compares_by_reading,
    decide_again,
    has_moved,
    too_old,
    with_rows,
)
from omsync.planning.lines import skip
from omsync.planning.made import Made
from omsync.planning.outcomes import (
    Outcome,
    Outcomes,
    outcome_of_line,
    outcome_of_result,
    outcomes_of_plan,
)
from omsync.planning.plan import Key, PlanLine
from omsync.planning.refresh import overtaken
from omsync.planning.shown import listed
from omsync.report import NOT_REPEATED, status_of

__all__ = ["Push"]

Batch = tuple[QuantityChange, ...]
_MAY_BE_DONE = (TransientError, DecodeError)
_NOT_DONE = (UnreachableError, ThrottledError)
"""After the first nobody knows whether the rows were written; after these of them they surely were not."""


class Push:
    """One plan on its way into a cart.

    Args:
        plan: What to push.
        capabilities: The cart's.
        run_id: Goes into the rows' keys.
        approved: Whether held lines go out too.
    """

    def __init__(
        self, *, plan: SyncPlan, capabilities: SinkCapabilities, run_id: str, approved: bool
    ) -> None:
        self.plan = plan
        self._capabilities = capabilities
        self._run_id = run_id
        self._approved = approved
        self._queue: deque[Batch] = deque()
        self._lines: dict[Key, PlanLine] = {}
        self._rows: dict[Key, QuantityChange] = {}
        self._in_flight: Batch = ()
        self._done: dict[Key, Outcome] = {}
        self._repeated: dict[Key, int] = {}
        self._news: list[ListingState] = []
        self._conflicts: Counter[Key] = Counter()
        self._lost: list[Key] = []
        self._looks: dict[Key, datetime] = {}
        self._fell: dict[Key, tuple[int, int]] = {}
        self._not_again: set[Key] = set()
        self._overtaken: frozenset[Key] = frozenset()
        self._load()

    @property
    def rows_left(self) -> int:
        """Rows that wait to be sent."""
        return sum(len(batch) for batch in self._queue)

    @property
    def sent_any(self) -> bool:
        """Whether a row went over the wire, or may have."""
        return bool(self._repeated) or any(one.was_sent for one in self._done.values())

    def refresh(
        self,
        shown: Iterable[CartListing],
        states: Iterable[ListingState] = (),
        accepted: Mapping[Key, int] | None = None,
        looked_at: datetime | None = None,
        lowest: Mapping[Key, int] | None = None,
    ) -> None:
        """Look at the cart again: what moved since the plan, or a later run has decided, is dropped."""
        if self._capabilities.contents != "full":
            self._not_again = {one.key for one in self.plan.lines if one.action not in {"change", "hold"}}
        plan = refresh(self.plan, shown, self._capabilities, accepted, lowest)
        if plan.looked_at:
            planned_at = datetime.fromisoformat(plan.looked_at)
            plan, self._overtaken = overtaken(plan, states, self._capabilities, planned_at)
        self.plan = plan if looked_at is None else evolve(plan, looked_at=looked_at.isoformat())
        self._load()

    def rows_to_compare(self, now: datetime) -> list[Key]:
        """Give the next rows, where the cart is blind and the last look at one of them is too old."""
        within, looked_at = self.plan.compare_within, self.plan.looked_at
        if not (within and looked_at and self._queue and compares_by_reading(self._capabilities)):
            return []
        oldest, planned = now - timedelta(seconds=within), datetime.fromisoformat(looked_at)
        return too_old(self._queue, lambda key: self._looks.get(key, planned) < oldest)

    def compare(self, keys: Iterable[Key], listings: Iterable[CartListing], now: datetime) -> None:
        """Take a look right before the write: rows that moved meanwhile are decided anew."""
        shown = listed(listings)
        rows: dict[Key, QuantityChange | None] = {}
        for key in keys:
            line, listing = self._lines[key], shown.get(key)
            self._looks[key] = now
            if listing is not None:
                rows[key] = self._decided(key, decide_again(line, listing, self._capabilities))
            elif line.basis != "none":
                rows[key] = None
                gone = skip(line, "not_in_cart")
                self._done[key] = outcome_of_line(gone, "skipped", gone.reason, gone.hint)
        self._queue = deque(with_rows(self._queue, rows))

    def rows_lost(self) -> list[Key]:
        """Give the rows of the last batch that the cart refused as moved, where another look may help."""
        able = self._capabilities
        compares = able.compare_and_set != "blind" and able.readable and able.contents != "full"
        return [key for key in self._lost if compares and self._conflicts[key] < TRIES]

    def decide_lost(self, keys: Iterable[Key], listings: Iterable[CartListing]) -> None:
        """Take a look after a refusal: each row goes out against the new figure, or is settled."""
        shown = listed(listings)
        again: list[QuantityChange] = []
        for key in keys:
            listing = shown.get(key)
            if listing is None:
                continue
            decided = decide_again(self._lines[key], listing, self._capabilities)
            # What did not move was refused for another reason, which stands.
            if decided.line.action != "skip" and not has_moved(self._lines[key], decided.line):
                continue
            row = self._decided(key, decided)
            if row is not None:
                # It is another request than the one that was refused, so it has a key of its own.
                self._rows[key] = row = evolve(row, key=f"{row.key}:{self._conflicts[key]}")
                self._done.pop(key)
                again.append(row)
        self._queue.extendleft(reversed(batches(again, self._capabilities)))

    def _decided(self, key: Key, decided: Again) -> QuantityChange | None:
        """Note what a second look decided; None comes back for a row that does not go out."""
        self._note_fall(key, decided.line.shown)
        line = self._lines[key] = decided.line
        if decided.send:
            alone = evolve(self.plan, lines=(line,), known=())
            (row,) = changes_of(alone, self._capabilities, run_id=self._run_id, approved=True)
            self._rows[key] = row
            return row
        outcome = {"hold": "held", "skip": "skipped"}.get(line.action, line.action)
        self._done[key] = outcome_of_line(line, outcome, line.reason, line.hint)
        if line.action == "unchanged":
            self._news.append(_state(key, observed=line.shown))
        return None

    def fallen(self) -> dict[Key, tuple[int, int]]:
        """Give what each row showed first and later, of those that fell since this was asked last."""
        fell, self._fell = self._fell, {}
        return fell

    def _note_fall(self, key: Key, later: int | None) -> None:
        first = self._lines[key].shown
        if first is not None and later is not None and later < first:
            self._fell[key] = (first, later)

    def next_batch(self) -> Batch:
        """Take the next rows to send."""
        return self._queue.popleft()

    def goes_out(self, batch: Batch) -> None:
        """Note that the rows are handed to the cart: from now on until its answer they may be done."""
        self._in_flight = batch

    def batch_answered(self, batch: Batch, results: Iterable[PushResult]) -> None:
        """Take the cart's answers, row by row."""
        answers = {(result.listing_sku, result.location_id): result for result in results}
        not_repeated: list[tuple[QuantityChange, PushResult | None]] = []
        self._lost = []
        for change in batch:
            key = (change.listing_sku, change.location_id)
            result = answers.get(key)
            if change.repeated:
                if not _is_taken(result) and not self._is_unchanged(key):
                    not_repeated.append((change, result))
                self._repetition_answered(key, change, result)
                continue
            self._done[key] = outcome_of_result(self._lines[key], change, result, self._capabilities)
            if result is not None and result.status == "conflict":
                self._lost.append(key)
                self._conflicts[key] += 1
            if result is not None and result.status == "accepted":
                echo = result.echo
                observed = None if echo is None else echo - (change.quantity - change.available)
                if result.reason == ALREADY_SHOWN:
                    # What shows is the row's own quantity, also where the answer does not echo it.
                    self._note_fall(key, change.available)
                self._news.append(_state(key, accepted=change.available, observed=observed))
        if not_repeated:
            reason, why = _why_not(not_repeated[0][1])
            entries = sorted({change.listing_sku for change, _ in not_repeated})
            self._note_not_repeated(len(not_repeated), reason, why, entries)
        self._in_flight = ()

    def batch_failed(self, batch: Batch, error: OmsyncError) -> None:
        """Decide what an error means for the batch, and for what is left."""
        self._in_flight = ()
        if isinstance(error, _MAY_BE_DONE) and not isinstance(error, _NOT_DONE):
            self._settle(batch, "pending", "answer_unknown", error.message)
        elif isinstance(error, RefusedError) and not isinstance(error, UnauthorizedError):
            if len(batch) > 1 and self._capabilities.contents != "full":
                middle = len(batch) // 2
                self._queue.extendleft((batch[middle:], batch[:middle]))
            else:
                self._settle(batch, "rejected", error.code, error.message)
        else:
            # No connection, no permission, no time: the rows were not written, and others would not be.
            reason = "deadline" if isinstance(error, DeadlineError) else "not_sent"
            self._settle(batch, "skipped", reason, str(error))
            self.stop(reason, str(error))

    def stop(self, reason: str, message: str) -> None:
        """Send nothing more; rows whose answer is missing may be done, the rest were not sent."""
        settled = {*self._done, *self._repeated}
        left = {key: row for key, row in self._rows.items() if key not in settled}
        under_way = {(row.listing_sku, row.location_id) for row in self._in_flight}
        self._settle([left[key] for key in left if key in under_way], "pending", "answer_unknown", message)
        self._settle([left[key] for key in left if key not in under_way], "skipped", reason, message)
        self._queue.clear()
        self._in_flight = ()

    def unseen_listings(self) -> list[str]:
        """Give the listings that were accepted without showing it, where a look would tell."""
        if not self._capabilities.readable or self._capabilities.completion != "immediate":
            return []
        return sorted({key[0] for key, one in self._done.items() if one.reason == "not_yet_seen"})

    def seen(self, listings: Iterable[CartListing]) -> None:
        """Take a read-back: what the cart shows by now is applied.

        What shows less than was written, and not what stood before, may have sold since; it is left for the
        next run to see, as in ``desired``.
        """
        for listing in listings:
            key = (listing.listing_sku, listing.location_id)
            outcome = self._done.get(key)
            if outcome is None or outcome.reason != "not_yet_seen" or listing.quantity is None:
                continue
            change = self._rows[key]
            more = change.quantity - change.available
            may_have_sold = listing.quantity < change.quantity and listing.quantity != change.shown
            if not may_have_sold:
                self._news.append(_state(key, observed=listing.quantity - more))
            if listing.quantity == change.quantity:
                self._done[key] = outcome_of_line(self._lines[key], "applied")

    def outcome_of(self, key: Key) -> Outcome | None:
        """Give what came of a row that was sent; None while nothing has, or it is to be sent again."""
        return self._done.get(key)

    def outcomes(self) -> Outcomes:
        """Give exactly one outcome for every (listing, location) and for every product without a listing."""
        return self._outcomes().in_order()

    def status(self) -> str:
        """Sum the run up."""
        return status_of(self._outcomes(), self.plan.notices)

    def _outcomes(self) -> Outcomes:
        by_plan = outcomes_of_plan(self.plan, approved=self._approved, repeated=self._repeated)
        return by_plan.replaced(self._done)

    def desired(self, now: datetime) -> Sequence[ListingState]:
        """Give what the plan wants and what the cart showed, for the ledger; each is made when looked at.

        What moved since the plan was made is left for the next run to see: it may be a sale, and a fall that
        this run noted as seen would pass there for what is usual. A line that was not looked at again shows
        what it did when the plan was made, and later runs may have seen, and written, something else; what
        they wanted stays as they noted it.
        """
        run_id, not_again = self._run_id, self._not_again

        def state(line: PlanLine) -> ListingState:
            seen = line.basis == "cart" and line.reason != "moved_since_plan" and line.key not in not_again
            return ListingState(
                listing_sku=line.listing_sku,
                location_id=line.location_id,
                desired=line.quantity,
                desired_at=now,
                desired_run=run_id,
                observed=line.shown if seen else None,
                observed_at=now if seen else None,
                observed_run=run_id if seen else None,
            )

        return Made((line for line in self.plan.lines if line.key not in self._overtaken), state)

    def sent(self, batch: Batch, now: datetime) -> list[ListingState]:
        """Give a batch as about to go over the wire, for the ledger; what is repeated is there already."""
        return [
            ListingState(
                listing_sku=change.listing_sku,
                location_id=change.location_id,
                sent=change.available,
                sent_at=now,
                sent_run=self._run_id,
            )
            for change in batch
            if not change.repeated
        ]

    def learned(self, now: datetime) -> list[ListingState]:
        """Give what was accepted and observed since the last call, for the ledger."""
        news, self._news = self._news, []
        return [
            ListingState(
                listing_sku=state.listing_sku,
                location_id=state.location_id,
                accepted=state.accepted,
                accepted_at=None if state.accepted is None else now,
                accepted_run=None if state.accepted is None else self._run_id,
                observed=state.observed,
                observed_at=None if state.observed is None else now,
                observed_run=None if state.observed is None else self._run_id,
            )
            for state in news
        ]

    def _load(self) -> None:
        rows: Sequence[QuantityChange] = changes_of(
            self.plan, self._capabilities, run_id=self._run_id, approved=self._approved
        )
        self._rows = {(row.listing_sku, row.location_id): row for row in rows}
        self._lines = {line.key: line for line in self.plan.lines if line.key in self._rows}
        self._queue = deque(batches(rows, self._capabilities))

    def _repetition_answered(self, key: Key, change: QuantityChange, result: PushResult | None) -> None:
        """Note what was repeated; a refused repetition is said of a line that would pass as unchanged."""
        if _is_taken(result):
            self._repeated[key] = change.available
        elif self._is_unchanged(key):
            self._done[key] = outcome_of_result(self._lines[key], change, result, self._capabilities)

    def _is_unchanged(self, key: Key) -> bool:
        return key in self._lines and self._lines[key].action == "unchanged"

    def _settle(self, batch: Sequence[QuantityChange], outcome: str, reason: str, message: str) -> None:
        settled = False
        for change in batch:
            key = (change.listing_sku, change.location_id)
            # Of what is repeated, held and skipped lines stay so; an unchanged one was to be told again.
            if not change.repeated or self._is_unchanged(key):
                self._done[key] = outcome_of_line(self._lines[key], outcome, reason, message)
                settled = True
        if batch and not settled:
            self._note_not_repeated(len(batch), reason, message)

    def _note_not_repeated(self, rows: int, reason: str, why: str, entries: Sequence[str] = ()) -> None:
        """Say once that what a cart is sent each time was left out: to it, what is missing may be gone."""
        if any(one.reason == NOT_REPEATED for one in self.plan.notices):
            return
        notice = Notice(
            reason=NOT_REPEATED,
            message=f"{counted(rows, 'row')} could not be repeated ({words(reason)}): {why}",
            entries=tuple(entries),
        )
        self.plan = evolve(self.plan, notices=(*self.plan.notices, notice))


def _is_taken(result: PushResult | None) -> bool:
    return result is not None and result.status in {"accepted", "pending"}


def _why_not(result: PushResult | None) -> tuple[str, str]:
    if result is None:
        return "no_answer_for_row", "the cart said nothing about it"
    return result.reason or result.status, result.message


def _state(key: Key, *, accepted: int | None = None, observed: int | None = None) -> ListingState:
    return ListingState(listing_sku=key[0], location_id=key[1], accepted=accepted, observed=observed)
