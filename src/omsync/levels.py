"""Stock levels, stored as columns.

A merchant has millions of them, so they are kept as arrays of whole numbers and turned into
``StockLevel`` values only when somebody looks. They are sorted by SKU and location, so that the order in
which a source delivered them never matters.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise

from attrs import field, frozen

from omsync import checks
from omsync.errors import SnapshotError, WrongTypeError

__all__ = ["Levels", "StockLevel"]

_ON_HAND, _AVAILABLE = 1, 2


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
