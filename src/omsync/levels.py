"""Stock levels, stored as columns.

A merchant has millions of them, so they are kept as arrays of whole numbers and turned into
``StockLevel`` values only when somebody looks. They are sorted by SKU and location, so that the order in
which a source delivered them never matters.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from itertools import accumulate, pairwise
from typing import Any

from attrs import field, frozen

from omsync import checks
from omsync.errors import InvalidValueError, SnapshotError, WrongTypeError

__all__ = ["Levels", "StockLevel"]

_ON_HAND, _AVAILABLE = 1, 2

FIGURES = {"on_hand": True, "available": True, "committed": False, "locked": False, "in_transit": False}
"""The figures of a level; whether they may be None or negative."""

_COLUMNS = ("master_skus", "records", "location_ids", "locations", *FIGURES)


@frozen(kw_only=True)
class StockLevel:
    """The stock record of one product at one location.

    Args:
        master_sku: The product.
        location_id: The warehouse, or in sales-channel mode the sales channel.
        on_hand: Units physically there, or None when the source does not say; None is never 0.
        available: Units that may be sold, as the source reports them, or None when it does not say.
            Negative: more is promised than there is.
        committed: Units on hand that are promised to open orders.
        locked: Units on hand that are kept back.
        in_transit: Units on their way to this location; never counted as available.
    """

    master_sku: str = field(validator=checks.text)
    location_id: str = field(validator=checks.text)
    on_hand: int | None = field(default=None, validator=checks.optional(checks.whole()))
    available: int | None = field(default=None, validator=checks.optional(checks.whole()))
    committed: int = field(default=0, validator=checks.whole(minimum=0))
    locked: int = field(default=0, validator=checks.whole(minimum=0))
    in_transit: int = field(default=0, validator=checks.whole(minimum=0))


class Levels:
    """An immutable, sorted collection of stock levels, unique by (master SKU, location).

    Args:
        levels: ``StockLevel`` values in any order.

    Raises:
        SnapshotError: A (master SKU, location) is given twice, which would count stock twice.
    """

    __slots__ = (
        "_available",
        "_committed",
        "_first",
        "_in_transit",
        "_location",
        "_location_ids",
        "_locked",
        "_on_hand",
        "_reported",
        "_skus",
    )

    def __init__(self, levels: Iterable[StockLevel] = ()) -> None:
        rows = _rows(levels)
        location_ids = sorted({level.location_id for level in rows})
        number = {location_id: index for index, location_id in enumerate(location_ids)}
        self._location_ids = tuple(location_ids)
        self._skus: tuple[str, ...] = ()
        self._first = array("q")
        self._location = array("i", [number[level.location_id] for level in rows])
        self._on_hand = array("q", [level.on_hand or 0 for level in rows])
        self._available = array("q", [level.available or 0 for level in rows])
        self._committed = array("q", [level.committed for level in rows])
        self._locked = array("q", [level.locked for level in rows])
        self._in_transit = array("q", [level.in_transit for level in rows])
        self._reported = bytes(
            (level.on_hand is not None) * _ON_HAND | (level.available is not None) * _AVAILABLE
            for level in rows
        )
        skus: list[str] = []
        for index, level in enumerate(rows):
            if not skus or skus[-1] != level.master_sku:
                skus.append(level.master_sku)
                self._first.append(index)
        self._skus = tuple(skus)
        self._first.append(len(rows))

    @classmethod
    def from_columns(cls, columns: Mapping[str, Sequence[Any]]) -> Levels:
        """Rebuild levels from what ``columns`` gave, strictly and without a value for each record.

        Raises:
            WrongTypeError: A figure is no whole number, or a code is no text; names the column and the row.
            InvalidValueError: A column is missing, unknown or of the wrong length, or a figure out of bounds.
            SnapshotError: The records are out of order, or one is given twice.
        """
        _check_columns(columns)
        return cls.of_arrays(
            master_skus=columns["master_skus"],
            first=array("q", accumulate(columns["records"], initial=0)),
            location_ids=columns["location_ids"],
            location=array("i", columns["locations"]),
            figures={name: packed(columns[name]) for name in FIGURES},
            reported=flags_of(columns["on_hand"], columns["available"]),
        )

    @classmethod
    def of_arrays(
        cls,
        *,
        master_skus: Iterable[str],
        first: array[int],
        location_ids: Iterable[str],
        location: array[int],
        figures: Mapping[str, array[int]],
        reported: bytes,
    ) -> Levels:
        """Take over columns that are known to be sound, sorted and unique; ``LevelsBuilder`` makes them.

        Args:
            master_skus: Sorted.
            first: Where each product's records begin, and at the end how many there are.
            location_ids: Sorted.
            location: For each record the place of its location in ``location_ids``, from 0.
            figures: For each of ``FIGURES`` one whole number a record; 0 where it is not reported.
            reported: For each record what ``flags_of`` gives.
        """
        levels = cls()
        levels._skus, levels._first = tuple(master_skus), first
        levels._location_ids, levels._location = tuple(location_ids), location
        for name in FIGURES:
            setattr(levels, f"_{name}", figures[name])
        levels._reported = reported
        return levels

    def columns(self) -> dict[str, list[Any]]:
        """Give the levels as plain lists, for storing them quickly.

        Returns:
            ``master_skus``, sorted, and ``records``, how many each has; ``location_ids``, sorted; then lists
            with one entry for each record, by product and location: ``locations`` (places in
            ``location_ids``, from 0) and the figures in units, ``on_hand``, ``available`` (None: not
            reported), ``committed``, ``locked`` and ``in_transit``.
        """
        reported = self._reported
        return {
            "master_skus": list(self._skus),
            "records": [after - before for before, after in pairwise(self._first)],
            "location_ids": list(self._location_ids),
            "locations": self._location.tolist(),
            "on_hand": [
                figure if known & _ON_HAND else None
                for figure, known in zip(self._on_hand, reported, strict=True)
            ],
            "available": [
                figure if known & _AVAILABLE else None
                for figure, known in zip(self._available, reported, strict=True)
            ],
            "committed": self._committed.tolist(),
            "locked": self._locked.tolist(),
            "in_transit": self._in_transit.tolist(),
        }

    def with_changes(self, changed: Iterable[StockLevel]) -> Levels:
        """Give the same with some records as they are now; what was not there is added.

        Raises:
            SnapshotError: A record is given twice.
        """
        rows = _rows(changed)
        places = [self._row_of(level) for level in rows]
        if None in places:
            everything = {(level.master_sku, level.location_id): level for level in (*self, *rows)}
            return Levels(everything.values())
        other = copy(self)
        reported = bytearray(self._reported)
        for name in ("on_hand", "available", "committed", "locked", "in_transit"):
            column = array("q", getattr(self, f"_{name}"))
            for row, level in zip(places, rows, strict=True):
                column[row or 0] = getattr(level, name) or 0
            setattr(other, f"_{name}", column)
        for row, level in zip(places, rows, strict=True):
            known = (level.on_hand is not None) * _ON_HAND | (level.available is not None) * _AVAILABLE
            reported[row or 0] = known
        other._reported = bytes(reported)  # noqa: SLF001  one of our own kind
        return other

    def _row_of(self, level: StockLevel) -> int | None:
        """Give the place of a record, or None when it is not there."""
        index = bisect_left(self._skus, level.master_sku)
        if index == len(self._skus) or self._skus[index] != level.master_sku:
            return None
        for row in range(self._first[index], self._first[index + 1]):
            if self._location_ids[self._location[row]] == level.location_id:
                return row
        return None

    def availabilities(self, *, subtract_locked: bool) -> tuple[Sequence[int], frozenset[int]]:
        """Give what is available in each record, as rule 1 of the allocation has it.

        Args:
            subtract_locked: As in the merchant's settings.

        Returns:
            Units, signed, one for each record by product and location; and the numbers of the records that
            report too little to know, which have 0 there.
        """
        known = self._reported
        if not known.strip(bytes((_AVAILABLE, _AVAILABLE | _ON_HAND))):
            return self._available, frozenset()
        locked = self._locked if subtract_locked else bytes(len(self))
        units = [
            available if known_here & _AVAILABLE else on_hand - committed - kept if known_here else 0
            for known_here, available, on_hand, committed, kept in zip(
                known, self._available, self._on_hand, self._committed, locked, strict=True
            )
        ]
        return units, frozenset(row for row, known_here in enumerate(known) if not known_here)

    def places(self) -> tuple[Sequence[int], Sequence[int]]:
        """Give where each product's records begin, with their number at the end; and each record's location.

        Returns:
            Numbers of records, one for each of ``master_skus`` and one more; and for each record the number
            of its location in ``location_ids``.
        """
        return memoryview(self._first).toreadonly(), memoryview(self._location).toreadonly()

    @property
    def location_ids(self) -> tuple[str, ...]:
        """The locations that hold at least one record, sorted."""
        return self._location_ids

    @property
    def master_skus(self) -> tuple[str, ...]:
        """The products that have at least one record, sorted."""
        return self._skus

    def of(self, master_sku: str) -> tuple[StockLevel, ...]:
        """Give the product's records, sorted by location; none when it is recorded nowhere."""
        index = bisect_left(self._skus, master_sku)
        if index == len(self._skus) or self._skus[index] != master_sku:
            return ()
        return tuple(
            self._level(master_sku, row) for row in range(self._first[index], self._first[index + 1])
        )

    def __iter__(self) -> Iterator[StockLevel]:
        for index, master_sku in enumerate(self._skus):
            for row in range(self._first[index], self._first[index + 1]):
                yield self._level(master_sku, row)

    def __len__(self) -> int:
        return len(self._location)

    def __contains__(self, master_sku: object) -> bool:
        return isinstance(master_sku, str) and bool(self.of(master_sku))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Levels):
            return NotImplemented
        return self._columns() == other._columns()

    def __hash__(self) -> int:
        return hash((self._skus, self._location_ids, bytes(self._available), bytes(self._on_hand)))

    def __repr__(self) -> str:
        return f"<Levels: {len(self):,} records of {len(self._skus):,} products>"

    def _level(self, master_sku: str, row: int) -> StockLevel:
        reported = self._reported[row]
        return StockLevel(
            master_sku=master_sku,
            location_id=self._location_ids[self._location[row]],
            on_hand=self._on_hand[row] if reported & _ON_HAND else None,
            available=self._available[row] if reported & _AVAILABLE else None,
            committed=self._committed[row],
            locked=self._locked[row],
            in_transit=self._in_transit[row],
        )

    def _columns(self) -> tuple[object, ...]:
        return (
            self._skus,
            self._first,
            self._location_ids,
            self._location,
            self._reported,
            self._on_hand,
            self._available,
            self._committed,
            self._locked,
            self._in_transit,
        )


