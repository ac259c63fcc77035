"""Quantities as columns: each ``ListingQuantity`` is made when somebody looks at it."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from attrs import evolve, frozen

from omsync.allocation.workbench import ListingQuantity

__all__ = ["Told", "ToldRows"]


@frozen(kw_only=True, eq=False, repr=False)
class ToldRows:
    """Rows that are kept as columns, sorted by listing and location.

    Args:
        listing_skus: The cart's code of each listing.
        master_skus: The product of each listing.
        units: Units of the product in one piece of each listing.
        reasons: The reason codes.
        places: The locations that rows may be at.
        listing: For each row the number of its listing.
        place: For each row the number of its location; None: no row has one.
        quantity: For each row the pieces.
        withheld: For each row the units kept back.
        reason: For each row the number of its reason.
    """

    listing_skus: Sequence[str]
    master_skus: Sequence[str]
    units: Sequence[int]
    reasons: tuple[str, ...]
    places: tuple[str, ...] = ()
    listing: Sequence[int]
    place: array[int] | None = None
    quantity: array[int]
    withheld: array[int]
    reason: bytes

    def __len__(self) -> int:
        return len(self.quantity)

    def row(self, number: int) -> ListingQuantity:
        """Make one row."""
        listing = self.listing[number]
        return ListingQuantity(
            listing_sku=self.listing_skus[listing],
            master_sku=self.master_skus[listing],
            location_id=None if self.place is None else self.places[self.place[number]],
            quantity=self.quantity[number],
            units=self.units[listing],
            reason=self.reasons[self.reason[number]],
            withheld=self.withheld[number],
        )


class Told(Sequence[ListingQuantity]):
    """Rows kept as columns, with some kept as they are between them.

    Args:
        rows: Most of them.
        others: The rest, by their places among all, which is sorted.
    """

    __slots__ = ("_by_master", "_others", "_places", "_rows")

    def __init__(
        self,
        rows: ToldRows,
        places: Sequence[int],
        others: Sequence[ListingQuantity],
        by_master: tuple[Sequence[int], Sequence[str]] | None = None,
    ) -> None:
        self._rows = rows
        self._places = array("q", places)
        self._others = tuple(others)
        self._by_master = by_master

    def rows_of(self, master_sku: str) -> list[int]:
        """Give the places of a product's quantities; the first call looks all of them up."""
        if self._by_master is None:
            each = [self._master_sku(number) for number in range(len(self))]
            sorted_by_sku = array("q", sorted(range(len(self)), key=each.__getitem__))
            self._by_master = sorted_by_sku, [each[number] for number in sorted_by_sku]
        order, skus = self._by_master
        return list(order[bisect_left(skus, master_sku) : bisect_right(skus, master_sku)])

    def replaced(self, rows: Mapping[int, ListingQuantity]) -> Told:
        """Give the same with some quantities replaced, by their places; listing and location stay."""
        quantities: dict[int, int] = {}
        withheld: dict[int, int] = {}
        others = list(self._others)
        for number, row in rows.items():
            before = bisect_left(self._places, number)
            if before < len(self._places) and self._places[before] == number:
                others[before] = row
            else:
                quantities[number - before] = row.quantity
                withheld[number - before] = row.withheld
        columns = evolve(
            self._rows,
            quantity=_replaced(self._rows.quantity, quantities),
            withheld=_replaced(self._rows.withheld, withheld),
        )
        return Told(columns, self._places, others, self._by_master)

    def _master_sku(self, number: int) -> str:
        before = bisect_left(self._places, number)
        if before < len(self._places) and self._places[before] == number:
            return self._others[before].master_sku
        return self._rows.master_skus[self._rows.listing[number - before]]

    def master_skus(self) -> set[str]:
        """Give the products that have a quantity."""
        told = map(self._rows.master_skus.__getitem__, self._rows.listing)
        return {*told, *(other.master_sku for other in self._others)}

    def __len__(self) -> int:
        return len(self._rows) + len(self._others)

    @overload
    def __getitem__(self, index: int) -> ListingQuantity: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ListingQuantity]: ...

    def __getitem__(self, index: int | slice) -> ListingQuantity | Sequence[ListingQuantity]:
        if isinstance(index, slice):
            return tuple(self[one] for one in range(*index.indices(len(self))))
        number = range(len(self))[index]
        before = bisect_left(self._places, number)
        if before < len(self._places) and self._places[before] == number:
            return self._others[before]
        return self._rows.row(number - before)

    def __iter__(self) -> Iterator[ListingQuantity]:
        begin = 0
        for before, (place, other) in enumerate(zip(self._places, self._others, strict=True)):
            yield from map(self._rows.row, range(begin, place - before))
            begin = place - before
            yield other
        yield from map(self._rows.row, range(begin, len(self._rows)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{len(self):,} quantities>"


def _replaced(column: array[int], entries: Mapping[int, int]) -> array[int]:
    """Give a column with some entries replaced; of eight bytes only where four do not suffice."""
    copied = column[:]
    try:
        for place, figure in entries.items():
            copied[place] = figure
    except OverflowError:
        return _replaced(array("q", column), entries)
    return copied
