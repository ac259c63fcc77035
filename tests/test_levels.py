"""Stock levels as columns: they go out and come back, and nothing crooked comes in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omsync.errors import InvalidValueError, OmsyncError, SnapshotError, WrongTypeError
from omsync.levels import Levels, StockLevel

Columns = dict[str, list[Any]]

figures = st.integers(min_value=0, max_value=2**63 - 1)
signed_or_unknown = st.none() | st.integers(min_value=-(2**63 - 1), max_value=2**63 - 1)
stock_levels = st.builds(
    StockLevel,
    master_sku=st.sampled_from(["FORK", "fork", "SPOON", "Löffel"]),
    location_id=st.sampled_from(["1", "2", "10"]),
    on_hand=signed_or_unknown,
    available=signed_or_unknown,
    committed=figures,
    locked=figures,
    in_transit=figures,
)


def two_products() -> Columns:
    return Levels(
        [
            StockLevel(master_sku="FORK", location_id="reno", on_hand=5, available=None, committed=2),
            StockLevel(master_sku="FORK", location_id="york", on_hand=None, available=-3),
            StockLevel(master_sku="SPOON", location_id="reno", on_hand=0, available=0, locked=1),
        ]
    ).columns()


def test_columns_hold_one_entry_for_each_record_and_none_where_nothing_was_reported() -> None:
    assert two_products() == {
        "master_skus": ["FORK", "SPOON"],
        "records": [2, 1],
        "location_ids": ["reno", "york"],
        "locations": [0, 1, 0],
        "on_hand": [5, None, 0],
        "available": [None, -3, 0],
        "committed": [2, 0, 0],
        "locked": [0, 0, 1],
        "in_transit": [0, 0, 0],
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(stock_levels, unique_by=lambda level: (level.master_sku, level.location_id)))
def test_levels_come_back_from_their_columns_equal_and_in_order(records: list[StockLevel]) -> None:
    levels = Levels(records)
    again = Levels.from_columns(levels.columns())
    assert again == levels
    assert list(again) == list(levels)
    assert again.of("FORK") == levels.of("FORK")
    assert hash(again) == hash(levels)


def test_a_merchant_without_stock_records_has_empty_columns() -> None:
    assert Levels.from_columns(Levels().columns()) == Levels()


def test_a_stock_record_that_is_given_twice_is_refused() -> None:
    fork = StockLevel(master_sku="FORK", location_id="reno", on_hand=5)
    with pytest.raises(SnapshotError, match="'FORK' at location 'reno' is given twice"):
        Levels([fork, fork])


def test_levels_are_made_of_stock_levels_alone() -> None:
    rows: list[Any] = [("FORK", "reno", 5)]
    with pytest.raises(WrongTypeError, match="Levels are StockLevel values"):
        Levels(rows)


def test_levels_know_their_products_and_places() -> None:
    levels = Levels.from_columns(two_products())
    assert (len(levels), levels.master_skus, levels.location_ids) == (3, ("FORK", "SPOON"), ("reno", "york"))
    assert "FORK" in levels
    assert "KNIFE" not in levels
    assert repr(levels) == "<Levels: 3 records of 2 products>"
    assert levels != "levels"


def put(column: str, row: int, entry: object) -> Callable[[Columns], None]:
    def spoil(columns: Columns) -> None:
        columns[column][row] = entry

    return spoil


def replace(column: str, entries: object) -> Callable[[Columns], None]:
    def spoil(columns: Columns) -> None:
        columns.update({column: entries})  # type: ignore[dict-item]  # being wrong is the point

    return spoil


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (
            put("on_hand", 2, "5"),
            WrongTypeError,
            r"on_hand\[2\] must be a whole number or None, not '5' \(str\)",
        ),
        (put("on_hand", 0, 5.0), WrongTypeError, r"on_hand\[0\] .* not 5\.0 \(float\)"),
        (put("available", 1, True), WrongTypeError, r"available\[1\] .* not True \(bool\)"),
        (put("committed", 1, None), WrongTypeError, r"committed\[1\] must be a whole number, not None"),
        (
            put("committed", 0, -1),
            InvalidValueError,
            r"committed\[0\] must be from 0 to 9223372036854775807, not -1",
        ),
        (put("in_transit", 2, 2**63), InvalidValueError, r"in_transit\[2\] must be from 0 to"),
        (
            put("available", 0, -(2**63)),
            InvalidValueError,
            r"available\[0\] must be from -9223372036854775807",
        ),
        (put("locations", 2, 2), InvalidValueError, r"locations\[2\] must be from 0 to 1, not 2"),
        (put("locations", 1, 0), SnapshotError, "'FORK' must be sorted by location, one for each"),
        (replace("locations", [0, 1, False]), WrongTypeError, r"locations\[2\] must be a whole number"),
        (put("records", 1, 0), InvalidValueError, r"records\[1\] must be from 1"),
        (replace("records", [3]), InvalidValueError, "records must have 2 entries, not 1"),
        (replace("locked", [0, 0]), InvalidValueError, "locked must have 3 entries, not 2"),
        (replace("locked", "000"), WrongTypeError, "locked must be a list, not '000'"),
        (put("master_skus", 0, 7), WrongTypeError, r"master_skus\[0\] must be text, not 7"),
        (put("master_skus", 0, ""), InvalidValueError, r"master_skus\[0\] must not be empty"),
        (put("master_skus", 0, "SPOON"), SnapshotError, "'SPOON' follows 'SPOON'"),
        (replace("location_ids", ["york", "reno"]), SnapshotError, "location_ids must be sorted"),
        (
            replace("location_ids", ["reno", "york", "zoo"]),
            InvalidValueError,
            "'zoo' is listed and holds no record",
        ),
        (replace("reserved", [0, 0, 0]), InvalidValueError, "unknown columns 'reserved'"),
        (lambda columns: columns.pop("locked"), InvalidValueError, "lack the columns 'locked'"),
    ],
)
def test_a_crooked_column_is_refused_by_its_name_and_row(
    spoil: Callable[[Columns], object], error: type[OmsyncError], words: str
) -> None:
    columns = two_products()
    spoil(columns)
    with pytest.raises(error, match=words):
        Levels.from_columns(columns)


@pytest.mark.parametrize(
    ("master_sku", "location_id"),
    [("SPOON", "york"), ("SPOON", "zoo"), ("A-NEW-ONE", "reno"), ("MIDDLE", "reno"), ("ZZZ", "reno")],
)
def test_a_changed_record_takes_its_place_and_a_new_one_is_added(master_sku: str, location_id: str) -> None:
    before = [
        StockLevel(master_sku="FORK", location_id="reno", on_hand=1),
        StockLevel(master_sku="SPOON", location_id="reno", on_hand=2),
        StockLevel(master_sku="SPOON", location_id="york", on_hand=3),
    ]
    changed = StockLevel(master_sku=master_sku, location_id=location_id, on_hand=9)
    expected = {(level.master_sku, level.location_id): level for level in [*before, changed]}
    assert Levels(before).with_changes([changed]) == Levels(expected.values())
