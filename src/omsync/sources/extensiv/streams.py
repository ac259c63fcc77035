"""Paged lists, read side by side: one page of each in every round, each round kept before the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from typing import Any, Generic, TypeVar

from attrs import define, field

from omsync.errors import DecodeError, OmsyncError
from omsync.http.messages import Conversation
from omsync.http.steps import Line, Steps, talk_all
from omsync.sources.extensiv.journal import Journal

__all__ = ["Stream", "read_streams"]

P = TypeVar("P", bound=Sized)
"""A page: rows, or columns of them."""

MOST_PAGES = 100_000
"""No list is this long; a server that never gives an empty page is one that repeats itself."""


@define(kw_only=True)
class Stream(Generic[P]):
    """One paged list, whose pages are handed on as they come; the last one alone is kept.

    It ends with an empty page, never with a short one: short pages come in the middle too.

    Args:
        name: Its name in the journal.
        stage: Its name in the progress.
        ask: Makes the conversation about a page, counted from 1.
        into: Takes each page.
        number: How many pages have been read.
        count: How many rows have been read, repeated ones included.
    """

    name: str
    stage: str
    ask: Callable[[int], Conversation[P]]
    into: Callable[[P], object]
    number: int = field(default=0, init=False)
    count: int = field(default=0, init=False)
    _last: P | None = field(default=None, init=False)

    @property
    def finished(self) -> bool:
        """Whether its empty page has come."""
        return self._last is not None and not len(self._last)

    @property
    def next_page(self) -> int:
        """The page to ask for, counted from 1."""
        return self.number + 1

    def take(self, page: P) -> None:
        """Add a page.

        Raises:
            DecodeError: The page equals the one before, or there are more than any list has.
        """
        number = self.next_page
        if len(page) and page == self._last:
            raise DecodeError(
                f"{self.name}: the server repeats page {number - 1} as page {number}",
                code="pages_repeat",
                remedy="Something between here and the order manager drops the page number; check base_url.",
            )
        if number > MOST_PAGES:
            raise DecodeError(
                f"{self.name}: no empty page came in {MOST_PAGES:,} pages",
                code="pages_endless",
                remedy="Check base_url and page_sizes.",
            )
        self.into(page)
        self.number, self.count, self._last = number, self.count + len(page), page


def read_streams(
    line: Line,
    streams: Sequence[Stream[Any]],
    journal: Journal,
    report: Callable[[str, int, int | None], None],
) -> Steps[None]:
    """Read the streams to their ends; ``report`` is told of what an earlier read kept, and of each round.

    The pages of a round that came are kept even when another one failed; then the first failure is raised.
    """
    _tell([stream for stream in streams if stream.number], streams, report)
    while live := [stream for stream in streams if not stream.finished]:
        outcomes = yield from talk_all(line, [stream.ask(stream.next_page) for stream in live])
        pages: dict[tuple[str, int], Any] = {}
        failures: list[OmsyncError] = []
        for stream, outcome in zip(live, outcomes, strict=True):
            try:
                if isinstance(outcome, OmsyncError):
                    raise outcome
                stream.take(outcome)
                pages[stream.name, stream.number] = outcome
            except OmsyncError as failure:
                failures.append(failure)
        yield from journal.keep(pages)
        if failures:
            raise failures[0]
        _tell(live, streams, report)


def _tell(
    news: Iterable[Stream[Any]],
    streams: Sequence[Stream[Any]],
    report: Callable[[str, int, int | None], None],
) -> None:
    """Report the stages of these streams; a stage's total is known once all of its streams have ended."""
    for stage in dict.fromkeys(stream.stage for stream in news):
        together = [stream for stream in streams if stream.stage == stage]
        done = sum(stream.count for stream in together)
        report(stage, done, done if all(stream.finished for stream in together) else None)
