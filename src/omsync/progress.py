"""Bars for ``on_progress``, with rich or tqdm: one for each stage, with its pace and the time that is left.

Where the order manager or the cart sets the pace, a first sync takes hours. What is left of it is worked out
from the rows per second seen lately, since neither says beforehand how fast it will be.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from omsync.checks import counted
from omsync.errors import OmsyncError
from omsync.http.clock import Clock, SystemClock
from omsync.ports import Progress
from omsync.views.cells import visible

__all__ = ["Course", "rich_progress", "tqdm_progress"]

_REMEMBERED = 30
"""Reports that the pace is taken from: enough to even out a pause, few enough to follow a new pace."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


class Course:
    """How far one stage is, and how fast it went lately."""

    def __init__(self) -> None:
        self.done = 0
        self.total: int | None = None
        self._seen: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)

    def note(self, seconds: float, done: int, total: int | None) -> None:
        """Take a report.

        Args:
            seconds: When, on a clock that never jumps.
            done: How many are done; fewer than before means that the stage has begun again.
            total: Of how many, or None.
        """
        if done < self.done:
            self._seen.clear()
        self.done, self.total = done, total
        self._seen.append((seconds, done))

    @property
    def is_done(self) -> bool:
        """Whether all is done, as far as anybody knows how many all are."""
        return self.total is not None and self.done >= self.total

    @property
    def per_second(self) -> float | None:
        """The pace over the last reports; None until two of them tell one."""
        if not self._seen:
            return None
        (began, first), (ended, last) = self._seen[0], self._seen[-1]
        return (last - first) / (ended - began) if ended > began and last > first else None

    @property
    def seconds_left(self) -> float | None:
        """The time that is left at that pace; None where the pace or the total is not known."""
        if self.total is None or self.per_second is None:
            return None
        return max(0, self.total - self.done) / self.per_second

    def __str__(self) -> str:
        words = [f"{self.done:,} so far" if self.total is None else f"{self.done:,} of {self.total:,}"]
        if self.per_second is not None:
            words.append(_paced(self.per_second))
        if self.seconds_left is not None and not self.is_done:
            words.append(f"{_lasting(self.seconds_left)} left")
        return ", ".join(words)


@contextmanager
def rich_progress(file: TextIO | None = None, *, clock: Clock | None = None) -> Iterator[Progress]:
    """Draw bars with rich while the block runs; give its value as ``on_progress``.

    Args:
        file: Where to draw; the standard error by default. What is no terminal is given the last state only.
        clock: For tests.

    Raises:
        OmsyncError: ``code="missing_library"``: rich is not installed; names the extra.
    """
    try:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars
    except ImportError as error:
        raise _missing("rich") from error
    time = clock or SystemClock()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=28),
        TextColumn("{task.fields[told]}", markup=False),
    )
    courses: dict[str, Course] = {}
    tasks: dict[str, Any] = {}
    with Bars(*columns, console=Console(file=file or sys.stderr)) as bars:

        def on_progress(stage: str, done: int, total: int | None) -> None:
            course = courses.setdefault(stage, Course())
            course.note(time.monotonic(), done, total)
            if stage not in tasks:
                tasks[stage] = bars.add_task(visible(stage), total=None, told="")
            bars.update(tasks[stage], completed=done, total=total, told=str(course))

        yield on_progress
        for stage, course in courses.items():
            if course.total is None:  # how many there were is known once nothing more came
                bars.update(tasks[stage], completed=1, total=1)


@contextmanager
def tqdm_progress(file: TextIO | None = None, *, clock: Clock | None = None) -> Iterator[Progress]:
    """Draw bars with tqdm while the block runs; give its value as ``on_progress``.

    Args:
        file: Where to draw; the standard error by default.
        clock: For tests.

    Raises:
        OmsyncError: ``code="missing_library"``: tqdm is not installed; names the extra.
    """
    try:
        from tqdm.std import tqdm
    except ImportError as error:
        raise _missing("tqdm") from error
    time = clock or SystemClock()
    courses: dict[str, Course] = {}
    bars: dict[str, Any] = {}

    def on_progress(stage: str, done: int, total: int | None) -> None:
        course = courses.setdefault(stage, Course())
        course.note(time.monotonic(), done, total)
        if stage not in bars:
            bars[stage] = tqdm(
                desc=visible(stage), file=file or sys.stderr, dynamic_ncols=True, position=len(bars)
            )
        bar = bars[stage]
        bar.total, bar.n = total, done
        drawn = "" if total is None else "{bar:28} "
        bar.bar_format = f"{{desc}} {drawn}{course}"
        bar.refresh()

    try:
        yield on_progress
    finally:
        for bar in bars.values():
            bar.close()


def _paced(per_second: float) -> str:
    for seconds, word in ((1, "s"), (_MINUTE, "min")):
        if per_second * seconds >= 1:
            return f"{per_second * seconds:,.0f}/{word}"
    return f"{per_second * _HOUR:,.1f}/h"


def _lasting(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE)} min"
    return counted(round(seconds / _DAY), "day")


def _missing(library: str) -> OmsyncError:
    return OmsyncError(
        f"A progress bar of {library} needs the library {library}, which is not installed",
        code="missing_library",
        remedy=f"Install it with: pip install 'omsync[{library}]'",
    )
