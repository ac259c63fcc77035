"""What is kept of a document, and the text of the files that keep it.

Rows and codes are kept as lines of cells parted by tabs, which are read quickly; none of them holds a control
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
    "Key",
    "SentDocument",
    "SentSet",
    "Told",
    "document_from_json",
    "document_to_json",
    "told_from_json",
    "told_to_json",
]

Key = tuple[str, str | None]
Row = tuple[str, str | None, int]
"""A listing SKU, the cart's location, and how many the partner was told."""

ItemCodes = Mapping[str, Mapping[str, str]]
"""By listing SKU: the item's further codes by their names."""

TAKEN = frozenset({"accepted", "accepted_with_errors", "assumed"})
"""The states of a set that the partner has."""


@frozen(kw_only=True)
class SentSet:
    """One transaction set of a document.

    Args:
        number: Its control number (ST02).
        rows: What it told.
        codes: By listing SKU, the further codes that its items had, by name; nothing where the profile wants
            none, or where an omsync wrote it that did not keep them.
        status: ``"awaiting"`` an acknowledgement; ``"accepted"``, ``"accepted_with_errors"``, ``"rejected"``;
            ``"assumed"`` to have arrived, where no acknowledgement is expected; ``"never_left"`` after a
            crash; ``"lost"``, as you said.
        settled_at: When that was known.
        notes: Why.
    """

    number: int = field(validator=checks.whole(minimum=1))
    rows: tuple[Row, ...] = field(converter=checks.as_tuple)
    codes: ItemCodes = field(factory=dict, converter=checks.as_mapping)
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
class Told:
    """What the partner has by now, gathered set by set.

    Args:
        figures: By row: how many it was told (None: nobody knows), and by which transaction set.
        codes: By listing SKU: the further codes that it was last told, and by which transaction set.
    """

    figures: dict[Key, tuple[int | None, int]] = field(factory=dict)
    codes: dict[str, tuple[Mapping[str, str], int]] = field(factory=dict)

    @property
    def quantities(self) -> dict[Key, int | None]:
        """By row: how many the partner was told; None where nobody knows."""
        return {key: quantity for key, (quantity, _) in self.figures.items()}

    def take(self, one: SentSet) -> None:
        """Let a set's rows and codes stand where no later set has told otherwise."""
        for sku, place, quantity in one.rows:
            if self.figures.get((sku, place), (None, 0))[1] <= one.number:
                self.figures[sku, place] = (quantity, one.number)
        for sku, codes in one.codes.items():
            if self.codes.get(sku, ({}, 0))[1] <= one.number:
                self.codes[sku] = (codes, one.number)

    def doubt(self, one: SentSet) -> None:
        """Let rows that stood by this set be unknown: the partner did not take it after all."""
        for sku, place, _ in one.rows:
            if self.figures.get((sku, place), (None, 0))[1] == one.number:
                self.figures[sku, place] = (None, one.number)


@frozen(kw_only=True)
class _DocumentFile:
    """A document without its rows and codes, and those of each of its sets as lines."""

    document: SentDocument
    rows: tuple[str, ...]
    codes: tuple[str, ...] | None = None


@frozen(kw_only=True)
class _ToldFile:
    rows: str
    codes: str = ""


def document_to_json(document: SentDocument) -> str:
    """Write a document as the text of a file."""
    bare = evolve(document, sets=[evolve(one, rows=(), codes={}) for one in document.sets])
    return to_json(
        _DocumentFile(
            document=bare,
            rows=tuple(_lines(one.rows) for one in document.sets),
            codes=tuple(_lines(_named(one.codes)) for one in document.sets),
        )
    )


def document_from_json(content: bytes) -> SentDocument:
    """Read what ``document_to_json`` wrote.

    Raises:
        ValueError: It is something else.
        DecodeError: The same.
    """
    kept = from_json(content, _DocumentFile)
    codes = tuple("" for _ in kept.rows) if kept.codes is None else kept.codes
    sets = [
        evolve(
            one,
            rows=[(sku, place or None, int(quantity)) for sku, place, quantity in _cells(rows, 3)],
            codes=_by_item((sku, name, code) for sku, name, code in _cells(named, 3)),
        )
        for one, rows, named in zip(kept.document.sets, kept.rows, codes, strict=True)
    ]
    return evolve(kept.document, sets=sets)


def told_to_json(told: Told) -> str:
    """Write what the partner was told as the text of a file, sorted."""
    ordered = sorted(told.figures.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    named = _named({sku: codes for sku, (codes, _) in sorted(told.codes.items())})
    return to_json(
        _ToldFile(
            rows=_lines((*key, *figure) for key, figure in ordered),
            codes=_lines((*line, told.codes[line[0]][1]) for line in named),
        )
    )


def told_from_json(content: bytes) -> Told:
    """Read what ``told_to_json`` wrote.

    Raises:
        ValueError: It is something else.
        DecodeError: The same.
    """
    kept = from_json(content, _ToldFile)
    figures = {
        (sku, place or None): (int(quantity) if quantity else None, int(by))
        for sku, place, quantity, by in _cells(kept.rows, 4)
    }
    lines = [(sku, name, code, int(by)) for sku, name, code, by in _cells(kept.codes, 4)]
    codes = _by_item(line[:3] for line in lines)
    return Told(figures=figures, codes={sku: (codes[sku], by) for sku, _, _, by in lines})


def _named(codes: ItemCodes) -> Iterator[tuple[str, str, str]]:
    """Give a line for each code of an item; an item that has none has a line without a name."""
    for sku, named in codes.items():
        yield from ((sku, *one) for one in sorted(named.items()) or [("", "")])


def _by_item(lines: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    codes: dict[str, dict[str, str]] = {}
    for sku, name, code in lines:
        named = codes.setdefault(sku, {})
        if name:
            named[name] = code
    return codes


def _lines(rows: Iterable[Sequence[str | int | None]]) -> str:
    return "\n".join("\t".join("" if cell is None else str(cell) for cell in row) for row in rows)


def _cells(text: str, number: int) -> Iterator[list[str]]:
    for line in text.split("\n") if text else ():
        cells = line.split("\t")
        if len(cells) != number:
            raise ValueError(f"{line!r} has not {number} cells")
        yield cells
