"""Rules 4 to 10: from units at the counted locations to the pieces that a cart is told.

Only divisions round, always down; clamping happens once, at the end.
"""

from __future__ import annotations

from attrs import frozen

from omsync.settings import QuantityRules

__all__ = ["RuleStep", "apply_rules"]


@frozen(kw_only=True)
class RuleStep:
    """One rule, with the number before and after it.

    Args:
        rule: The rule's name, as in ``QuantityRules``; ``"units"`` and ``"never_below_zero"`` besides.
        setting: What is set for it.
        before: The number that went in.
        after: The number that came out.
    """

    rule: str
    setting: int
    before: int
    after: int


def apply_rules(total: int, units: int, rules: QuantityRules) -> tuple[RuleStep, ...]:
    """Take the total through every rule in the published order.

    Args:
        total: Units of the product, signed.
        units: Units of the product in one piece of the listing.
        rules: The cart's rules, or the SKU's own.

    Returns:
        One step for each rule, in order, those that changed nothing too; the last one's ``after`` is told.
    """
    steps: list[RuleStep] = []
    now = total

    def step(rule: str, setting: int, after: int) -> None:
        nonlocal now
        steps.append(RuleStep(rule=rule, setting=setting, before=now, after=after))
        now = after

    step("units", units, now // units)
    step("percent", rules.percent, now * rules.percent // 100)
    step("safety_stock", rules.safety_stock, now - rules.safety_stock)
    step("backorder_room", rules.backorder_room, now + rules.backorder_room)
    step("zero_below", rules.zero_below, 0 if rules.zero_below and now < rules.zero_below else now)
    step("show_at_least", rules.show_at_least, max(now, rules.show_at_least) if rules.show_at_least else now)
    if rules.max_quantity is not None:
        step("max_quantity", rules.max_quantity, min(now, rules.max_quantity))
    step("never_below_zero", 0, max(now, 0))
    return tuple(steps)
