"""What a ledger gives of very many listings: columns, of which single values are made when looked at."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import overload

from attrs import field, frozen

from omsync.exchange import ListingState
from omsync.ledgers._faults import as_written
from omsync.ledgers._parts import Packed, unknown
from omsync.ledgers._sheets import Sheet

__all__ = ["AcceptedQuantities", "KnownStates"]


class KnownStates(Sequence[ListingState]):
    """What is known of listings, each made when it is looked at; equals a tuple of the same.

    Going through them once makes each once. Whoever goes through them again and again makes a list.
    """

    __slots__ = ("_ends", "_last", "_ledger", "_sheets")

    def __init__(self, sheets: Sequence[Sheet], *, ledger: str) -> None:
        self._sheets = sheets
        self._ledger = ledger
        self._ends = list(accumulate(sheet.size for sheet in sheets))
        self._last: tuple[int, list[ListingState]] = (-1, [])

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[ListingState]:
        for sheet in self._sheets:
            with as_written(self._ledger):
                states = list(sheet.states())
            yield from states

    @overload
    def __getitem__(self, index: int, /) -> ListingState: ...
    @overload
    def __getitem__(self, index: slice, /) -> tuple[ListingState, ...]: ...
    def __getitem__(self, index: int | slice, /) -> ListingState | tuple[ListingState, ...]:
        places = range(len(self))[index]
        if isinstance(places, range):
            return tuple(map(self._at, places))
        return self._at(places)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KnownStates | tuple):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<States of {len(self):,} listings>"

    def _at(self, place: int) -> ListingState:
        number = bisect_right(self._ends, place)
        known, states = self._last
        if known != number:
            with as_written(self._ledger):
                states = list(self._sheets[number].states())
            self._last = (number, states)
        return states[place - self._ends[number]]


@frozen(kw_only=True, repr=False)
class AcceptedQuantities:
    """What a cart last accepted, as columns, in the order of listings and locations.

    Args:
        quantities: A number for each listing: an array of ``"i"``, or of ``"q"`` where one of them needs
            more than 32 bits. It can be handed on as a buffer.
    """

    quantities: array[int]
    _packed: Sequence[Packed] = field(alias="packed")
    _ledger: str = field(alias="ledger")

    def __len__(self) -> int:
        return len(self.quantities)

    def __repr__(self) -> str:
        return f"<Accepted quantities of {len(self):,} listings>"

    @property
    def unknown(self) -> int:
        """The number that says that nothing was accepted of a listing: the lowest of the array's kind."""
        return unknown(self.quantities.typecode)

    def listings(self) -> list[tuple[str, str | None]]:
        """Make (listing SKU, location or None) of each, in the same order; anew each time."""
        with as_written(self._ledger):
            return [key for packed in self._packed for key in packed.listings()]


def accepted_quantities(packed: Sequence[Packed], *, ledger: str) -> AcceptedQuantities:
    """Put the columns of parts one behind the other."""
    columns = [one.numbers() for one in packed]
    if all(column.typecode == "i" for column in columns):
        quantities = array("i", b"".join(columns))
    else:
        quantities = array("q")
        for column in columns:
            none = unknown(column.typecode)
            quantities.extend(unknown("q") if one == none else one for one in column)
    return AcceptedQuantities(quantities=quantities, packed=packed, ledger=ledger)
