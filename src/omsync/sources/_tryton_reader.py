"""Reading lists of Tryton's records whole, side by side, and going on when the session ends meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from attrs import define, field

from omsync.errors import OmsyncError, TransientError, UnauthorizedError
from omsync.http.messages import Conversation
from omsync.http.steps import Line, Steps, talk, talk_all
from omsync.sinks._http import Wire, results_of
from omsync.sources import _tryton as api

__all__ = ["Reader", "Rows"]

T = TypeVar("T")
Rows = list[tuple[int, Wire]]
"""Records, each with its id; ids ascending."""

_PASSES = 3


@define(kw_only=True)
class _Listing:
    """One list while it is read.

    Args:
        records: What is read.
        before: How many there were at the beginning.
        rows: What has been read.
        finished: Whether that is all.
    """

    records: api.Records
    before: int
    rows: Rows = field(factory=list)
    finished: bool = False

    def take(self, page: Rows, limit: int) -> None:
        """Add a page; a short one is the last if nothing is missing, for a server may cap its pages."""
        self.rows += page
        self.finished = not page or (len(page) < limit and len(self.rows) >= self.before)

    def is_whole(self, after: int) -> bool:
        """Tell whether as many were read as there were, before or after or in between."""
        return min(self.before, after) <= len(self.rows) <= max(self.before, after)


@define(kw_only=True)
class Reader:
    """Reads lists by way of one session or key.

    Args:
        line: The connection.
        access: The way in, without a session.
        credentials: User name and password; None with a key.
        page_size: Records in one answer.
        report: Called with what is read, how many, and of how many: None until it is whole.
    """

    line: Line
    access: api.Access
    credentials: tuple[str, str] | None = field(repr=False)
    page_size: int
    report: Callable[[str, int, int | None], None]

    def enter(self) -> Steps[None]:
        """Log in, unless a key does without, and take over the user's context."""
        yield from self._log_in()
        (self.access,) = yield from self._ask([api.look_around])

    def leave(self) -> Steps[None]:
        """End the session; if that does not succeed, it ends by itself later."""
        if self.credentials is not None:
            yield from talk_all(self.line, [api.log_out(self.access)])

    def lists(self, wanted: Sequence[api.Records]) -> Steps[list[Rows]]:
        """Read lists whole, in the order given.

        Each is counted before and after. Records may come and go meanwhile, but where fewer or more were read
        than either count explains, the list is read again.

        Raises:
            TransientError: ``changed_while_reading``: even then.
        """
        whole: dict[int, Rows] = {}
        for _ in range(_PASSES):
            left = [index for index in range(len(wanted)) if index not in whole]
            listings = yield from self._read([wanted[index] for index in left])
            after = yield from self._counts([wanted[index] for index in left])
            for index, listing, number in zip(left, listings, after, strict=True):
                if listing.is_whole(number):
                    whole[index] = listing.rows
                    self.report(listing.records.what, len(listing.rows), len(listing.rows))
            if len(whole) == len(wanted):
                return [whole[index] for index in range(len(wanted))]
        missing = next(wanted[index].what for index in range(len(wanted)) if index not in whole)
        raise TransientError(
            f"{self.line.account}: the list of {missing} could not be read whole in {_PASSES} passes: other "
            "records were counted than read",
            code="changed_while_reading",
            remedy="Try again when fewer of them are made or deleted; nothing was changed.",
        )

    def _read(self, wanted: Sequence[api.Records]) -> Steps[list[_Listing]]:
        counts = yield from self._counts(wanted)
        listings = [
            _Listing(records=records, before=number) for records, number in zip(wanted, counts, strict=True)
        ]
        while live := [listing for listing in listings if not listing.finished]:
            pages = yield from self._ask(
                [
                    partial(
                        api.page,
                        records=listing.records,
                        after=listing.rows[-1][0] if listing.rows else -1,
                        limit=self.page_size,
                    )
                    for listing in live
                ]
            )
            for listing, page in zip(live, pages, strict=True):
                listing.take(page, self.page_size)
                self.report(listing.records.what, len(listing.rows), None)
        return listings

    def _counts(self, wanted: Sequence[api.Records]) -> Steps[list[int]]:
        return (yield from self._ask([partial(api.count, records=records) for records in wanted]))

    def _ask(self, makes: Sequence[Callable[[api.Access], Conversation[T]]]) -> Steps[list[T]]:
        """Hold conversations side by side; those to which the session's end came are held once more."""
        outcomes = yield from talk_all(self.line, [make(self.access) for make in makes])
        late = [index for index, outcome in enumerate(outcomes) if _session_ended(outcome)]
        if late:
            yield from self._log_in()
            again = yield from talk_all(self.line, [makes[index](self.access) for index in late])
            for index, outcome in zip(late, again, strict=True):
                outcomes[index] = outcome
        return results_of(outcomes)

    def _log_in(self) -> Steps[None]:
        if self.credentials is not None:
            self.access = yield from talk(self.line, api.log_in(self.access, *self.credentials))


def _session_ended(outcome: T | OmsyncError) -> bool:
    return isinstance(outcome, UnauthorizedError) and outcome.code == "session_ended"
