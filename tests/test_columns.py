"""The column engine by itself: buffers in, buffers out; numpy or not, the figures are the same."""

from __future__ import annotations

import sys
from array import array
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omsync import QuantityRules
from omsync.allocation.columnar import (
    BundleColumns,
    CartColumns,
    Counting,
    Row,
    StockColumns,
    allocate_columns,
    stock_of,
    totals_of,
)
from omsync.allocation.columnar import totals as totals_module
from omsync.allocation.columnar.adding import added, are_small, below_zero
from omsync.allocation.columnar.buffers import as_numbers
from omsync.allocation.columnar.rules import told
from omsync.allocation.rules import apply_rules
from omsync.errors import InvalidValueError, SnapshotError, WrongTypeError

FIGURES = st.one_of(st.integers(-5, 40), st.integers(-(2**31), 2**31 - 1))


@st.composite
def jobs(draw: st.DrawFn) -> tuple[StockColumns, BundleColumns, CartColumns, bool]:
    """Draw stock, bundles and a cart; bundles may or may not follow one another."""
    products, locations = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    flags = [bytes(draw(st.booleans()) for _ in range(products)) for _ in range(locations)]
    figures = [array("i", [draw(FIGURES) if one else 0 for one in column]) for column in flags]
    bundles = draw(st.sets(st.integers(0, products - 1), max_size=products - 1))
    plain = sorted(set(range(products)) - bundles)
    recipes = {
        bundle: draw(st.dictionaries(st.sampled_from(plain), st.integers(1, 4), min_size=1, max_size=4))
        for bundle in bundles
    }
    listings = draw(st.lists(st.integers(0, products - 1), max_size=15))

    def counting() -> Counting:
        counted = sorted(draw(st.sets(st.integers(0, locations - 1))))
        building = [place for place in counted if draw(st.integers(0, 3))]
        return Counting(locations=counted, building=building, pooled=draw(st.booleans()))

    rules = st.builds(
        QuantityRules,
        percent=st.integers(1, 100),
        safety_stock=st.integers(0, 3),
        backorder_room=st.integers(0, 2),
        zero_below=st.integers(0, 3),
        max_quantity=st.none() | st.integers(5, 50),
    )
    cart = CartColumns(
        products=array("q", listings),
        counting=[counting() for _ in range(draw(st.integers(1, 3)))],
        rules=draw(rules),
        units=array("i", [draw(st.integers(1, 6)) for _ in listings]) if draw(st.booleans()) else None,
        rules_by_product=draw(st.dictionaries(st.integers(0, products - 1), rules, max_size=2)),
    )
    stock = StockColumns(products=products, available=figures, recorded=flags)
    return stock, BundleColumns.of(recipes), cart, draw(st.booleans())


@given(jobs())
def test_numpy_and_the_standard_library_give_the_same(
    job: tuple[StockColumns, BundleColumns, CartColumns, bool],
) -> None:
    stock, bundles, cart, clamp_each = job
    plain, fast = (
        totals_of(stock, bundles, clamp_each=clamp_each, with_numpy=numpy) for numpy in (False, True)
    )
    rows, others = allocate_columns(plain, cart), allocate_columns(fast, cart)
    assert [as_lists(row) for row in rows] == [as_lists(row) for row in others]
    assert [plain.recorded(one) for one in cart.counting] == [fast.recorded(one) for one in cart.counting]


def as_lists(row: Row) -> tuple[list[int], list[int], bytes]:
    """Give a row's figures in a form that can be compared."""
    return list(row.quantities), list(row.totals), row.recorded


STOCK = StockColumns(products=3, available=[array("i", [4, 7, 0])], recorded=[b"\x01\x01\x01"])
ALL = Counting(locations=[0], building=[0])
CART = CartColumns(products=array("i", [0, 1, 2]), counting=[ALL])


@pytest.mark.parametrize("numpy", [False, True])
def test_every_row_of_a_cart_sees_the_same_debts(numpy: bool) -> None:
    stock = StockColumns(
        products=2,
        available=[array("i", [5, 0]), array("i", [-2, 0])],
        recorded=[b"\x01\x01", b"\x01\x00"],
    )
    both = Counting(locations=[0, 1], building=[0, 1])
    cart = CartColumns(products=array("i", [1]), counting=[both, both])
    totals = totals_of(stock, BundleColumns.of({1: {0: 1}}), with_numpy=numpy)
    assert [list(row.quantities) for row in allocate_columns(totals, cart)] == [[3], [3]]


