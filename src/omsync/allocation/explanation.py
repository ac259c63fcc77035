"""Why a quantity is what it is: a value that names every figure, prints, and evaluates to the quantity."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import attrs
from attrs import frozen

from omsync.allocation.availability import available, formula
from omsync.allocation.building import parts_of
from omsync.allocation.derivation import Derivation, LocationWork, Worked
from omsync.allocation.rules import RuleStep
from omsync.checks import counted, printable
from omsync.model import StockLevel

__all__ = ["OUT", "Explanation", "rule_words", "steps_of"]

OUT = {
    "inactive": "inactive in the order manager",
    "disabled": "disabled for combining",
    "not_named": "not named by the cart",
    "not_in_counted": "not among the counted ones",
    "left_out": "left out for this product",
    "other_row": "shown in a row of its own",
}
"""Why a location does not count, in words, by its choice's reason."""


_REPORTED = {
    "no": "without what the components make",
    "yes": "what the components make included",
    "unknown": "which may include what the components make",
}


@frozen(kw_only=True, repr=False)
class Explanation:
    """The derivation of one quantity of one listing.

    Args:
        listing_sku: The listing.
        location_id: The cart's location, or None.
        quantity: What the engine computed, in pieces of the listing.
        rows: What it is added up from: one derivation, or one for each warehouse that goes to this location.
        taken_at: When the figures were read, as ISO 8601.
    """

    listing_sku: str
    location_id: str | None
    quantity: int
    rows: tuple[Derivation, ...]
    taken_at: str

    def __repr__(self) -> str:
        return f"<Explanation of {self.listing_sku!r}: {self.summary}>"

    def evaluate(self) -> int:
        """Compute the quantity from the figures held here alone."""
        return sum(row.evaluate() for row in self.rows)

    @property
    def summary(self) -> str:
        """The derivation in one line."""
        parts = [_sentence(row, row.work_out()) for row in self.rows]
        return f"{self.quantity} = {' + '.join(parts)}"

    def __str__(self) -> str:
        where = f" at {self.location_id}" if self.location_id is not None else ""
        lines = [f"{self.listing_sku}{where}: {self.summary}"]
        for row in self.rows:
            lines += _lines(row)
        read_at = datetime.fromisoformat(self.taken_at).astimezone(UTC)
        lines.append(f"  figures read {read_at:%Y-%m-%d %H:%M:%S}Z")
        return "\n".join(map(printable, lines))

    def to_data(self) -> dict[str, Any]:
        """Give the derivation as plain data, with what was worked out beside every row."""
        data = attrs.asdict(self)
        for row, plain in zip(self.rows, data["rows"], strict=True):
            plain["worked"] = attrs.asdict(row.work_out())
            plain["steps"] = [attrs.asdict(step) for step in _steps(row)]
        return {"summary": self.summary, **data}

    def to_json(self, *, indent: int | None = 2) -> str:
        """Give ``to_data()`` as JSON."""
        return json.dumps(self.to_data(), indent=indent)


def _sentence(row: Derivation, worked: Worked) -> str:
    if not row.is_recorded:
        return "nothing counted: recorded only at locations that this cart does not count"
    if row.how == "bundle_computed":
        text = f"{worked.shelf} on the shelf + {worked.built} built"
        building = [work for work in worked.locations if work.built]
        if len(building) == 1 and not row.pooled_assembly:
            text += f" in {building[0].location}"
        scarce = _scarce(row, worked)
        if scarce:
            text += f" ({scarce})"
    elif row.how == "bundle_reported":
        text = f"{worked.shelf} as reported, {_REPORTED[row.meaning]}"
    else:
        text = f"{worked.shelf} available"
        recorded = [str(work.location) for work in worked.locations if work.shelf is not None]
        text += f" in {recorded[0]}" if len(recorded) == 1 else f" in {len(recorded)} locations"
    if worked.ordered:
        text += f" - {worked.ordered} in orders in flight"
    changes = [rule_words(step) for step in row.steps() if step.before != step.after]
    return ", ".join([text, *changes])