def _rows(levels: Iterable[StockLevel]) -> list[StockLevel]:
    rows = list(levels)
    for row in rows:
        if not isinstance(row, StockLevel):
            raise WrongTypeError(f"Levels are StockLevel values, not {checks.shown(row)}")
    rows.sort(key=lambda level: (level.master_sku, level.location_id))
    for one, other in pairwise(rows):
        if one.master_sku == other.master_sku and one.location_id == other.location_id:
            raise given_twice(one.master_sku, one.location_id)
    return rows


def given_twice(master_sku: str, location_id: str) -> SnapshotError:
    """Give the error for a record that is given twice."""
    return SnapshotError(
        f"The stock record of {master_sku!r} at location {location_id!r} is given twice",
        code="given_twice",
        remedy="Give each (master SKU, location) once; adding the two up would show stock twice.",
    )


def packed(column: Sequence[int | None]) -> array[int]:
    """Give a checked column of figures as it is stored, 0 where one is not reported."""
    try:
        return array("q", column)  # type: ignore[arg-type]  # None is what is tried
    except TypeError:
        return array("q", [figure or 0 for figure in column])


def flags_of(on_hand: Sequence[int | None], available: Sequence[int | None]) -> bytes:
    """Give for each record which of the two figures are reported, as a sum of flags."""
    if None not in on_hand and None not in available:
        return bytes((_ON_HAND | _AVAILABLE,)) * len(on_hand)
    return bytes(
        (one is not None) * _ON_HAND | (other is not None) * _AVAILABLE
        for one, other in zip(on_hand, available, strict=True)
    )