@pytest.mark.parametrize("numpy", [False, True])
def test_a_bundle_is_its_shelf_units_and_what_its_parts_make(numpy: bool) -> None:
    totals = totals_of(STOCK, BundleColumns.of({2: {0: 2, 1: 1}}), with_numpy=numpy)
    (row,) = allocate_columns(totals, CART)
    assert list(row.quantities) == [4, 7, 2]


@pytest.mark.parametrize("numpy", [False, True])
@pytest.mark.parametrize("scale", [1, 2**27])
def test_a_part_that_is_owed_elsewhere_limits_what_is_built(numpy: bool, scale: int) -> None:
    figures = [array("i", [6 * scale, 0, 0]), array("i", [-4 * scale, 0, 0])]
    stock = StockColumns(products=3, available=figures, recorded=[b"\x01\x01\x01"] * 2)
    cart = CartColumns(
        products=array("i", [1, 2]),
        counting=[Counting(locations=[0, 1], building=[0, 1]), Counting(locations=[0], building=[0])],
    )
    totals = totals_of(stock, BundleColumns.of({1: {0: 1}, 2: {0: 2}}), with_numpy=numpy)
    both, first = allocate_columns(totals, cart)
    assert list(both.quantities) == [2 * scale, scale]
    assert list(first.quantities) == [6 * scale, 3 * scale]


@pytest.mark.parametrize("numpy", [False, True])
def test_a_bundle_is_built_where_it_and_all_its_parts_have_a_record_at_any_of_ten_locations(
    numpy: bool,
) -> None:
    records = [{0}] * 3 + [{0, 1}] + [{0, 2}] * 5 + [{0, 1, 2}]
    stock = StockColumns(
        products=3,
        available=[array("i", [7 * (0 in one), 4 * (1 in one), 0]) for one in records],
        recorded=[bytes(product in one for product in range(3)) for one in records],
    )
    totals = totals_of(stock, BundleColumns.of({2: {0: 1, 1: 2}}), with_numpy=numpy)
    everywhere = Counting(locations=range(10), building=range(10))
    rows = allocate_columns(
        totals, evolve(CART, counting=[everywhere, Counting(locations=[9], building=[9])])
    )
    assert [list(row.quantities) for row in rows] == [[70, 8, 2], [7, 4, 2]]


def test_a_page_of_listings_that_outgrows_four_bytes_does_so_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(totals_module, "_AT_ONCE", 2)
    large = StockColumns(products=5, available=[array("q", [1, 2, 3, 2**40, 5])], recorded=[b"\x01" * 5])
    cart = evolve(CART, products=array("i", range(5)))
    (row,) = allocate_columns(totals_of(large, BundleColumns(), with_numpy=False), cart)
    assert row.quantities == array("q", [1, 2, 3, 2**40, 5])


@pytest.mark.parametrize("numpy", [False, True])
def test_quantities_beyond_four_bytes_are_kept_in_eight(numpy: bool) -> None:
    stock = StockColumns(products=1, available=[array("q", [2**40])], recorded=[b"\x01"])
    (row,) = allocate_columns(
        totals_of(stock, BundleColumns(), with_numpy=numpy), evolve(CART, products=array("i", [0]))
    )
    assert list(row.quantities) == [2**40]


def test_buffers_of_any_kind_are_used_without_a_copy() -> None:
    numpy = pytest.importorskip("numpy", reason="needs the extra fast")
    figures = numpy.array([4, 7, 0], dtype=numpy.int64)
    stock = evolve(STOCK, available=[figures])
    figures[0] = 5
    (row,) = allocate_columns(totals_of(stock, BundleColumns(), with_numpy=False), CART)
    assert list(row.quantities) == [5, 7, 0]


def test_an_extra_that_is_missing_is_missed_only_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "omsync.allocation.columnar.with_numpy", None)
    many = StockColumns(products=20_000, available=[bytes_of_zeros(20_000)], recorded=[bytes(20_000)])
    assert not any(allocate_columns(totals_of(many, BundleColumns()), CART)[0].quantities)
    with pytest.raises(ImportError):
        totals_of(many, BundleColumns(), with_numpy=True)


def test_many_products_are_worth_numpy() -> None:
    many = StockColumns(products=20_000, available=[bytes_of_zeros(20_000)], recorded=[bytes(20_000)])
    assert type(totals_of(many, BundleColumns())).__name__ == "FastTotals"
    assert type(totals_of(STOCK, BundleColumns())).__name__ == "Totals"


