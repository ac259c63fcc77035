"""Paged lists, read side by side: one page of each in every round, each round kept before the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from attrs import define, field

from omsync.errors import DecodeError, OmsyncError
from omsync.http.messages import Conversation
from omsync.http.steps import Line, Steps, talk_all
from omsync.sources.extensiv.journal import Journal

__all__ = ["Stream", "read_streams"]

R = TypeVar("R")

MOST_PAGES = 100_000
"""No list is this long; a server that never gives an empty page is one that repeats itself."""


@define(kw_only=True)
class Stream(Generic[R]):
    """One paged list.

    It ends with an empty page, never with a short one: short pages come in the middle too.

    Args:
        name: Its name in the journal.
        stage: Its name in the progress.
        ask: Makes the conversation about a page, counted from 1.
        pages: What has been read.
    """

    name: str
    stage: str
    ask: Callable[[int], Conversation[list[R]]]
    pages: list[list[R]] = field(factory=list)

    @property
    def finished(self) -> bool:
        """Whether its empty page has come."""
        return bool(self.pages) and not self.pages[-1]

    @property
    def next_page(self) -> int:
        """The page to ask for, counted from 1."""
        return len(self.pages) + 1

    def take(self, rows: list[R]) -> None:
        """Add a page.

        Raises:
            DecodeError: The page equals the one before, or there are more than any list has.
        """
        number = self.next_page
        if rows and self.pages and rows == self.pages[-1]:
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
        self.pages.append(rows)

    @property
    def rows(self) -> Iterable[R]:
        """All rows in the order in which they were read."""
        return (row for page in self.pages for row in page)

    @property
    def count(self) -> int:
        """How many rows have been read, repeated ones included."""
        return sum(map(len, self.pages))


def read_streams(
    line: Line,
    streams: Sequence[Stream[Any]],
    journal: Journal,
    report: Callable[[str, int], None],
) -> Steps[None]:
    """Read the streams to their ends.

    The pages of a round that came are kept even when another one failed; then the first failure is raised.
    """
    while live := [stream for stream in streams if not stream.finished]:
        outcomes = yield from talk_all(line, [stream.ask(stream.next_page) for stream in live])
        pages: dict[tuple[str, int], list[Any]] = {}
        failures: list[OmsyncError] = []
        for stream, outcome in zip(live, outcomes, strict=True):
            try:
                if isinstance(outcome, OmsyncError):
                    raise outcome
                stream.take(outcome)
                pages[stream.name, len(stream.pages)] = outcome
            except OmsyncError as failure:
                failures.append(failure)
        yield from journal.keep(pages)
        if failures:
            raise failures[0]
        for stage in dict.fromkeys(stream.stage for stream in live):
            report(stage, sum(stream.count for stream in streams if stream.stage == stage))
