"""The job of ``engine.py``: drawn once, kept in a folder as plain columns, and read by every process."""

from __future__ import annotations

import json
import random
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from omsync import QuantityRules

__all__ = ["CARTS", "LOCATIONS", "Cart", "Job", "Pages", "Quantities", "draw_job", "last_run", "rows_of"]

Pages = Sequence[Sequence[tuple[int, int, int, int]]]
"""Decoded records in pages: product, location, on hand, committed."""

Quantities = list[list[Sequence[int]]]
"""For each cart and each of its rows the quantity of every listing."""

LOCATIONS = 10
RECORDED = 0.5
LISTED = 0.8
OWING = 0.001
CHANGED = 0.01


@frozen(kw_only=True)
class Cart:
    """One cart's wishes.

    Args:
        locations: What it counts.
        breakdown: Whether each location is a row by itself.
        rules: For every quantity.
    """

    locations: tuple[int, ...]
    breakdown: bool = False
    rules: QuantityRules = field(factory=QuantityRules)


def rows_of(cart: Cart) -> list[tuple[int, ...]]:
    """Give the locations that each of a cart's rows counts."""
    return [(location,) for location in cart.locations] if cart.breakdown else [cart.locations]


CARTS = (
    Cart(locations=tuple(range(10)), rules=QuantityRules(safety_stock=2, max_quantity=500)),
    Cart(locations=tuple(range(8)), rules=QuantityRules(percent=90, zero_below=3)),
    Cart(locations=tuple(range(5)), rules=QuantityRules(percent=80, safety_stock=1)),
    Cart(locations=(1, 3, 5, 7, 9), rules=QuantityRules(zero_below=5, max_quantity=50)),
    Cart(locations=(0, 2, 4, 6, 8, 9), rules=QuantityRules(percent=50)),
    Cart(locations=(0,), rules=QuantityRules(safety_stock=3)),
    Cart(locations=(3,), rules=QuantityRules(percent=70, max_quantity=20)),
    Cart(locations=(6,), rules=QuantityRules(zero_below=2)),
    Cart(locations=tuple(range(10)), breakdown=True, rules=QuantityRules(percent=90, safety_stock=1)),
    Cart(locations=(9,), rules=QuantityRules(max_quantity=10)),
)
"""Five combine sets of locations, three take one, one wants a row for each of ten, and one more takes one."""


@define(kw_only=True)
class Job:
    """All that every variant is given.

    Args:
        products: How many there are, numbered from 0; the bundles are the last.
        records: Stock records by product and location: product, location, on hand, committed.
        bundles: One entry for each part of each bundle: the bundle, the part, the units needed.
        listings: For each cart the products that it lists, sorted.
        previous: For each cart and each of its rows the quantities of the last run, by listing.
    """

    products: int
    records: Sequence[array[int]]
    bundles: Sequence[array[int]]
    listings: Sequence[array[int]]
    previous: list[list[array[int]]] = field(factory=list)

    def recipes(self) -> dict[int, dict[int, int]]:
        """Give the bundles as units needed by part."""
        recipes: dict[int, dict[int, int]] = {}
        for bundle, part, need in zip(*self.bundles, strict=True):
            recipes.setdefault(bundle, {})[part] = need
        return recipes

    def save(self, folder: Path) -> None:
        """Keep it in a folder."""
        names = []
        for name, column in self._columns():
            names.append(name)
            (folder / name).write_bytes(column.tobytes())
        (folder / "job.json").write_text(json.dumps({"products": self.products, "columns": names}))

    def _columns(self) -> Iterator[tuple[str, array[int]]]:
        for kind in ("records", "bundles", "listings"):
            for number, column in enumerate(getattr(self, kind)):
                yield f"{kind}-{number}", column
        for number, rows in enumerate(self.previous):
            for row, column in enumerate(rows):
                yield f"previous-{number}-{row}", column

    @classmethod
    def load(cls, folder: Path) -> Job:
        """Read it."""
        told: dict[str, Any] = json.loads((folder / "job.json").read_text())

        def column(name: str) -> array[int]:
            values = array("i")
            with (folder / name).open("rb") as file:
                values.fromfile(file, (folder / name).stat().st_size // 4)
            return values

        return cls(
            products=told["products"],
            records=[column(f"records-{number}") for number in range(4)],
            bundles=[column(f"bundles-{number}") for number in range(3)],
            listings=[column(f"listings-{number}") for number in range(len(CARTS))],
            previous=[
                [column(f"previous-{number}-{row}") for row in range(len(rows_of(cart)))]
                for number, cart in enumerate(CARTS)
            ],
        )


def draw_job(products: int, *, share: float, popular: bool) -> Job:
    """Draw a merchant, seeded; its last run's quantities are still missing.

    Args:
        products: How many products.
        share: The share of bundles, which have 2 to 5 parts.
        popular: Whether a few parts are in most bundles, as a box or a cable is.
    """
    draw = random.Random(20261125)
    records = [array("i") for _ in range(4)]
    for product in range(products):
        for location in [one for one in range(LOCATIONS) if draw.random() < RECORDED] or [0]:
            owing = draw.random() < OWING
            committed = draw.randrange(1, 6)
            on_hand = 0 if owing else committed + int(draw.random() * 60)
            for column, value in zip(records, (product, location, on_hand, committed), strict=True):
                column.append(value)
    plain = products - int(products * share)
    bundles = [array("i") for _ in range(3)]
    # Bundles of equally many parts follow one another, as omsync numbers them when it reads a catalogue.
    sizes = sorted(draw.randrange(2, 6) for _ in range(plain, products))
    for bundle, size in enumerate(sizes, plain):
        parts: set[int] = set()
        while len(parts) < size:
            # The cube of a uniform draw prefers the first: a tenth of the products fills half of the places.
            place = draw.random() ** 3 if popular else draw.random()
            parts.add(int(place * plain))
        for part in sorted(parts):
            for column, value in zip(bundles, (bundle, part, draw.randrange(1, 4)), strict=True):
                column.append(value)
    listings = [array("i", sorted(draw.sample(range(products), int(products * LISTED)))) for _ in CARTS]
    return Job(products=products, records=records, bundles=bundles, listings=listings)


def last_run(quantities: Quantities) -> list[list[array[int]]]:
    """Make the last run's quantities of this run's: one in a hundred differs."""
    draw = random.Random(7)
    before = [[array("i", row) for row in rows] for rows in quantities]
    for rows in before:
        for row in rows:
            for place in draw.sample(range(len(row)), int(len(row) * CHANGED)):
                row[place] += 1
    return before
