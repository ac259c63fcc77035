"""The derivation of a quantity, drawn: source figures, locations in and out, what decides, every rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from omsync.allocation import Derivation, Explanation, LocationWork, Worked
from omsync.allocation.availability import available, formula
from omsync.allocation.building import Shortage, parts_of
from omsync.allocation.explanation import OUT, rule_words, steps_of
from omsync.checks import counted
from omsync.model import StockLevel
from omsync.views.page import Branch, Tree
from omsync.views.wording import at_place

__all__ = ["tree_of"]

_HOW = {
    "stock": "a product with stock of its own",
    "bundle_computed": "a bundle: its shelf units, and what its parts make",
    "bundle_reported": "a bundle, taken as the order manager reports it",
}
Levels = Mapping[tuple[str, str], StockLevel]


def tree_of(explanation: Explanation) -> Tree:
    """Draw how a quantity comes about."""
    return Tree(
        title=f"Why {at_place(explanation.listing_sku, explanation.location_id)} shall show "
        f"{explanation.quantity:,}",
        root=Branch(
            label=at_place(explanation.listing_sku, explanation.location_id),
            figure=explanation.quantity,
            detail=explanation.summary.partition(" = ")[2],
            branches=map(_row, explanation.rows),
        ),
    )


def _row(row: Derivation) -> Branch:
    worked = row.work_out()
    if not row.is_recorded:
        return Branch(
            label=row.master_sku,
            figure=0,
            detail="recorded only at locations that this cart does not count",
            branches=_locations(row, worked),
        )
    stock = Branch(
        label="in all",
        figure=worked.total,
        detail=f"{counted(worked.total, 'unit')} over the counted locations",
        branches=[*_locations(row, worked), *_orders(row), *_together(row, worked), *_doubt(row)],
    )
    rules = [
        Branch(label=words, figure=step.after, detail=change.strip())
        for step in steps_of(row)
        for words, _, change in [rule_words(step).partition(":")]
    ]
    return Branch(label=row.master_sku, figure=row.evaluate(), detail=_HOW[row.how], branches=[stock, *rules])


def _locations(row: Derivation, worked: Worked) -> Iterator[Branch]:
    works = {work.location.id: work for work in worked.locations}
    levels = {(level.master_sku, level.location_id): level for level in row.levels}
    scarce = _decisive(row, worked)
    for location in row.locations:
        own = levels.get((row.master_sku, location.id))
        if location.counted:
            yield _counted(row, works[location.id], levels, decides=location.id in scarce)
        else:
            figure = None if own is None else available(own, subtract_locked=row.subtract_locked)
            record = "; no stock record here" if own is None else f"; {_formula(row, own)}"
            yield Branch(
                label=str(location),
                figure=figure,
                detail=f"not counted: {OUT[location.reason]}{record}",
                tone="quiet",
            )


def _decisive(row: Derivation, worked: Worked) -> set[str]:
    """Name the locations whose missing part decides; none where the parts of all together do."""
    apart = [work for work in worked.locations if work.shortage is not None]
    if row.pooled_assembly or (worked.limit is not None and worked.limit < sum(work.built for work in apart)):
        return set()
    return {work.location.id for work in [work for work in apart if work.built] or apart}


def _counted(row: Derivation, work: LocationWork, levels: Levels, *, decides: bool) -> Branch:
    own = levels.get((row.master_sku, work.location.id))
    if own is None or work.shelf is None:
        return Branch(label=str(work.location), detail="counted; no stock record here", tone="quiet")
    words = _formula(row, own)
    if available(own, subtract_locked=row.subtract_locked) != work.shelf:
        words += "; a debt lifted to 0 by clamp_each"
    if row.how != "bundle_computed":
        return Branch(label=str(work.location), figure=work.shelf, detail=f"counted: {words}")
    shelf = Branch(label="on the shelf", figure=work.shelf, detail=words)
    if not work.location.builds:
        detail = "counted: pre-assembled only, nothing is built here"
        return Branch(label=str(work.location), figure=work.shelf, detail=detail, branches=[shelf])
    scarce = work.shortage if decides else None
    built = Branch(
        label="built from parts",
        figure=work.built,
        detail=_missing(work.shortage),
        branches=_parts(row, row.master_sku, work.location.id, levels, scarce, set()),
    )
    return Branch(
        label=str(work.location),
        figure=work.shelf + work.built,
        detail=f"counted: {work.shelf:,} on the shelf + {work.built:,} built",
        branches=[shelf, built],
    )


def _parts(
    row: Derivation,
    bundle: str,
    location_id: str,
    levels: Levels,
    scarce: Shortage | None,
    seen: set[str],
) -> Iterator[Branch]:
    recipes = {recipe.master_sku: parts_of(recipe) for recipe in row.recipes}
    for part, each in recipes[bundle].items():
        level = levels.get((part, location_id))
        units = 0 if level is None else available(level, subtract_locked=row.subtract_locked) or 0
        units = max(units, 0) if row.clamp_each else units
        # A kit that is needed along several paths is taken apart once: twice doubles with every storey.
        inner = part in recipes and part not in seen
        seen.add(part)
        words = "no stock record here" if level is None else _formula(row, level)
        enough = f", enough for {max(0, units) // each:,}" if part not in recipes else ""
        yield Branch(
            label=part,
            figure=units,
            detail=f"{each:,} in each{enough}; {words}",
            tone="decides" if scarce is not None and scarce.master_sku == part else "",
            branches=_parts(row, part, location_id, levels, scarce, seen) if inner else (),
        )


def _orders(row: Derivation) -> Iterator[Branch]:
    for orders in row.orders:
        when = f"looked for {orders.when}" if orders.when else "not in the figures yet"
        yield Branch(label=f"orders in flight of {orders.master_sku}", figure=-orders.units, detail=when)


def _together(row: Derivation, worked: Worked) -> Iterator[Branch]:
    apart = sum(work.built for work in worked.locations)
    if worked.limit is None or not (row.pooled_assembly or worked.limit < apart):
        return
    what = "pooled" if row.pooled_assembly else "netted"
    yield Branch(
        label=f"parts {what} over the counted locations make",
        figure=worked.limit,
        detail=_missing(worked.shortage),
        tone="decides",
    )


def _doubt(row: Derivation) -> Iterator[Branch]:
    if row.doubtful:
        yield Branch(
            label="a figure in doubt",
            detail="the newest answer about it was lost on its way, so it may be too high",
            tone="warning",
        )


def _missing(shortage: Shortage | None) -> str:
    why = "one more needs {0.need:,} {0.master_sku}, there are {0.have:,}"
    return "" if shortage is None else why.format(shortage)


def _formula(row: Derivation, level: StockLevel) -> str:
    return formula(level, subtract_locked=row.subtract_locked)