def _scarce(row: Derivation, worked: Worked) -> str:
    """Name the part that decides, where it is a single one; the lines below tell of each location."""
    apart = [work for work in worked.locations if work.shortage is not None]
    pooled = row.pooled_assembly and any(work.location.builds for work in worked.locations)
    if not (apart or pooled):
        return "pre-assembled only: nothing is built where it is recorded"
    decisive = [work.shortage for work in apart if work.built] or [work.shortage for work in apart]
    combined = sum(work.built for work in apart)
    if row.pooled_assembly or worked.limit is None or worked.limit < combined:
        shortage = worked.shortage
    elif len(decisive) == 1:
        shortage = decisive[0]
    else:
        shortage = worked.shortage if worked.limit == combined else None
    if shortage is None:
        return ""
    if len(row.recipes) == 1:
        need = parts_of(row.recipes[0])[shortage.master_sku]
        return f"bottleneck {shortage.master_sku}: {shortage.have} // {need}"
    return f"bottleneck {shortage.master_sku}: one more needs {shortage.need}, there are {shortage.have}"


def _lines(row: Derivation) -> list[str]:
    worked = row.work_out()
    works = {work.location.id: work for work in worked.locations}
    own = {level.location_id: level for level in row.levels if level.master_sku == row.master_sku}
    lines = [f"  {row.master_sku}, {row.how.replace('_', ' ')}:"]
    for location in row.locations:
        if location.counted:
            lines.append(f"    {location}: {_counted(row, works[location.id], own.get(location.id))}")
        elif location.id not in own:
            lines.append(f"    {location}: not counted, {OUT[location.reason]}; no stock record here")
        else:
            figure = formula(own[location.id], subtract_locked=row.subtract_locked)
            lines.append(
                f"    {location}: not counted, {OUT[location.reason]} ({_figure(own[location.id], figure)})"
            )
    for orders in row.orders:
        when = f", {orders.when}" if orders.when else ""
        lines.append(f"    orders in flight: {orders.units} of {orders.master_sku}{when}")
    if worked.limit is not None and worked.limit < sum(work.built for work in worked.locations):
        lines.append(f"    parts netted over all counted locations make only {worked.limit}")
    if row.pooled_assembly and worked.limit is not None:
        lines.append(f"    parts pooled over the counted locations make {worked.limit}")
    lines.append(f"    total {counted(worked.total, 'unit')}")
    if row.doubtful:
        lines.append("    the newest answer about these figures was lost on its way; they may be too high")
    lines += [f"    {rule_words(step)}" for step in steps_of(row)]
    return lines


def _counted(row: Derivation, work: LocationWork, level: StockLevel | None) -> str:
    if level is None:
        return "counted, no stock record here"
    text = f"counted, {work.shelf} ({_words(row, level)})"
    units = available(level, subtract_locked=row.subtract_locked)
    if units != work.shelf:
        text = f"counted, {work.shelf} (a debt lifted by clamp_each: {units} {_words(row, level)})"
    if row.how != "bundle_computed":
        return text
    if not work.location.builds:
        return f"{text}, pre-assembled only"
    missing = work.shortage
    why = f": one more needs {missing.need} {missing.master_sku}, there are {missing.have}" if missing else ""
    return f"{text} + {work.built} built{why}"


def _words(row: Derivation, level: StockLevel) -> str:
    return formula(level, subtract_locked=row.subtract_locked)


def _figure(level: StockLevel, words: str) -> str:
    return words if level.available is None else f"{level.available} {words}"


def _steps(row: Derivation) -> tuple[RuleStep, ...]:
    """Give the rules that apply: none where nothing is counted, since no rule lifts that."""
    return row.steps() if row.is_recorded else ()


def steps_of(row: Derivation) -> tuple[RuleStep, ...]:
    """Give the rules that are set, or change something."""
    return tuple(step for step in _steps(row) if _matters(step))


def _matters(step: RuleStep) -> bool:
    neutral = {"units": 1, "percent": 100}.get(step.rule, 0)
    return step.setting != neutral or step.before != step.after or step.rule == "max_quantity"


def rule_words(step: RuleStep) -> str:
    """Say what a rule is set to, and the number before and after it."""
    name = {
        "units": f"{step.setting} units in one piece",
        "never_below_zero": "never below 0",
    }.get(step.rule, f"{step.rule} {step.setting}")
    return f"{name}: {step.before} -> {step.after}"