def _check_columns(columns: Mapping[str, Sequence[Any]]) -> None:
    for what, names in (
        ("lack the columns", [name for name in _COLUMNS if name not in columns]),
        ("have unknown columns", [name for name in columns if name not in _COLUMNS]),
    ):
        if names:
            raise InvalidValueError(f"The levels {what} {', '.join(map(repr, names))}")
    for name in _COLUMNS:
        if not isinstance(columns[name], list | tuple):
            raise WrongTypeError(f"{name} must be a list, not {checks.shown(columns[name])}")
    for name in ("master_skus", "location_ids"):
        check_codes(name, columns[name])
        _check_sorted(name, columns[name])
    check_length("records", columns["records"], len(columns["master_skus"]))
    check_wholes("records", columns["records"], minimum=1)
    total = sum(columns["records"])
    for name in ("locations", *FIGURES):
        check_length(name, columns[name], total)
    check_wholes("locations", columns["locations"], maximum=len(columns["location_ids"]) - 1)
    for name, open_below in FIGURES.items():
        check_wholes(name, columns[name], minimum=-checks.LARGEST if open_below else 0, optional=open_below)
    _check_order(columns)


def check_length(name: str, column: Sequence[Any], wanted: int) -> None:
    """See that a column has one entry for each record."""
    if len(column) != wanted:
        raise InvalidValueError(f"{name} must have {wanted} entries, not {len(column)}")