def bytes_of_zeros(number: int) -> array[int]:
    """Give a column of zeros."""
    return array("i", bytes(4 * number))


def test_figures_that_could_overflow_are_refused_by_numpy_and_exact_without() -> None:
    huge = array("q", [2**62])
    stock = StockColumns(products=1, available=[huge, huge], recorded=[b"\x01", b"\x01"])
    cart = CartColumns(products=array("i", [0]), counting=[Counting(locations=[0, 1], building=[0, 1])])
    with pytest.raises(OverflowError, match="too large"):
        totals_of(stock, BundleColumns(), with_numpy=True)
    with pytest.raises(OverflowError):
        allocate_columns(totals_of(stock, BundleColumns(), with_numpy=False), cart)
    capped = evolve(cart, rules=QuantityRules(max_quantity=9))
    (row,) = allocate_columns(totals_of(stock, BundleColumns(), with_numpy=False), capped)
    assert list(row.quantities) == [9]


@pytest.mark.parametrize("numpy", [False, True])
def test_a_wide_range_of_totals_is_told_exactly(numpy: bool) -> None:
    figures = array("q", [0, 10**9, -(10**9)])
    stock = StockColumns(products=3, available=[figures], recorded=[b"\x01\x01\x01"])
    cart = evolve(CART, rules=QuantityRules(percent=50))
    (row,) = allocate_columns(totals_of(stock, BundleColumns(), with_numpy=numpy), cart)
    assert list(row.quantities) == [0, 5 * 10**8, 0]


@given(st.lists(st.lists(st.integers(-(2**26), 2**26 - 1), min_size=3, max_size=3), min_size=1, max_size=9))
def test_columns_of_small_figures_are_added_exactly(figures: list[list[int]]) -> None:
    columns = [as_numbers(array("i", column)) for column in figures]
    assert list(added(columns)) == list(map(sum, zip(*figures, strict=True)))
    assert [list(below_zero(column)) for column in columns] == [
        [int(one < 0) for one in column] for column in figures
    ]


@pytest.mark.parametrize(
    ("figure", "columns", "small"),
    [
        (32 * 2**24 - 1, 2, True),
        (32 * 2**24, 2, False),
        (-32 * 2**24, 2, True),
        (-32 * 2**24 - 1, 2, False),
        (2**24 - 1, 64, True),
        (0, 65, False),
    ],
)
def test_figures_are_small_where_twice_their_sum_fits_into_four_bytes(
    figure: int, columns: int, small: bool
) -> None:
    assert are_small([as_numbers(array("i", [0, figure]))] * columns) is small


def test_a_column_of_eight_bytes_is_not_small() -> None:
    assert not are_small([as_numbers(array("q", [1]))])
    assert list(below_zero(as_numbers(array("q", [1, -1, -(2**40), 2**40])))) == [0, 1, 1, 0]


@pytest.mark.parametrize("numpy", [False, True])
@pytest.mark.parametrize("figure", [5, 2**30])
@pytest.mark.parametrize("pooled", [False, True])
def test_a_cart_that_builds_nowhere_or_counts_nothing_is_told_what_is_on_the_shelf(
    numpy: bool, figure: int, pooled: bool
) -> None:
    stock = StockColumns(products=2, available=[array("i", [figure, 1])], recorded=[b"\x01\x01"])
    cart = CartColumns(
        products=array("i", [0, 1]),
        counting=[
            Counting(locations=[0], building=[], pooled=pooled),
            Counting(locations=[], building=[], pooled=pooled),
        ],
    )
    totals = totals_of(stock, BundleColumns.of({1: {0: 1}}), with_numpy=numpy)
    shelf, nothing = allocate_columns(totals, cart)
    assert [list(shelf.quantities), list(nothing.quantities)] == [[figure, 1], [0, 0]]


@given(
    st.integers(-50, 2000),
    st.integers(1, 12),
    st.builds(
        QuantityRules,
        percent=st.integers(0, 100),
        safety_stock=st.integers(0, 9),
        backorder_room=st.integers(0, 9),
        zero_below=st.integers(0, 9),
        max_quantity=st.none() | st.integers(0, 50),
    )
    | st.builds(
        QuantityRules,
        safety_stock=st.integers(0, 9),
        show_at_least=st.integers(0, 9),
        max_quantity=st.none() | st.integers(9, 50),
    ),
)
def test_what_a_total_is_told_as_is_the_last_step_of_the_rules(
    total: int, units: int, rules: QuantityRules
) -> None:
    assert told(total, units, rules) == apply_rules(total, units, rules)[-1].after


