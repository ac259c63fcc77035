"""What is kept of a document, and the text of the files that keep it.

Rows are kept as lines of cells parted by tabs, which are read quickly; no code or location holds a control
character.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from attrs import evolve, field, frozen

from omsync import checks
from omsync.serial import from_json, to_json

__all__ = [
    "TAKEN",
    "Figures",
    "Key",
    "SentDocument",
    "SentSet",
    "document_from_json",
    "document_to_json",
    "figures_from_json",
    "figures_to_json",
]

Key = tuple[str, str | None]
Row = tuple[str, str | None, int]
"""A listing SKU, the cart's location, and how many the partner was told."""

Figures = dict[Key, tuple[int | None, int]]
"""By row: how many the partner was told (None: nobody knows), and by which transaction set."""

TAKEN = frozenset({"accepted", "accepted_with_errors", "assumed"})
"""The states of a set that the partner has."""


@frozen(kw_only=True)
class SentSet:
    """One transaction set of a document.

    Args:
        number: Its control number (ST02).
        rows: What it told.
        status: ``"awaiting"`` an acknowledgement; ``"accepted"``, ``"accepted_with_errors"``, ``"rejected"``;
            ``"assumed"`` to have arrived, where no acknowledgement is expected; ``"never_left"`` after a
            crash; ``"lost"``, as you said.
        settled_at: When that was known.
        notes: Why.
    """

    number: int = field(validator=checks.whole(minimum=1))
    rows: tuple[Row, ...] = field(converter=checks.as_tuple)
    status: str = field(
        default="awaiting",
        validator=checks.one_of("awaiting", "never_left", "rejected", "lost", *sorted(TAKEN)),
    )
    settled_at: datetime | None = field(default=None, converter=checks.to_utc)
    notes: tuple[str, ...] = field(default=(), converter=checks.as_tuple)


@frozen(kw_only=True)
class SentDocument:
    """One interchange that was written for the partner.

    Args:
        number: Its control number (ISA13 and GS06).
        sent_at: When it was written.
        due_at: When its acknowledgement is due; None: none is expected.
        sets: Its transaction sets.
    """

    number: int = field(validator=checks.whole(minimum=1))
    sent_at: datetime = field(converter=checks.to_utc, validator=checks.moment)
    due_at: datetime | None = field(default=None, converter=checks.to_utc)
    sets: tuple[SentSet, ...] = field(converter=checks.as_tuple)

    @property
    def is_settled(self) -> bool:
        """Whether it is known of every set what became of it."""
        return all(one.status != "awaiting" for one in self.sets)


@frozen(kw_only=True)
class _DocumentFile:
    """A document without its rows, and those of each of its sets as lines."""

    document: SentDocument
    rows: tuple[str, ...]


@frozen(kw_only=True)
class _FiguresFile:
    rows: str


def document_to_json(document: SentDocument) -> str:
    """Write a document as the text of a file."""
    bare = evolve(document, sets=[evolve(one, rows=()) for one in document.sets])
    return to_json(_DocumentFile(document=bare, rows=tuple(_lines(one.rows) for one in document.sets)))


def document_from_json(content: bytes) -> SentDocument:
    """Read what ``document_to_json`` wrote.

    Raises:
        ValueError: It is something else.
        DecodeError: The same.
    """
    kept = from_json(content, _DocumentFile)
    sets = [
        evolve(one, rows=[(sku, place or None, int(quantity)) for sku, place, quantity in _cells(rows, 3)])
        for one, rows in zip(kept.document.sets, kept.rows, strict=True)
    ]
    return evolve(kept.document, sets=sets)


def figures_to_json(figures: Mapping[Key, tuple[int | None, int]]) -> str:
    """Write what the partner was told as the text of a file, sorted."""
    ordered = sorted(figures.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    return to_json(_FiguresFile(rows=_lines((*key, *figure) for key, figure in ordered)))


def figures_from_json(content: bytes) -> Figures:
    """Read what ``figures_to_json`` wrote.

    Raises:
        ValueError: It is something else.
        DecodeError: The same.
    """
    return {
        (sku, place or None): (int(quantity) if quantity else None, int(by))
        for sku, place, quantity, by in _cells(from_json(content, _FiguresFile).rows, 4)
    }


def _lines(rows: Iterable[Sequence[str | int | None]]) -> str:
    return "\n".join("\t".join("" if cell is None else str(cell) for cell in row) for row in rows)


def _cells(text: str, number: int) -> Iterator[list[str]]:
    for line in text.split("\n") if text else ():
        cells = line.split("\t")
        if len(cells) != number:
            raise ValueError(f"{line!r} has not {number} cells")
        yield cells
