"""A page for a terminal, drawn with rich (extra ``rich``): words and signs, and colours as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from omsync.checks import counted
from omsync.errors import OmsyncError
from omsync.views.cells import SIGNS, is_known, visible, worded
from omsync.views.page import Branch, Chart, Fact, Page, Part, Table, Tree

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text
    from rich.tree import Tree as RichTree

__all__ = ["print_page"]

_STYLES = {
    "bad": "bold red",
    "warning": "yellow",
    "decides": "bold magenta",
    "good": "green",
    "quiet": "dim",
    "": "",
}
_MOST = 40
_NEEDS = {"text": 16, "code": 24}
"""The columns of a terminal that suffice for a text; longer ones are folded where there is no more room."""

_GAP = 3
_ALL_BARS = 36


def print_page(page: Page, file: TextIO | None = None, *, most: int = _MOST) -> None:
    """Print a page with drawn tables and trees, as wide as the terminal.

    Args:
        page: The page.
        file: Where to; the standard output by default. Only a terminal is given colours.
        most: Rows that are shown of each table.

    Raises:
        OmsyncError: ``code="missing_library"``: rich is not installed; names the extra.
    """
    try:
        from rich.console import Console
    except ImportError as error:
        raise OmsyncError(
            "Printing a page with colours needs the library rich, which is not installed",
            code="missing_library",
            remedy="Install it with: pip install 'omsync[rich]'; print(view) prints plain text without it.",
        ) from error
    console = Console(file=file, highlight=False)
    for block in _blocks(page, most, console.width):
        console.print(block)


def _blocks(page: Page, most: int, wide: int) -> Iterator[RenderableType]:
    at = "" if page.at is None else f"  as of {worded(page.at)}"
    yield _text((page.title, "bold"), (at, "dim"))
    if page.summary:
        yield _text((page.summary, ""))
    if page.facts:
        yield ""
        yield _facts(page.facts)
    for part in page.parts:
        yield ""
        unit = f" ({part.unit})" if isinstance(part, Chart) and part.unit else ""
        yield _text((part.title + unit, "bold"))
        yield from _part(part, most, wide)
        if part.note:
            yield _text((part.note, "dim"))
    if page.notes:
        yield ""
    for note in page.notes:
        yield _text(("note: ", "bold"), (note, ""))


def _facts(facts: tuple[Fact, ...]) -> RenderableType:
    from rich.table import Table as Grid

    grid = Grid.grid(padding=(0, 2))
    for fact in facts:
        grid.add_row(
            _text((fact.name, "dim")),
            _text((_sign(fact.tone), _STYLES[fact.tone]), (fact.value, _STYLES[fact.tone])),
        )
    return grid


def _part(part: Part, most: int, wide: int) -> Iterator[RenderableType]:
    if isinstance(part, Tree):
        yield _tree(part.root)
    elif isinstance(part, Chart):
        yield _bars(part, most)
        yield from _more(len(part.labels) - most)
    elif part.rows:
        yield from _table(part, most, wide)
        yield from _more(len(part.rows) - most)
    else:
        yield _text((part.empty, "dim"))


def _table(table: Table, most: int, wide: int) -> Iterator[RenderableType]:
    from rich import box
    from rich.table import Table as Grid

    widths = _widths(table, most)
    shown = _fitting(widths, wide - 2 - (2 + _GAP if table.tones else 0))
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    if table.tones:
        grid.add_column("", min_width=2)
    for column, width in zip(table.columns[:shown], widths, strict=False):
        grid.add_column(
            _text((column.title, "bold")),
            justify="right" if column.kind == "number" else "left",
            overflow="fold",
            min_width=min(width, wide),
        )
    for place, row in enumerate(table.rows[:most]):
        tone = table.tones[place] if table.tones else ""
        sign = [_text((_sign(tone).strip(), _STYLES[tone]))] if table.tones else []
        style = "dim" if tone == "quiet" else ""
        cells = [_text((worded(cell), style if is_known(cell) else "dim")) for cell in row[:shown]]
        grid.add_row(*sign, *cells)
    yield grid
    if left := [column.title for column in table.columns[shown:]]:
        yield _text((f"Not wide enough for: {', '.join(left)}", "dim"))


def _widths(table: Table, most: int) -> list[int]:
    """Give what each column needs: its longest cell, or word of its heading; texts can be folded."""
    from rich.cells import cell_len

    return [
        max(
            *(cell_len(word) for word in visible(column.title).split(" ")),
            *(min(_NEEDS.get(column.kind, _MOST), cell_len(worded(row[place]))) for row in table.rows[:most]),
        )
        for place, column in enumerate(table.columns)
    ]


def _fitting(widths: Sequence[int], wide: int) -> int:
    """Say how many columns fit, from the left; one is always shown."""
    shown, used = 1, widths[0]
    for width in widths[1:]:
        used += _GAP + width
        if used > wide:
            break
        shown += 1
    return shown


def _bars(chart: Chart, most: int) -> RenderableType:
    from rich import box
    from rich.table import Table as Grid

    known = [
        abs(one) for series in chart.series for one in series.figures if one is not None and is_known(one)
    ]
    top = max(known, default=0) or 1
    longest = max(4, _ALL_BARS // max(1, len(chart.series)))
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    grid.add_column("")
    for series in chart.series:
        grid.add_column(_text((series.name, "bold")), justify="right")
        grid.add_column("")
    for place, label in enumerate(chart.labels[:most]):
        cells = []
        for series in chart.series:
            figure = series.figures[place]
            wide = round(abs(figure) / top * longest) if figure is not None and is_known(figure) else 0
            cells += [_text((worded(figure), "")), _text(("█" * wide, "cyan"))]
        grid.add_row(_text((label, "")), *cells)
    return grid


def _tree(root: Branch) -> RichTree:
    from rich.tree import Tree as Drawn

    drawn = Drawn(_branch(root))
    _grow(drawn, root)
    return drawn


def _grow(drawn: RichTree, branch: Branch) -> None:
    for one in branch.branches:
        _grow(drawn.add(_branch(one)), one)


def _branch(branch: Branch) -> Text:
    figure = "" if branch.figure is None else f": {branch.figure:,}"
    said = f" <- {SIGNS['decides'][1]}" if branch.tone == "decides" else ""
    sign = "" if said else _sign(branch.tone)
    detail = f" ({branch.detail})" if branch.detail else ""
    return _text(
        (f"{sign}{branch.label}{figure}", _STYLES[branch.tone]), (detail, "dim"), (said, _STYLES[branch.tone])
    )


def _more(many: int) -> Iterator[RenderableType]:
    if many > 0:
        yield _text((f"... and {counted(many, 'more row')}", "dim"))


def _sign(tone: str) -> str:
    return f"{SIGNS[tone][0]} " if tone else ""


def _text(*parts: tuple[str, str]) -> Text:
    """Put parts together as they are: nothing in them is markup, and nothing steers the terminal."""
    from rich.text import Text

    return Text.assemble(*((visible(text), style) for text, style in parts))