def test_records_in_any_order_become_columns() -> None:
    stock = stock_of([(2, 1, -3), (0, 0, 4), (1, 1, 0)], products=3, locations=2)
    assert [list(column) for column in stock.available] == [[4, 0, 0], [0, 0, -3]]
    assert [list(flags) for flags in stock.recorded] == [[1, 0, 0], [0, 1, 1]]


@pytest.mark.parametrize("record", [(3, 0, 1), (-1, 0, 1), (0, 2, 1), (0, -1, 1)])
def test_a_record_of_no_product_or_location_is_named(record: tuple[int, int, int]) -> None:
    words = f"A record is of product {record[0]} at location {record[1]}: there are 3 products at 2 locations"
    with pytest.raises(InvalidValueError, match=words):
        stock_of([record], products=3, locations=2)


def test_a_record_that_is_given_twice_or_is_too_large_is_named() -> None:
    with pytest.raises(SnapshotError, match="of product 1 at location 0"):
        stock_of([(1, 0, 4), (1, 0, 4)], products=2, locations=1)
    with pytest.raises(InvalidValueError, match="product 1 at location 0 has 2,147,483,648 units"):
        stock_of([(1, 0, 2**31)], products=2, locations=1)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ([1, 2, 3], "not list"),
        (array("d", [1.0, 2.0, 3.0]), "not 'd'"),
        (array("I", [1, 2, 3]), "not 'I'"),
        (array("h", [1, 2, 3]), "not 'h'"),
    ],
)
def test_what_is_no_column_of_whole_numbers_is_refused(column: Any, words: str) -> None:
    with pytest.raises(WrongTypeError, match=words):
        evolve(STOCK, available=[column])


def test_columns_of_the_wrong_length_are_named() -> None:
    with pytest.raises(InvalidValueError, match=r"available\[0\] has 2 entries for 3 products"):
        evolve(STOCK, available=[array("i", [1, 2])])
    with pytest.raises(InvalidValueError, match=r"recorded\[0\] has 1 entries for 3 products"):
        evolve(STOCK, recorded=[b"\x01"])
    with pytest.raises(InvalidValueError, match="2 columns of figures and 1 of records"):
        evolve(STOCK, available=[bytes_of_zeros(3)] * 2)
    with pytest.raises(InvalidValueError, match="bytes of 0 and 1 only"):
        evolve(STOCK, recorded=[b"\x01\x02\x00"])
    with pytest.raises(InvalidValueError, match="There are 1 units for 3 listings"):
        evolve(CART, units=array("i", [1]))


@pytest.mark.parametrize(
    ("recipes", "words"),
    [
        ({2: {}}, "must have parts"),
        ({2: {0: 0}}, "at least 1 of each"),
        ({2: {1: 1}, 1: {0: 1}}, "is made of a bundle"),
    ],
)
def test_bundles_that_columns_cannot_hold_are_refused(recipes: dict[int, dict[int, int]], words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        BundleColumns.of(recipes)


def test_bundles_from_columns_are_bundles_from_recipes() -> None:
    one = BundleColumns.of({7: {0: 1}, 5: {2: 3, 0: 1}, 6: {1: 2}})
    other = BundleColumns.of_parts([5, 5, 6, 7], array("i", [0, 2, 1, 0]), (1, 3, 2, 1))
    assert [as_rows(group) for group in one.groups] == [as_rows(group) for group in other.groups]
    assert [as_rows(group) for group in one.groups] == [
        ([6, 7], [[1, 0]], [[2, 1]]),
        ([5], [[0], [2]], [[1], [3]]),
    ]


def as_rows(group: Any) -> tuple[list[int], list[list[int]], list[list[int]]]:
    """Give a group's figures in a form that can be compared."""
    return list(group.bundles), list(map(list, group.parts)), list(map(list, group.needs))


@pytest.mark.parametrize(("bundles", "parts"), [([5, 4], [0, 0]), ([4, 4], [1, 0]), ([4, 4], [0, 0])])
def test_parts_out_of_order_or_given_twice_are_refused(bundles: list[int], parts: list[int]) -> None:
    with pytest.raises(InvalidValueError, match="must ascend by bundle and part"):
        BundleColumns.of_parts(bundles, parts, [1, 1])


def test_they_say_what_they_are() -> None:
    assert repr(STOCK) == "<StockColumns: 3 products at 1 locations>"
    assert repr(BundleColumns.of({2: {0: 1}})) == "<BundleColumns: 1 bundles>"
