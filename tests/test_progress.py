"""Progress bars: the stage, how many, how fast, and how long it will still take."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from fake_ports import FakeSource, stock

from omsync import MerchantSettings, PerWarehouse, read_inventory
from omsync.errors import OmsyncError, WrongTypeError
from omsync.ports import Progress
from omsync.progress import Course, rich_progress, tqdm_progress

Bars = Callable[..., AbstractContextManager[Progress]]
BOTH = pytest.mark.parametrize("bars", [rich_progress, tqdm_progress])


class Watch:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 2, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Terminal(io.StringIO):
    """What a terminal was given."""

    def isatty(self) -> bool:
        return True

    @property
    def said(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")


def test_what_is_left_comes_from_the_rows_per_second_seen() -> None:
    course = Course()
    assert str(course) == "0 so far"
    course.note(0, 0, 36_000)
    assert (str(course), course.per_second, course.seconds_left) == ("0 of 36,000", None, None)
    course.note(10, 20, 36_000)

    assert (course.per_second, course.seconds_left) == (2, 17_990)
    assert str(course) == "20 of 36,000, 2/s, 4 h 59 min left"


def test_a_new_pace_is_followed_and_the_old_one_forgotten() -> None:
    course = Course()
    for second in range(100):
        course.note(second, second * 100, 100_000)
    assert course.per_second == 100
    for minute in range(1, 31):
        course.note(100 + minute * 60, 9_900 + minute * 60, 100_000)

    assert course.per_second == 1


def test_a_stage_that_begins_again_is_not_measured_against_what_it_had() -> None:
    course = Course()
    course.note(0, 0, 100)
    course.note(10, 90, 100)
    course.note(20, 10, 100)
    assert course.per_second is None
    course.note(30, 20, 100)

    assert course.per_second == 1


def test_a_stage_that_stands_still_or_is_told_twice_at_once_has_no_pace() -> None:
    course = Course()
    course.note(5, 3, 9)
    course.note(5, 4, 9)
    assert course.per_second is None
    still = Course()
    still.note(0, 3, 9)
    still.note(60, 3, 9)

    assert (still.per_second, still.seconds_left) == (None, None)


@pytest.mark.parametrize(
    ("seconds", "done", "total", "words"),
    [
        (10, 500, None, "500 so far, 50/s"),
        (10, 10, 30, "10 of 30, 1/s, 20 s left"),
        (60, 30, 90, "30 of 90, 30/min, 2 min left"),
        (7200, 5, 10, "5 of 10, 2.5/h, 2 h 0 min left"),
        (3600, 1, 100, "1 of 100, 1.0/h, 4 days left"),
        (1, 1234, 1_000_000_000, "1,234 of 1,000,000,000, 1,234/s, 9 days left"),
        (10, 30, 30, "30 of 30, 3/s"),
        (10, 40, 30, "40 of 30, 4/s"),
    ],
)
def test_the_pace_and_the_time_are_worded_for_a_person(
    seconds: int, done: int, total: int | None, words: str
) -> None:
    course = Course()
    course.note(0, 0, total)
    course.note(seconds, done, total)

    assert str(course) == words
    assert course.is_done == (total is not None and done >= total)


@BOTH
def test_a_bar_shows_stage_count_pace_and_what_is_left(bars: Bars) -> None:
    watch, terminal = Watch(), Terminal()
    with bars(terminal, clock=watch) as on_progress:
        on_progress("stock", 500, None)
        watch.sleep(10)
        on_progress("stock", 1_000, None)
        on_progress("push", 250, 36_250)
        watch.sleep(100)
        on_progress("push", 500, 36_250)

    for words in ("stock", "1,000 so far, 50/s", "push", "500 of 36,250, 2/s, 3 h 58 min left"):
        assert words in terminal.said


@BOTH
def test_a_stage_without_anything_to_do_is_done(bars: Bars) -> None:
    terminal = Terminal()
    with bars(terminal, clock=Watch()) as on_progress:
        on_progress("push", 0, 0)

    assert "0 of 0" in terminal.said


@BOTH
def test_a_total_that_is_learned_late_and_carts_side_by_side(bars: Bars) -> None:
    watch, terminal = Watch(), Terminal()
    with bars(terminal, clock=watch) as on_progress:
        on_progress("shop: read cart", 0, None)
        on_progress("edi: push", 1, 2)
        watch.sleep(1)
        on_progress("shop: read cart", 40, 40)
        on_progress("edi: push", 2, 2)

    for words in ("shop: read cart", "edi: push", "40 of 40", "2 of 2"):
        assert words in terminal.said


@BOTH
def test_the_name_of_a_cart_steers_nothing(bars: Bars) -> None:
    terminal = Terminal()
    with bars(terminal, clock=Watch()) as on_progress:
        on_progress("\x1b[2J[bold]{x} %s: push", 1, 2)
        on_progress("\x1b[2J[bold]{x} %s: read", 1, None)

    assert "⟨U+001B⟩[2J[bold]{x} %s: push" in terminal.said
    assert "⟨U+001B⟩[2J[bold]{x} %s: read" in terminal.said


@BOTH
def test_an_error_in_the_block_is_the_caller_s_and_the_bars_end(bars: Bars) -> None:
    def fails(on_progress: Progress) -> None:
        on_progress("stock", 500, None)
        raise ZeroDivisionError

    terminal = Terminal()
    with pytest.raises(ZeroDivisionError), bars(terminal) as on_progress:
        fails(on_progress)

    assert "500 so far" in terminal.said


@BOTH
def test_bars_go_to_the_standard_error_so_that_the_output_stays_the_program_s(
    bars: Bars, capsys: pytest.CaptureFixture[str]
) -> None:
    with bars() as on_progress:
        on_progress("push", 1, 2)
    said = capsys.readouterr()

    assert said.out == ""
    assert "push" in said.err


@pytest.mark.parametrize(
    ("bars", "module", "extra"),
    [(rich_progress, "rich.console", "rich"), (tqdm_progress, "tqdm.std", "tqdm")],
)
def test_without_the_library_the_extra_is_named(
    bars: Bars, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(OmsyncError, match=rf"omsync\[{extra}\]") as caught, bars():
        pass
    assert caught.value.code == "missing_library"


@BOTH
def test_bars_that_were_not_entered_are_refused_before_anything_is_read(bars: Bars) -> None:
    source, forgotten = FakeSource(stock({})), bars(Terminal())
    progress: Any = forgotten
    with pytest.raises(WrongTypeError, match="on_progress cannot be told anything") as caught:
        read_inventory(source, MerchantSettings(mode=PerWarehouse()), on_progress=progress)
    assert "with rich_progress() as on_progress:" in caught.value.remedy
    assert source.requests == []
