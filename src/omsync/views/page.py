"""What every view is laid out as, before it is rendered: facts, tables, trees and charts. Values only.

A view turns its data into one ``Page``; each rendering (text, rich, HTML, CSV, JSON) knows pages and nothing
of views, so that every view has every rendering.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from omsync import checks
from omsync.errors import InvalidValueError
from omsync.views.rendered import Rendered

__all__ = ["TONES", "Branch", "Cell", "Chart", "Column", "Fact", "Page", "Part", "Series", "Table", "Tree"]

Cell = str | int | float | bool | datetime | None
"""What stands in a table; None is shown as not known, never as 0."""

TONES = ("", "good", "warning", "bad", "quiet", "decides")
"""How a row, a fact or a branch is to be read; always said in words too, never by colour alone."""


@frozen(kw_only=True)
class Column:
    """One column of a table.

    Args:
        title: Its heading, unique in the table.
        kind: ``"text"``, ``"code"`` (a SKU: monospaced, not wrapped), ``"number"``, ``"time"`` or ``"flag"``.
        hint: What it means, for a person who points at it.
        is_key: Whether it names the row: searched, and kept in sight.
    """

    title: str = field(validator=checks.text)
    kind: str = field(default="text", validator=checks.one_of("text", "code", "number", "time", "flag"))
    hint: str = field(default="", validator=checks.any_text)
    is_key: bool = field(default=False, validator=checks.flag)


@frozen(kw_only=True)
class Branch:
    """One step of a derivation, with what it is made from below it.

    Args:
        label: What it is, such as ``"Reno DC (701)"``.
        figure: Its number, if it has one.
        detail: How the figure comes about, or why it does not count.
        tone: One of ``TONES``; ``"decides"`` marks the bottleneck, ``"quiet"`` what does not count.
        branches: What it is made from.
    """

    label: str = field(validator=checks.text)
    figure: int | None = None
    detail: str = field(default="", validator=checks.any_text)
    tone: str = field(default="", validator=checks.one_of(*TONES))
    branches: tuple[Branch, ...] = field(default=(), converter=checks.as_tuple)


@frozen(kw_only=True)
class Tree:
    """A drawn derivation."""

    title: str = field(validator=checks.text)
    root: Branch
    note: str = field(default="", validator=checks.any_text)


@frozen(kw_only=True)
class Table:
    """Rows under columns.

    Args:
        title: What the rows are.
        columns: The columns.
        rows: As many cells each as there are columns.
        tones: One of ``TONES`` for each row; empty where all rows are alike.
        details: For each row what it opens: why its quantity is what it is; empty where nothing opens.
        note: What the reader has to know of the figures.
        empty: What is said when there are no rows.
        tone_words: What its rows call a tone, such as ``{"good": "ok"}``: filtered and read out by that word.
    """

    title: str = field(validator=checks.text)
    columns: tuple[Column, ...] = field(converter=checks.as_tuple)
    rows: tuple[tuple[Cell, ...], ...] = field(converter=checks.as_tuple)
    tones: tuple[str, ...] = field(default=(), converter=checks.as_tuple)
    details: tuple[Tree | None, ...] = field(default=(), converter=checks.as_tuple)
    note: str = field(default="", validator=checks.any_text)
    empty: str = field(default="Nothing.", validator=checks.any_text)
    tone_words: Mapping[str, str] = field(
        factory=dict,
        converter=checks.as_mapping,
        validator=checks.mapping(checks.one_of(*TONES), checks.text),
    )

    def __attrs_post_init__(self) -> None:
        wide, many = len(self.columns), len(self.rows)
        if len(self.tones) not in {0, many} or len(self.details) not in {0, many}:
            raise InvalidValueError(f"{self.title!r} needs as many tones and details as rows, or none")
        for number, row in enumerate(self.rows):
            if len(row) != wide:
                raise InvalidValueError(
                    f"Row {number} of {self.title!r} has {len(row)} cells under {wide} columns"
                )


@frozen(kw_only=True)
class Series:
    """One line or set of bars of a chart: a figure for each of the chart's labels; None leaves a gap."""

    name: str = field(validator=checks.text)
    figures: tuple[float | None, ...] = field(converter=checks.as_tuple)


@frozen(kw_only=True)
class Chart:
    """Figures to be looked at: drawn where a plotting library is there, else a table of the same figures.

    Args:
        title: What it shows.
        kind: ``"bars"`` (side by side), ``"stacked"`` or ``"line"``.
        labels: What the figures belong to.
        series: As many figures each as there are labels.
        unit: What the figures count, such as ``"units"``.
        note: What the reader has to know.
    """

    title: str = field(validator=checks.text)
    kind: str = field(default="bars", validator=checks.one_of("bars", "stacked", "line"))
    labels: tuple[str, ...] = field(converter=checks.as_tuple)
    series: tuple[Series, ...] = field(converter=checks.as_tuple)
    unit: str = field(default="", validator=checks.any_text)
    note: str = field(default="", validator=checks.any_text)

    def __attrs_post_init__(self) -> None:
        for one in self.series:
            if len(one.figures) != len(self.labels):
                many = f"{len(one.figures)} figures for {len(self.labels)} labels"
                raise InvalidValueError(f"{one.name!r} of {self.title!r} has {many}")


@frozen(kw_only=True)
class Fact:
    """One thing to know at a glance, such as "Read: 10 minutes ago"."""

    name: str = field(validator=checks.text)
    value: str = field(validator=checks.any_text)
    tone: str = field(default="", validator=checks.one_of(*TONES))


Part = Table | Tree | Chart


@frozen(kw_only=True)
class Page(Rendered):
    """A whole view, ready to be rendered.

    Args:
        title: What is looked at.
        summary: The answer in one sentence.
        facts: What to know first.
        parts: Tables, trees and charts, in the order of reading.
        notes: What else a person should know.
        at: As of when, aware.
    """

    title: str = field(validator=checks.text)
    summary: str = field(default="", validator=checks.any_text)
    facts: tuple[Fact, ...] = field(default=(), converter=checks.as_tuple)
    parts: tuple[Part, ...] = field(default=(), converter=checks.as_tuple)
    notes: tuple[str, ...] = field(default=(), converter=checks.as_tuple)
    at: datetime | None = None

    def page(self) -> Page:
        """Give this page: it is laid out already."""
        return self
