"""Stock levels, stored as columns.

A merchant has millions of them, so they are kept as arrays of whole numbers and turned into
``StockLevel`` values only when somebody looks. They are sorted by SKU and location, so that the order in
which a source delivered them never matters.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from attrs import field, frozen

from omsync import checks
from omsync.errors import InvalidValueError, SnapshotError, WrongTypeError

__all__ = ["Levels", "StockLevel"]

_ON_HAND, _AVAILABLE = 1, 2

_FIGURES = {"on_hand": True, "available": True, "committed": False, "locked": False, "in_transit": False}
"""The figures of a level; whether they may be None or negative."""

_COLUMNS = ("master_skus", "records", "location_ids", "locations", *_FIGURES)


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
        levels = cls()
        levels._skus = tuple(columns["master_skus"])
        levels._first = array("q", accumulate(columns["records"], initial=0))
        levels._location_ids = tuple(columns["location_ids"])
        levels._location = array("i", columns["locations"])
        on_hand, available = columns["on_hand"], columns["available"]
        levels._on_hand = array("q", [figure or 0 for figure in on_hand])
        levels._available = array("q", [figure or 0 for figure in available])
        levels._committed = array("q", columns["committed"])
        levels._locked = array("q", columns["locked"])
        levels._in_transit = array("q", columns["in_transit"])
        levels._reported = bytes(
            (one is not None) * _ON_HAND | (other is not None) * _AVAILABLE
            for one, other in zip(on_hand, available, strict=True)
        )
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
            raise SnapshotError(
                f"The stock record of {one.master_sku!r} at location {one.location_id!r} is given twice",
                code="given_twice",
                remedy="Give each (master SKU, location) once; adding the two up would show stock twice.",
            )
    return rows


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
        _check_codes(name, columns[name])
    _check_length("records", columns["records"], len(columns["master_skus"]))
    _check_wholes("records", columns["records"], minimum=1)
    total = sum(columns["records"])
    for name in ("locations", *_FIGURES):
        _check_length(name, columns[name], total)
    _check_wholes("locations", columns["locations"], maximum=len(columns["location_ids"]) - 1)
    for name, open_below in _FIGURES.items():
        _check_wholes(name, columns[name], minimum=-checks.LARGEST if open_below else 0, optional=open_below)
    _check_order(columns)


def _check_length(name: str, column: Sequence[Any], wanted: int) -> None:
    if len(column) != wanted:
        raise InvalidValueError(f"{name} must have {wanted} entries, not {len(column)}")


def _check_codes(name: str, column: Sequence[Any]) -> None:
    for row, code in enumerate(column):
        if type(code) is not str:
            raise WrongTypeError(f"{name}[{row}] must be text, not {checks.shown(code)}")
        if not code:
            raise InvalidValueError(f"{name}[{row}] must not be empty")
    for one, other in pairwise(column):
        if one >= other:
            raise SnapshotError(
                f"{name} must be sorted and each given once: {other!r} follows {one!r}", code="out_of_order"
            )


def _check_wholes(
    name: str,
    column: Sequence[Any],
    *,
    minimum: int = 0,
    maximum: int = checks.LARGEST,
    optional: bool = False,
) -> None:
    # The kinds are looked at all at once, since a column has millions of entries and is hardly ever wrong.
    wanted = {int, type(None)} if optional else {int}
    if not set(map(type, column)) <= wanted:
        row = next(row for row, entry in enumerate(column) if type(entry) not in wanted)
        words = "a whole number or None" if optional else "a whole number"
        raise WrongTypeError(f"{name}[{row}] must be {words}, not {checks.shown(column[row])}")
    figures = [entry for entry in column if entry is not None] if optional else column
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
