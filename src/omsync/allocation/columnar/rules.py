"""Rules 4 to 10 over columns: what a total becomes depends on the total alone, so it is looked up."""

from __future__ import annotations

from omsync.settings import QuantityRules

__all__ = ["Told", "told"]


class Told(dict[int, int]):
    """What totals are told as, each worked out when it is first asked for.

    Args:
        units: Units of the product in one piece.
        rules: As in the settings.
    """

    def __init__(self, units: int, rules: QuantityRules) -> None:
        super().__init__()
        self._units = units
        self._rules = rules

    def __missing__(self, total: int) -> int:
        pieces = self[total] = told(total, self._units, self._rules)
        return pieces


def told(total: int, units: int, rules: QuantityRules) -> int:
    """Give the pieces that one total is told as: the last step of ``apply_rules``, without the steps."""
    pieces = total // units * rules.percent // 100 - rules.safety_stock + rules.backorder_room
    if pieces < rules.zero_below:
        pieces = 0
    pieces = max(pieces, rules.show_at_least, 0)
    return pieces if rules.max_quantity is None else min(pieces, rules.max_quantity)
