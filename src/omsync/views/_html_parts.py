"""The parts of a page as HTML that needs no script: facts, tables, trees and charts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from omsync.checks import counted
from omsync.views._html_bits import drawn_cell, drawn_moment, drawn_tree, signed, toned
from omsync.views._html_charts import drawn_chart
from omsync.views._html_data import data_script, key_columns
from omsync.views._markup import Html, element, joined
from omsync.views.page import Column, Fact, Page, Part, Table, Tree

__all__ = ["Extent", "body"]


@frozen(kw_only=True)
class Extent:
    """How much of a page stands in the markup itself.

    Args:
        rows: The most rows of a table.
        with_data: Whether all rows follow as data, for the page's script.
        heading: The level of the page's heading.
        rest: Where the rows are that are not shown, as a sentence.
    """

    rows: int
    with_data: bool
    heading: int
    rest: str


def body(page: Page, extent: Extent) -> Html:
    """Give everything that is said on a page, in the order of reading."""
    return joined(
        [
            element("header", *_head(page, extent)),
            _facts(page.facts),
            element("main", *(_section(part, number, extent) for number, part in enumerate(page.parts, 1))),
            _notes(page, extent),
        ]
    )


def _head(page: Page, extent: Extent) -> Iterator[Html]:
    yield element(f"h{extent.heading}", page.title)
    if page.summary:
        yield element("p", page.summary, class_="summary")
    if page.at is not None:
        yield element("p", "As of ", drawn_moment(page.at), class_="at")


def _facts(facts: Iterable[Fact]) -> Html:
    cards = [
        element(
            "div",
            element("dt", element("bdi", fact.name)),
            element("dd", *signed(fact.tone), element("bdi", fact.value)),
            class_=toned("fact", fact.tone),
        )
        for fact in facts
    ]
    return element("dl", *cards, class_="facts") if cards else joined([])


def _notes(page: Page, extent: Extent) -> Html:
    if not page.notes:
        return joined([])
    notes = [element("li", note) for note in page.notes]
    return element(
        "section", element(f"h{extent.heading + 1}", "Notes"), element("ul", *notes), class_="notes"
    )


def _section(part: Part, number: int, extent: Extent) -> Html:
    name = f"part-{number}"
    inside: list[Html] = [
        element(f"h{extent.heading + 1}", part.title, id=name if extent.with_data else None)
    ]
    if isinstance(part, Table):
        inside += _table(part, number, extent)
    elif isinstance(part, Tree):
        inside.append(drawn_tree(part.root))
    else:
        inside += drawn_chart(part)
    if part.note:
        inside.append(element("p", part.note, class_="note"))
    labelled = name if extent.with_data else None
    return element("section", *inside, class_="part", aria_labelledby=labelled)


def _table(table: Table, number: int, extent: Extent) -> Iterator[Html]:
    if not table.rows:
        yield element("p", table.empty, class_="empty")
        return
    rowhead = key_columns(table)[0]
    heads = [
        element(
            "th",
            column.title,
            scope="col",
            class_=_kind(column, is_rowhead=place == rowhead),
            title=column.hint or None,
        )
        for place, column in enumerate(table.columns)
    ]
    rows = [_row(table, place, rowhead) for place in range(min(len(table.rows), extent.rows))]
    drawn = element(
        "table",
        element("caption", f"{table.title}: {counted(len(table.rows), 'row')}", class_="unseen"),
        element("thead", element("tr", *heads)),
        element("tbody", *rows),
    )
    yield element("div", drawn, class_="scroll", role="region", aria_label=table.title, tabindex=0)
    more = len(table.rows) - extent.rows
    if more > 0:
        yield element("p", f"... and {counted(more, 'more row')}. {extent.rest}", class_="more")
    hints = [column for column in table.columns if column.hint]
    if hints:
        meanings = [
            element(name, text) for one in hints for name, text in (("dt", one.title), ("dd", one.hint))
        ]
        yield element(
            "details",
            element("summary", "What the columns mean"),
            element("dl", *meanings),
            class_="hints",
        )
    if extent.with_data:
        yield data_script(table, number)


def _row(table: Table, place: int, rowhead: int) -> Html:
    tone = table.tones[place] if table.tones else ""
    tree = table.details[place] if table.details else None
    cells = []
    for number, (cell, column) in enumerate(zip(table.rows[place], table.columns, strict=True)):
        inside = drawn_cell(cell)
        if number != rowhead:
            cells.append(element("td", inside, class_=_kind(column) or None))
            continue
        sign = signed(tone, keep=bool(table.tones), called=table.tone_words.get(tone))
        named = element("span", *sign, inside, class_="named")
        if tree is not None:
            named = element("details", element("summary", named), _explained(tree))
        cells.append(element("th", named, scope="row", class_=_kind(column, is_rowhead=True)))
    return element("tr", *cells, class_=toned("", tone) or None)


def _explained(tree: Tree) -> Html:
    note = [element("p", tree.note, class_="note")] if tree.note else []
    return element(
        "div", element("p", tree.title, class_="why-title"), drawn_tree(tree.root), *note, class_="why"
    )


def _kind(column: Column, *, is_rowhead: bool = False) -> str:
    kind = "" if column.kind == "text" else column.kind
    return f"key {kind}".strip() if is_rowhead else kind