def check_codes(name: str, column: Sequence[Any]) -> None:
    """See that a column holds text that is not empty; quickly, as it is hardly ever wrong."""
    sound = set(map(type, column)) <= {str} and all(column)
    for row, code in () if sound else enumerate(column):
        if type(code) is not str:
            raise WrongTypeError(f"{name}[{row}] must be text, not {checks.shown(code)}")
        if not code:
            raise InvalidValueError(f"{name}[{row}] must not be empty")


def _check_sorted(name: str, column: Sequence[str]) -> None:
    for one, other in pairwise(column):
        if one >= other:
            raise SnapshotError(
                f"{name} must be sorted and each given once: {other!r} follows {one!r}", code="out_of_order"
            )


def check_wholes(
    name: str,
    column: Sequence[Any],
    *,
    minimum: int = 0,
    maximum: int = checks.LARGEST,
    optional: bool = False,
) -> None:
    """See that a column holds whole numbers within bounds, and None too where that is allowed."""
    # The kinds are looked at all at once, since a column has millions of entries and is hardly ever wrong.
    wanted = {int, type(None)} if optional else {int}
    kinds = set(map(type, column))
    if not kinds <= wanted:
        row = next(row for row, entry in enumerate(column) if type(entry) not in wanted)
        words = "a whole number or None" if optional else "a whole number"
        raise WrongTypeError(f"{name}[{row}] must be {words}, not {checks.shown(column[row])}")
    figures = column if kinds == {int} else [entry for entry in column if entry is not None]
    if figures and not (min(figures) >= minimum and max(figures) <= maximum):
        row = next(
            i for i, entry in enumerate(column) if entry is not None and not minimum <= entry <= maximum
        )
        raise InvalidValueError(f"{name}[{row}] must be from {minimum} to {maximum}, not {column[row]}")


def _check_order(columns: Mapping[str, Sequence[Any]]) -> None:
    locations = columns["locations"]
    first = 0
    for master_sku, count in zip(columns["master_skus"], columns["records"], strict=True):
        own = locations[first : first + count]
        if any(one >= other for one, other in pairwise(own)):
            raise SnapshotError(
                f"The records of {master_sku!r} must be sorted by location, one for each: {own[:10]}",
                code="out_of_order",
            )
        first += count
    unused = set(range(len(columns["location_ids"]))) - set(locations)
    if unused:
        name = columns["location_ids"][min(unused)]
        raise InvalidValueError(f"The location {name!r} is listed and holds no record")
