"""A page in a terminal: drawn by rich, in words and signs, and nothing in a SKU steers anything."""

from __future__ import annotations

import io
import sys

import pytest
from demo_page import HOSTILE, NOW, demo_page, empty_table, plan_table

from omsync.errors import OmsyncError
from omsync.views.cells import visible
from omsync.views.page import Branch, Chart, Column, Fact, Page, Series, Table, Tree
from omsync.views.terminal import print_page


def printed(page: Page, monkeypatch: pytest.MonkeyPatch, *, wide: int = 200, most: int = 40) -> str:
    monkeypatch.setenv("COLUMNS", str(wide))
    out = io.StringIO()
    print_page(page, out, most=most)
    return out.getvalue()


def test_a_page_is_printed_with_all_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(demo_page(), monkeypatch)

    assert text.startswith("Plan for acme at shop  as of 2026-03-02 08:00Z\n127 listings would change;")
    for line in (
        "Held                   !! 43",
        "Read                   ✓ 10 min ago",
        "... and 260 more rows",
        "Held changes wait for a person.",
        "KIT-7: 7 (what the parts are enough for)",
        "├── PART-B, twice: 7 (14 available, 2 go into each) <- decides",
        "│   └── - Returns (704): 14 (left out: its location is disabled)",
        "Stock by location (units)",
        "Nothing is in quarantine.",
        "note: The guardrail allows 20 % of the listings to fall to zero.",
    ):
        assert line in text
    assert "Not wide enough" not in text


def test_what_stands_in_a_sku_is_neither_markup_nor_an_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(demo_page(), monkeypatch, wide=320)

    assert "[bold]x[/bold]" in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    for code in HOSTILE:
        assert visible(code)[:24] in text


def test_no_text_of_a_page_steers_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "[red]\x1b]0;title\x07\u202e"
    root = Branch(label=evil, detail=evil, branches=[Branch(label=evil, tone="bad")])
    page = Page(
        title=evil,
        summary=evil,
        facts=[Fact(name=evil, value=evil, tone="warning")],
        parts=[
            Tree(title=evil, root=root, note=evil),
            Table(title=evil, columns=[Column(title=evil)], rows=[(evil,)]),
            Table(title=evil, columns=[Column(title=evil)], rows=(), empty=evil),
            Chart(title=evil, labels=(evil,), series=[Series(name=evil, figures=(1,))], unit=evil, note=evil),
        ],
        notes=[evil],
    )
    text = printed(page, monkeypatch)

    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert text.count(visible(evil)) == 20


def test_only_a_terminal_is_given_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    print_page(demo_page(20), out)

    assert "\x1b[1;31m!! " in out.getvalue()
    assert "\x1b" not in printed(demo_page(20), monkeypatch)


def test_columns_that_do_not_fit_are_named_and_the_others_stay_readable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = Page(title="T", parts=[plan_table(14)])
    text = printed(page, monkeypatch, wide=80)

    assert "Not wide enough for:" in text
    shown, left = text.split("Not wide enough for: ")
    assert "What happens, Sent before, Bundle" in left.replace("\n", " ")
    assert "SKU-13" in shown
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_one_column_is_always_shown_however_narrow_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(Page(title="T", parts=[plan_table(14)]), monkeypatch, wide=20)

    assert "SKU-13" in text
    assert max(map(len, text.splitlines())) <= 20


def test_quiet_rows_unknown_figures_and_no_tones_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [
        Column(title="SKU", kind="code"),
        Column(title="Shows", kind="number"),
        Column(title="At", kind="time"),
    ]
    rows = [("A-1", 1200, NOW), ("A-2", None, None)]
    text = printed(Page(title="T", parts=[Table(title="Rows", columns=columns, rows=rows)]), monkeypatch)

    assert [line.split() for line in text.splitlines() if "A-" in line] == [
        ["A-1", "1,200", "2026-03-02", "08:00Z"],
        ["A-2", "?", "?"],
    ]


def test_bars_are_as_long_as_their_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = (40, 20, None, 0, -10)
    chart = Chart(title="Stock", labels=tuple("abcde"), series=[Series(name="units", figures=figures)])
    text = printed(Page(title="T", parts=[chart]), monkeypatch, most=4)

    assert [line.count("█") for line in text.splitlines() if line.strip()[:1] in {*"abcd"}] == [36, 18, 0, 0]
    assert "... and 1 more row\n" in text


def test_a_chart_without_figures_and_a_page_without_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Chart(title="Stock", labels=(), series=())

    assert "Stock" in printed(Page(title="T", parts=[nothing]), monkeypatch)
    assert printed(Page(title="Nothing yet"), monkeypatch) == "Nothing yet\n"
    assert "Nothing is in quarantine." in printed(Page(title="T", parts=[empty_table()]), monkeypatch)


def test_without_rich_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)

    with pytest.raises(OmsyncError, match=r"omsync\[rich\]") as caught:
        print_page(demo_page(3))
    assert caught.value.code == "missing_library"
