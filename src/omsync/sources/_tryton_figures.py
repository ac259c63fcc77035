"""Quantities, which Tryton writes as floats, and flags, which it may write as 1 and 0.

A float that is whole, such as 11.0, is Tryton's own way to write 11. Where a product's unit has no digits, a
fraction is an error. Where it has some, as a kilogram has, only whole units can be offered: what is there is
rounded down, what is promised or needed is rounded up.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from omsync.checks import shown
from omsync.errors import DecodeError
from omsync.hints import first_few
from omsync.sinks._http import Wire

__all__ = ["Figures", "flag", "rounded_down", "rounded_up", "unit_factor"]

_EXACT = 2**53
"""Up to here a float tells whole numbers apart."""


class Figures:
    """Reads the figures of one list, and collects what is wrong in it, so that one error names it all."""

    def __init__(self) -> None:
        self._problems: list[str] = []

    def take(
        self, wire: Wire, name: str, place: str, *, divisible: bool, minimum: int | None = None
    ) -> Decimal:
        """Give a figure exactly as Tryton wrote it; 0 stands in for a wrong one until ``settle``."""
        value = wire.field(name).value
        if type(value) not in {int, float} or not -_EXACT <= value <= _EXACT:
            return self._wrong(f"{place}: {name} must be a number, not {shown(value)}")
        if minimum is not None and value < minimum:
            return self._wrong(f"{place}: {name} must be at least {minimum}, not {shown(value)}")
        if not divisible and value != int(value):
            return self._wrong(
                f"{place}: {name} must be whole, since its unit has no digits, not {shown(value)}"
            )
        return Decimal(repr(value))

    def settle(self) -> None:
        """Raise when anything was wrong.

        Raises:
            DecodeError: ``bad_quantity``, with every finding.
        """
        if self._problems:
            raise DecodeError(
                "Tryton gave quantities that are none",
                code="bad_quantity",
                remedy="Nothing was changed on the strength of this answer. Correct the rows in Tryton, or "
                "the digits of the unit of measure.",
                problems=first_few(self._problems),
            )

    def _wrong(self, problem: str) -> Decimal:
        self._problems.append(problem)
        return Decimal(0)


def unit_factor(unit: Wire) -> Decimal:
    """Give how many of its category's base unit one of this unit is.

    Raises:
        DecodeError: It is no number above 0.
    """
    factor = unit.field("factor")
    if type(factor.value) not in {int, float} or not 0 < factor.value < _EXACT:
        raise DecodeError(
            f"{factor.place}: {factor.path} must be a number above 0, not {shown(factor.value)}",
            code="wrong_shape",
            remedy="Correct the unit of measure in Tryton.",
        )
    return Decimal(repr(factor.value))


def flag(wire: Wire) -> bool:
    """Give true or false; on SQLite, Tryton writes 1 and 0."""
    return bool(wire.value) if type(wire.value) is int and wire.value in {0, 1} else wire.flag()


def rounded_down(figure: Decimal) -> int:
    """Give the largest whole number that is not above the figure."""
    return int(figure.to_integral_value(ROUND_FLOOR))


def rounded_up(figure: Decimal) -> int:
    """Give the smallest whole number that is not below the figure."""
    return int(figure.to_integral_value(ROUND_CEILING))
