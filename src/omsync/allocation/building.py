"""Rule 2, its heart: how many bundles the parts at hand would make.

Parts that are needed along several paths are needed the sum of times. An inner kit's shelf units are used
before its parts, and a kit that is owed (a negative figure) has to be built as well, if it is needed at all.
A part whose need is 0 limits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from omsync.model import Bundle

__all__ = ["Recipe", "Shortage", "buildable", "parts_of", "recipe_of", "shortage"]

Parts = Mapping[str, int]


@frozen(kw_only=True)
class Recipe:
    """A bundle taken apart, with all inner kits.

    Args:
        order: The bundle, its inner kits and its parts; a kit always stands before what it is made of.
        parts: For the bundle and each inner kit: units of each part in one.
    """

    order: tuple[str, ...]
    parts: Mapping[str, Parts]

    @property
    def master_sku(self) -> str:
        """The bundle itself."""
        return self.order[0]

    @property
    def is_flat(self) -> bool:
        """Whether no part is a bundle itself."""
        return len(self.parts) == 1


@frozen(kw_only=True)
class Shortage:
    """The part that is missing for one bundle more.

    Args:
        master_sku: The part.
        need: Units needed, in all, for one bundle more than can be built.
        have: Units available.
    """

    master_sku: str
    need: int
    have: int


def parts_of(bundle: Bundle) -> dict[str, int]:
    """Give units of each part in one bundle; a part that is named twice is needed the sum of times."""
    parts: dict[str, int] = {}
    for component in bundle.components:
        parts[component.master_sku] = parts.get(component.master_sku, 0) + component.quantity
    return parts


def recipe_of(master_skus: Iterable[str], parts: Mapping[str, Parts]) -> Recipe:
    """Put bundles and everything in them into an order in which kits come before their parts.

    Args:
        master_skus: The bundles to begin with; none may be part of a cycle.
        parts: For every bundle: units of each part in one.
    """
    done: list[str] = []
    seen: set[str] = set()
    # A stack of our own, since a chain of kits may be longer than Python's.
    ahead = [(sku, False) for sku in sorted(master_skus)]
    while ahead:
        sku, parts_are_done = ahead.pop()
        if parts_are_done:
            done.append(sku)
        elif sku not in seen:
            seen.add(sku)
            ahead.append((sku, True))
            ahead += [(part, False) for part in sorted(parts.get(sku, {})) if part not in seen]
    order = tuple(reversed(done))
    return Recipe(order=order, parts={sku: parts[sku] for sku in order if sku in parts})


def buildable(recipe: Recipe, amounts: Mapping[str, int]) -> int:
    """Give the largest number of bundles whose exploded needs fit the amounts.

    Args:
        recipe: The bundle taken apart.
        amounts: Units available of each part and inner kit, signed; what is not named is 0.

    Returns:
        The bundles that can be built, from 0. The bundle's own shelf units are not looked at.
    """
    if recipe.is_flat:
        parts = recipe.parts[recipe.master_sku]
        return max(0, min(amounts.get(part, 0) // need for part, need in parts.items()))
    beyond = 1
    while shortage(recipe, amounts, beyond) is None:
        beyond *= 2
    fits = beyond // 2
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        if shortage(recipe, amounts, middle) is None:
            fits = middle
        else:
            beyond = middle
    return fits


def shortage(recipe: Recipe, amounts: Mapping[str, int], number: int) -> Shortage | None:
    """Name the first part that is missing for so many bundles, or None when all fit."""
    demand = {recipe.master_sku: number}
    for sku in recipe.order:
        need = demand.get(sku, 0)
        if need <= 0:
            continue
        have = 0 if sku == recipe.master_sku else amounts.get(sku, 0)
        parts = recipe.parts.get(sku)
        if parts is None:
            if need > have:
                return Shortage(master_sku=sku, need=need, have=have)
            continue
        for part, each in parts.items():
            demand[part] = demand.get(part, 0) + (need - min(need, have)) * each
    return None


def spread_orders(
    orders: Mapping[str, int], order: Sequence[str], parts: Mapping[str, Parts], shelf: Mapping[str, int]
) -> dict[str, int]:
    """Turn orders that the snapshot has not seen into debts of products.

    A bundle's orders take its shelf units first; the rest become orders of its parts.

    Args:
        orders: Units ordered by master SKU.
        order: All products concerned; a kit stands before what it is made of.
        parts: For every bundle that is computed: units of each part in one.
        shelf: Units of each bundle on the shelf, summed over the counted locations.
    """
    pending = dict(orders)
    debts: dict[str, int] = {}
    for sku in order:
        ordered = pending.get(sku, 0)
        if not ordered:
            continue
        if sku not in parts:
            debts[sku] = ordered
            continue
        debts[sku] = min(ordered, max(0, shelf.get(sku, 0)))
        for part, each in parts[sku].items():
            pending[part] = pending.get(part, 0) + (ordered - debts[sku]) * each
    return debts
