"""What is available of every product at every location, as columns."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from omsync import checks
from omsync.allocation.columnar.buffers import Columns, Flags, Numbers, as_flags, as_numbers
from omsync.errors import InvalidValueError

__all__ = ["StockColumns"]


def _all_numbers(columns: Sequence[object]) -> tuple[Numbers, ...]:
    return tuple(map(as_numbers, columns))


def _all_flags(columns: Sequence[bytes | bytearray | memoryview]) -> tuple[Flags, ...]:
    return tuple(map(as_flags, columns))


@frozen(kw_only=True, eq=False, repr=False)
class StockColumns(Columns):
    """What is available, one column for each location, one entry for each product.

    Args:
        products: How many products there are; they are numbered from 0.
        available: For each location the units that may be sold, signed: buffers of ``products`` numbers,
            ``array("i")``, ``array("q")`` or the like; 0 where there is no record.
        recorded: For each location ``products`` bytes: 1 where the product has a stock record there, else 0.

    Raises:
        WrongTypeError: A column is of another kind.
        InvalidValueError: A column is too short or too long, or a record's flag is neither 0 nor 1.
    """

    products: int = field(validator=checks.whole(minimum=0))
    available: tuple[Numbers, ...] = field(converter=_all_numbers)
    recorded: tuple[Flags, ...] = field(converter=_all_flags)

    def __attrs_post_init__(self) -> None:
        if len(self.available) != len(self.recorded):
            raise InvalidValueError(
                f"There are {len(self.available)} columns of figures and {len(self.recorded)} of records",
                remedy="Give one of each for every location.",
            )
        for kind, columns in (("available", self.available), ("recorded", self.recorded)):
            for location, column in enumerate(columns):
                if len(column) != self.products:
                    raise InvalidValueError(
                        f"{kind}[{location}] has {len(column):,} entries for {self.products:,} products"
                    )

    @property
    def locations(self) -> int:
        """How many locations there are; they are numbered from 0."""
        return len(self.available)

    def __repr__(self) -> str:
        return f"<StockColumns: {self.products:,} products at {self.locations} locations>"
