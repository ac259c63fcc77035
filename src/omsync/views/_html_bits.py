"""The small things that tables, trees and charts are made of as HTML: cells, moments, signs, branches."""

from __future__ import annotations

from datetime import datetime

from omsync.views._markup import Html, element
from omsync.views.cells import NOT_KNOWN, SIGNS, as_utc, is_known, worded
from omsync.views.page import Branch, Cell

__all__ = ["drawn_cell", "drawn_moment", "drawn_tree", "signed", "toned"]

_LONG = 32
"""Text of more letters may be broken over lines; the page's script knows the same number."""


def drawn_cell(cell: Cell) -> Html:
    """Give a cell; what is not known says so."""
    if not is_known(cell):
        return element("span", "?", class_="unknown", role="img", aria_label=NOT_KNOWN, title=NOT_KNOWN)
    if isinstance(cell, datetime):
        return drawn_moment(cell)
    return element("bdi", worded(cell), class_="long" if len(worded(cell)) > _LONG else None)


def drawn_moment(moment: datetime) -> Html:
    """Give a moment, to the minute for a person and to the second for a program."""
    return element("time", worded(moment), datetime=f"{as_utc(moment):%Y-%m-%dT%H:%M:%SZ}")


def drawn_tree(root: Branch) -> Html:
    """Give a derivation as lists in lists."""
    return element("ul", _branch(root), class_="tree")


def _branch(branch: Branch) -> Html:
    figure = "" if branch.figure is None else f"{branch.figure:,}"
    told = [
        *signed(branch.tone),
        element("bdi", branch.label, class_="label"),
        *([element("b", figure, class_="figure")] if figure else []),
        *([element("bdi", branch.detail, class_="detail")] if branch.detail else []),
    ]
    line = element("div", *told, class_=toned("branch", branch.tone))
    below = [element("ul", *map(_branch, branch.branches))] if branch.branches else []
    return element("li", line, *below)


def signed(tone: str, *, keep: bool = False, called: str | None = None) -> tuple[Html, ...]:
    """Give a tone's sign and word; where a column of signs is kept, also the room of no sign.

    Args:
        tone: One of ``TONES``.
        keep: Whether there is room for a sign where there is none.
        called: What the rows call the tone, if not by its own word.
    """
    if not tone:
        return (element("span", class_="sign"),) if keep else ()
    sign, word = SIGNS[tone]
    word = called or word
    return (
        element(
            "span",
            element("span", sign, aria_hidden="true"),
            element("span", word, class_="unseen"),
            class_=f"sign {tone}",
            title=word,
        ),
    )


def toned(name: str, tone: str) -> str:
    """Give the classes of a thing with a tone."""
    return f"{name} is-{tone}".strip() if tone else name
