"""A merchant in partitions: each is worked out by itself, and told what one process would have told it."""

from __future__ import annotations

import pickle
from array import array
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from omsync import QuantityRules
from omsync.allocation.columnar import (
    BundleColumns,
    CartColumns,
    Components,
    Counting,
    Partition,
    StockColumns,
    allocate_columns,
    allocate_partition,
    components_of,
    totals_of,
)
from omsync.errors import InvalidValueError

PRESENT = st.integers(0, 40)
FIGURES = st.one_of(PRESENT, PRESENT, st.integers(-5, 5), st.integers(-(2**31), 2**31 - 1), st.none())
RULES = st.builds(
    QuantityRules,
    percent=st.integers(1, 100),
    safety_stock=st.integers(0, 3),
    show_at_least=st.integers(0, 4),
)


def sent(value: Any) -> Any:
    """Give a value as it arrives in another process."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301  our own bytes


@frozen(kw_only=True)
class Merchant:
    """A whole merchant, and which partition each of its products is in."""

    ids: list[int]
    figures: list[dict[int, int]]
    recipes: dict[int, dict[int, int]]
    listings: list[int]
    units: list[int] | None
    cart: CartColumns
    clamp_each: bool
    split: list[int]

    @property
    def needed(self) -> set[int]:
        return {part for recipe in self.recipes.values() for part in recipe}

    def stock(self, ids: list[int]) -> StockColumns:
        return StockColumns(
            products=len(ids),
            available=[array("i", [one.get(sku, 0) for sku in ids]) for one in self.figures],
            recorded=[bytes(sku in one for sku in ids) for one in self.figures],
        )

    def wanted(self, products: list[int], listings: list[int]) -> CartColumns:
        units = None if self.units is None else array("i", [self.units[place] for place in listings])
        return evolve(self.cart, products=array("q", products), units=units)

    def at_once(self, *, with_numpy: bool) -> list[list[int]]:
        """Give what the listings are told by one process."""
        number = {sku: place for place, sku in enumerate(self.ids)}
        recipes = {
            number[bundle]: {number[part]: units for part, units in recipe.items()}
            for bundle, recipe in self.recipes.items()
        }
        cart = self.wanted([number[sku] for sku in self.listings], list(range(len(self.listings))))
        rules = {number[sku]: rules for sku, rules in cart.rules_by_product.items()}
        totals = totals_of(
            self.stock(self.ids), BundleColumns.of(recipes), clamp_each=self.clamp_each, with_numpy=with_numpy
        )
        rows = allocate_columns(totals, evolve(cart, rules_by_product=rules))
        return [list(row.quantities) for row in rows]

    def partitions(self) -> list[Partition]:
        """Split the merchant."""
        several = []
        for part in sorted(set(self.split)):
            ids = [sku for sku, place in zip(self.ids, self.split, strict=True) if place == part]
            recipes = {bundle: recipe for bundle, recipe in self.recipes.items() if bundle in ids}
            several.append(
                Partition(
                    ids=array("q", ids),
                    stock=self.stock(ids),
                    bundles=BundleColumns.of(recipes),
                    needed=bytes(sku in self.needed for sku in ids),
                )
            )
        return several

    def in_partitions(self, *, with_numpy: bool) -> list[list[int]]:
        """Give what the listings are told in two waves; all that goes from process to process is pickled."""
        partitions = sent(self.partitions())
        broadcast = sent(Components.together([sent(components_of(one)) for one in partitions]))
        told = [[-1] * len(self.listings) for _ in self.cart.counting]
        for one in partitions:
            listings = [place for place, sku in enumerate(self.listings) if sku in one.ids.tolist()]
            cart = sent(self.wanted([self.listings[place] for place in listings], listings))
            rows = sent(
                allocate_partition(one, broadcast, cart, clamp_each=self.clamp_each, with_numpy=with_numpy)
            )
            for row, figures in zip(rows, told, strict=True):
                assert len(row.totals) == len(row.recorded) == len(one.ids)
                for place, quantity in zip(listings, row.quantities, strict=True):
                    figures[place] = quantity
        return told


@st.composite
def merchants(draw: st.DrawFn) -> Merchant:
    """Draw a merchant with debts, shared parts, packs and rules of its own, split in any way."""
    ids = sorted(draw(st.sets(st.integers(0, 30) | st.integers(-3, 2**40), min_size=1, max_size=7)))
    locations = draw(st.integers(1, 3))
    bundles = {sku for sku in ids[1:] if draw(st.booleans())}
    plain = sorted(set(ids) - bundles)
    recipe = st.dictionaries(st.sampled_from(plain), st.integers(1, 4), min_size=1, max_size=4)
    listings = [*ids, *draw(st.lists(st.sampled_from(ids), max_size=4))]
    counting = []
    for _ in range(draw(st.integers(1, 2))):
        counted = [place for place in range(locations) if draw(st.integers(0, 5))]
        building = [place for place in counted if draw(st.integers(0, 3))]
        counting.append(Counting(locations=counted, building=building, pooled=draw(st.booleans())))
    return Merchant(
        ids=ids,
        figures=[
            {sku: figure for sku in ids if (figure := draw(FIGURES)) is not None} for _ in range(locations)
        ],
        recipes={bundle: draw(recipe) for bundle in bundles},
        listings=listings,
        units=[draw(st.integers(1, 6)) for _ in listings] if draw(st.booleans()) else None,
        cart=CartColumns(
            products=array("q"),
            counting=counting,
            rules=draw(RULES),
            rules_by_product=draw(st.dictionaries(st.sampled_from(ids), RULES, max_size=2)),
        ),
        clamp_each=draw(st.booleans()),
        split=[draw(st.integers(0, 3)) for _ in ids],
    )


@given(merchants(), st.booleans())
def test_any_split_of_a_merchant_tells_what_one_process_tells(merchant: Merchant, with_numpy: bool) -> None:
    assert merchant.in_partitions(with_numpy=with_numpy) == merchant.at_once(with_numpy=with_numpy)


def partition(figures: dict[int, int], recipes: dict[int, dict[int, int]], *needed: int) -> Partition:
    """Make a partition with one location."""
    return Partition(
        ids=array("i", figures),
        stock=StockColumns(
            products=len(figures),
            available=[array("i", figures.values())],
            recorded=[b"\x01" * len(figures)],
        ),
        bundles=BundleColumns.of(recipes),
        needed=bytes(sku in needed for sku in figures),
    )


KETTLE, LID, SET = 10, 20, 30
PARTS = partition({KETTLE: 9, LID: 3}, {}, KETTLE, LID)
SETS = partition({SET: 1}, {SET: {KETTLE: 2, LID: 1}})
ALL = Counting(locations=[0], building=[0])
LISTED = CartColumns(products=array("i", [SET]), counting=[ALL])


def test_a_bundle_is_built_from_parts_of_another_partition() -> None:
    broadcast = Components.together(map(components_of, (PARTS, SETS)))
    assert list(broadcast.ids) == [KETTLE, LID]
    (row,) = allocate_partition(SETS, broadcast, LISTED)
    assert list(row.quantities) == [1 + 3]
    assert list(row.totals) == [1 + 3]


def test_only_what_bundles_need_is_broadcast() -> None:
    plain = partition({1: 4, 2: 4, KETTLE: 7}, {}, KETTLE)
    assert list(components_of(plain).ids) == [KETTLE]
    assert [list(column) for column in components_of(plain).available] == [[7]]


def test_a_part_that_nobody_gave_is_named_and_never_counted_as_none() -> None:
    with pytest.raises(InvalidValueError, match="The part 10 is not among what is broadcast"):
        allocate_partition(SETS, Components.together([components_of(SETS)]), LISTED)
    with pytest.raises(InvalidValueError, match="The part 20 is not among what is broadcast"):
        allocate_partition(SETS, Components(ids=array("i", [KETTLE]), available=[array("i", [7])]), LISTED)


def test_a_product_in_two_partitions_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="The product 10 is in two partitions"):
        Components.together(map(components_of, (PARTS, PARTS)))


def test_partitions_have_the_same_locations() -> None:
    nowhere = evolve(PARTS, stock=StockColumns(products=2, available=[], recorded=[]))
    with pytest.raises(InvalidValueError, match="do not have the same locations"):
        Components.together([components_of(SETS), components_of(nowhere)])
    with pytest.raises(InvalidValueError, match="0 locations in what is broadcast, and 1 in the partition"):
        allocate_partition(SETS, components_of(nowhere), LISTED)


def test_no_partition_broadcasts_nothing() -> None:
    broadcast = Components.together([])
    assert (len(broadcast.ids), broadcast.available) == (0, ())
    (row,) = allocate_partition(PARTS, broadcast, evolve(LISTED, products=PARTS.ids))
    assert list(row.quantities) == [9, 3]


def test_a_listing_of_another_partition_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="The listed product 30 is not in this partition"):
        allocate_partition(PARTS, components_of(PARTS), LISTED)
    # A part that is borrowed is not this partition's to tell either.
    with pytest.raises(InvalidValueError, match="The listed product 10 is not in this partition"):
        allocate_partition(SETS, components_of(PARTS), evolve(LISTED, products=array("i", [KETTLE])))


def test_columns_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="ids has 1 entries for 2 products"):
        evolve(PARTS, ids=array("i", [KETTLE]))
    with pytest.raises(InvalidValueError, match="needed has 1 entries for 2 products"):
        evolve(PARTS, needed=b"\x01")
    for ids in ([LID, KETTLE], [LID, LID]):
        with pytest.raises(InvalidValueError, match="must ascend"):
            evolve(PARTS, ids=array("i", ids))
    with pytest.raises(InvalidValueError, match="The bundle 30 is not among the products"):
        evolve(PARTS, bundles=SETS.bundles)
    with pytest.raises(InvalidValueError, match="The bundle 30 is a part of another bundle"):
        evolve(SETS, needed=b"\x01")


def test_they_say_what_they_are() -> None:
    assert repr(SETS) == "<Partition: 1 products, 1 bundles>"
    assert repr(components_of(PARTS)) == "<Components: 2 products>"
