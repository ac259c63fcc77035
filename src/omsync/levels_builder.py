"""Stock levels from columns: a page is checked at once and put with the others, and may be dropped then.

No value is made for a record. A source of millions reads them in the memory that ``Levels`` take anyway.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Container, Sequence
from itertools import count, islice, pairwise
from operator import eq

from attrs import field, frozen

from omsync import checks
from omsync.errors import WrongTypeError
from omsync.levels import (
    FIGURES,
    Levels,
    check_codes,
    check_length,
    check_wholes,
    flags_of,
    given_twice,
    packed,
)

__all__ = ["Code", "LevelsBuilder", "LevelsPage"]

Code = str | int
"""What tells products apart while they are read: a master SKU, or a source's own id."""


@frozen(kw_only=True)
class LevelsPage:
    """Some stock records as columns, one entry for each record; figures in units, as in ``StockLevel``.

    Args:
        codes: The products.
        location_ids: The warehouses or sales channels.
        on_hand: None: not reported.
        available: None: not reported.
        committed: From 0.
        locked: From 0.
        in_transit: From 0.

    Raises:
        WrongTypeError: A figure is no whole number, or a code is neither text nor a whole number; names the
            column and the row.
        InvalidValueError: A figure is out of bounds, a text is empty, or a column has another length.
    """

    codes: Sequence[Code] = field()
    location_ids: Sequence[str]
    on_hand: Sequence[int | None]
    available: Sequence[int | None]
    committed: Sequence[int]
    locked: Sequence[int]
    in_transit: Sequence[int]

    def __attrs_post_init__(self) -> None:
        """Check all columns, each at once."""
        _check_products(self.codes)
        check_length("location_ids", self.location_ids, len(self))
        check_codes("location_ids", self.location_ids)
        for name, open_below in FIGURES.items():
            column = getattr(self, name)
            check_length(name, column, len(self))
            check_wholes(name, column, minimum=-checks.LARGEST if open_below else 0, optional=open_below)

    def __len__(self) -> int:
        return len(self.codes)


class LevelsBuilder:
    """Gathers pages of stock records and makes ``Levels`` of them.

    Args:
        later_wins: Whether a record that comes again replaces the earlier one, as rows that shift between
            pages do. Otherwise it is an error.
    """

    def __init__(self, *, later_wins: bool = False) -> None:
        self._later_wins = later_wins
        self._products: defaultdict[Code, int] = defaultdict(count().__next__)
        self._locations: defaultdict[str, int] = defaultdict(count().__next__)
        self._product, self._location = array("i"), array("i")
        self._figures = {name: array("q") for name in FIGURES}
        self._reported = bytearray()

    def add(self, page: LevelsPage) -> None:
        """Add a page's records; the page is not kept."""
        self._product.extend(map(self._products.__getitem__, page.codes))
        self._location.extend(map(self._locations.__getitem__, page.location_ids))
        for name, figures in self._figures.items():
            figures.extend(packed(getattr(page, name)))
        self._reported += flags_of(page.on_hand, page.available)

    def __len__(self) -> int:
        return len(self._product)

    @property
    def codes(self) -> Sequence[Code]:
        """The products that have come, each once, in the order in which they came."""
        return list(self._products)

    @property
    def location_ids(self) -> frozenset[str]:
        """The locations that have come."""
        return frozenset(self._locations)

    def levels(self, *, named: Callable[[Code], str] = str, within: Container[str] | None = None) -> Levels:
        """Make the levels.

        Args:
            named: Gives the master SKU of a code.
            within: Records at other locations are left out; None: at none.

        Raises:
            WrongTypeError: A name is no text.
            InvalidValueError: A name is empty.
            SnapshotError: A (master SKU, location) is given twice: by one code, unless the later wins, or
                under two codes that mean the same product.
        """
        names = [named(code) for code in self._products]
        check_codes("master_skus", names)
        skus = sorted(set(names))
        location_ids = sorted(one for one in self._locations if within is None or one in within)
        rows, cells = self._sorted(names, skus, location_ids)
        width = len(location_ids)
        products = array("i", (cell // width for cell in cells))
        starts = [row for row, (one, other) in enumerate(pairwise(products), start=1) if one != other]
        first = array("q", [0, *starts, len(rows)] if rows else [0])
        return Levels.of_arrays(
            master_skus=(skus[products[row]] for row in first[:-1]),
            first=first,
            location_ids=location_ids,
            location=array("i", (cell % width for cell in cells)),
            figures={
                name: array("q", map(column.__getitem__, rows)) for name, column in self._figures.items()
            },
            reported=bytes(map(self._reported.__getitem__, rows)),
        )

    def _sorted(
        self, names: Sequence[str], skus: Sequence[str], location_ids: Sequence[str]
    ) -> tuple[array[int], array[int]]:
        """Give the records' rows, by product and location, and for each its cell in a table of the two."""
        rank = {sku: place for place, sku in enumerate(skus)}
        place_of = {one: place for place, one in enumerate(location_ids)}
        line = [rank[name] * len(location_ids) for name in names]
        column = [place_of.get(one, -1) for one in self._locations]
        # Cell and row in one number: sorting numbers is quick, and a later row of a cell comes after.
        bits = len(self).bit_length()
        packed = [
            (line[product] + column[location]) << bits | row
            for row, (product, location) in enumerate(zip(self._product, self._location, strict=True))
            if column[location] >= 0
        ]
        packed.sort()
        cells = array("q", (one >> bits for one in packed))
        if any(map(eq, cells, islice(cells, 1, None))):
            packed = self._once(packed, bits, names)
            cells = array("q", (one >> bits for one in packed))
        mask = (1 << bits) - 1
        return array("q", (one & mask for one in packed)), cells

    def _once(self, packed: Sequence[int], bits: int, names: Sequence[str]) -> list[int]:
        """Keep the last record of each cell, or refuse the second."""
        location_ids, mask = list(self._locations), (1 << bits) - 1
        for one, other in pairwise(packed):
            if one >> bits == other >> bits:
                before, after = self._product[one & mask], self._product[other & mask]
                if before != after or not self._later_wins:
                    raise given_twice(names[after], location_ids[self._location[other & mask]])
        return list({one >> bits: one for one in packed}.values())


def _check_products(codes: Sequence[Code]) -> None:
    kinds = set(map(type, codes))
    if not kinds <= {str, int}:
        row = next(row for row, code in enumerate(codes) if type(code) not in {str, int})
        raise WrongTypeError(f"codes[{row}] must be text or a whole number, not {checks.shown(codes[row])}")
    if str in kinds and "" in codes:
        check_codes("codes", [str(code) for code in codes])
