"""What a cart wants of the columns, and what it gets."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

from attrs import field, frozen

from omsync import checks
from omsync.allocation.columnar.buffers import Columns, Flags, Numbers, as_numbers
from omsync.errors import InvalidValueError
from omsync.settings import QuantityRules

__all__ = ["CartColumns", "Counting", "Row"]


@frozen(kw_only=True)
class Counting:
    """Which locations a quantity counts.

    Args:
        locations: The numbers of the counted locations.
        building: Those of them where bundles are built from parts, and which lend parts.
        pooled: Whether parts from different locations can be brought together.
    """

    locations: tuple[int, ...] = field(converter=checks.as_tuple)
    building: tuple[int, ...] = field(converter=checks.as_tuple)
    pooled: bool = False


def _optional_numbers(value: object) -> Numbers | None:
    return None if value is None else as_numbers(value)


@frozen(kw_only=True, eq=False, repr=False)
class CartColumns(Columns):
    """What one cart wants.

    Args:
        products: For each listing the number of its product.
        counting: The locations that a combined quantity counts, one entry; for a breakdown one for each row.
        rules: The rules of every quantity.
        units: For each listing the units of the product in one piece; None: 1 everywhere.
        rules_by_product: By product, other rules.
    """

    products: Numbers = field(converter=as_numbers)
    counting: tuple[Counting, ...] = field(converter=checks.as_tuple)
    rules: QuantityRules = field(factory=QuantityRules)
    units: Numbers | None = field(default=None, converter=_optional_numbers)
    rules_by_product: Mapping[int, QuantityRules] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        if self.units is not None and len(self.units) != len(self.products):
            raise InvalidValueError(
                f"There are {len(self.units):,} units for {len(self.products):,} listings"
            )

    def kinds(self) -> list[tuple[int, QuantityRules]]:
        """Give for each listing the units and the rules of its quantity."""
        units = self.units if self.units is not None else [1] * len(self.products)
        rules = (self.rules_by_product.get(product, self.rules) for product in self.products)
        # One value for each kind, so that a million listings share a few.
        same: dict[tuple[int, QuantityRules], tuple[int, QuantityRules]] = {}
        return [same.setdefault(kind, kind) for kind in zip(units, rules, strict=True)]


@frozen(kw_only=True, eq=False, repr=False)
class Row:
    """One row of every listing: the combined quantity, or that of one location of a breakdown.

    Args:
        quantities: The pieces that each listing is told.
        totals: The totals of all products that they come from, in units.
        recorded: For each product whether it has a stock record at a counted location; a listing of another
            is told 0, and in a breakdown it has no such row.
    """

    quantities: array[int]
    totals: Sequence[int]
    recorded: Flags
