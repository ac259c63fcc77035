"""Stock records that come page by page: they become what they would be all at once, or the same error."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import astuple, evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from omsync.errors import InvalidValueError, OmsyncError, SnapshotError, WrongTypeError
from omsync.levels import Levels, StockLevel
from omsync.levels_builder import Code, LevelsBuilder, LevelsPage

LARGEST = 2**63 - 1
figures = st.integers(min_value=0, max_value=LARGEST)
signed_or_unknown = st.none() | st.integers(min_value=-LARGEST, max_value=LARGEST)
stock_levels = st.builds(
    StockLevel,
    master_sku=st.sampled_from(["FORK", "fork", "SPOON", "Löffel", "1"]),
    location_id=st.sampled_from(["1", "2", "10"]),
    on_hand=signed_or_unknown,
    available=signed_or_unknown,
    committed=figures,
    locked=figures,
    in_transit=figures,
)
pages = st.lists(st.lists(stock_levels, max_size=4), max_size=5)
SOUND: dict[str, Any] = {
    "codes": ["FORK", 7],
    "location_ids": ["reno", "reno"],
    "on_hand": [5, None],
    "available": [None, -3],
    "committed": [2, 0],
    "locked": [0, 0],
    "in_transit": [0, LARGEST],
}


def page_of(levels: list[StockLevel]) -> LevelsPage:
    """Turn records into columns."""
    columns = [list(column) for column in zip(*map(astuple, levels), strict=True)] or [[] for _ in SOUND]
    return LevelsPage(**dict(zip(SOUND, columns, strict=True)))


def gathered(given_pages: list[list[StockLevel]], *, later_wins: bool = False) -> LevelsBuilder:
    """Gather pages."""
    builder = LevelsBuilder(later_wins=later_wins)
    for page in given_pages:
        builder.add(page_of(page))
    return builder


def outcome(make: Any) -> Any:
    """Give the levels, or what the error says."""
    try:
        return make()
    except OmsyncError as error:
        return type(error), str(error), error.code, error.remedy


@settings(max_examples=100, deadline=None)
@given(pages)
def test_records_gathered_by_page_are_the_levels_that_they_are_all_at_once(
    given_pages: list[list[StockLevel]],
) -> None:
    builder = gathered(given_pages)
    records = [level for page in given_pages for level in page]
    assert len(builder) == len(records)
    assert outcome(builder.levels) == outcome(lambda: Levels(records))


@settings(max_examples=100, deadline=None)
@given(pages)
def test_where_the_later_wins_it_replaces_the_earlier(given_pages: list[list[StockLevel]]) -> None:
    latest = {(level.master_sku, level.location_id): level for page in given_pages for level in page}
    levels = gathered(given_pages, later_wins=True).levels()
    assert levels == Levels(latest.values())
    assert [*levels] == [*Levels(latest.values())], "a wrong row may hide in equal columns"


def at(code: Code, place: str, available: int) -> LevelsPage:
    """Make a page of one record."""
    return LevelsPage(
        codes=[code],
        location_ids=[place],
        on_hand=[None],
        available=[available],
        committed=[0],
        locked=[0],
        in_transit=[0],
    )


def test_codes_are_named_at_the_end_and_two_of_one_product_may_share_it_out() -> None:
    builder = LevelsBuilder(later_wins=True)
    for page in (at(7, "york", 1), at("sku FORK", "reno", 2), at(7, "york", 3), at(8, "reno", 4)):
        builder.add(page)
    assert builder.codes == [7, "sku FORK", 8]
    assert builder.location_ids == {"york", "reno"}
    levels = builder.levels(named={7: "FORK", "sku FORK": "FORK", 8: "AXE"}.__getitem__)
    told = [(level.master_sku, level.location_id, level.available) for level in levels]
    assert told == [("AXE", "reno", 4), ("FORK", "reno", 2), ("FORK", "york", 3)]


def test_two_codes_of_one_product_at_one_location_would_show_stock_twice() -> None:
    builder = LevelsBuilder(later_wins=True)
    for page in (at(7, "york", 1), at(8, "york", 2), at(7, "york", 3)):
        builder.add(page)
    with pytest.raises(SnapshotError, match="'FORK' at location 'york' is given twice") as raised:
        builder.levels(named=lambda _: "FORK")
    assert raised.value.code == "given_twice"


def test_locations_that_are_not_wanted_are_left_out_with_products_that_are_nowhere_else() -> None:
    builder = LevelsBuilder()
    for page in (at("A", "york", 1), at("B", "york", 1), at("B", "reno", 2), at("B", "york", 3)):
        builder.add(page)
    levels = builder.levels(within={"reno", "nowhere"})
    assert (levels.master_skus, levels.location_ids, len(levels)) == (("B",), ("reno",), 1)
    assert builder.levels(within=()) == Levels()


@pytest.mark.parametrize(("name", "error"), [("", InvalidValueError), (None, WrongTypeError)])
def test_a_code_must_have_a_name(name: Any, error: type[OmsyncError]) -> None:
    builder = LevelsBuilder()
    builder.add(at(7, "york", 1))
    with pytest.raises(error, match=r"master_skus\[0\] must"):
        builder.levels(named=lambda _: name)


def test_a_sound_page_is_taken_and_tells_its_length() -> None:
    page = LevelsPage(**SOUND)
    assert len(page) == 2
    assert page == LevelsPage(**SOUND)
    assert page != evolve(page, locked=[0, 1])


@pytest.mark.parametrize(
    ("column", "entry", "said"),
    [
        ("codes", None, r"codes\[1\] must be text or a whole number, not None \(NoneType\)"),
        ("codes", True, r"codes\[1\] must be text or a whole number, not True \(bool\)"),
        ("codes", "", r"codes\[1\] must not be empty"),
        ("location_ids", 701, r"location_ids\[1\] must be text, not 701 \(int\)"),
        ("location_ids", "", r"location_ids\[1\] must not be empty"),
        ("on_hand", "5", r"on_hand\[1\] must be a whole number or None, not '5' \(str\)"),
        ("available", 5.0, r"available\[1\] must be a whole number or None, not 5.0 \(float\)"),
        ("available", True, r"available\[1\] must be a whole number or None, not True \(bool\)"),
        ("available", 2**63, rf"available\[1\] must be from -{LARGEST} to {LARGEST}, not {2**63}"),
        ("on_hand", -(2**63), rf"on_hand\[1\] must be from -{LARGEST} to {LARGEST}, not -{2**63}"),
        ("committed", None, r"committed\[1\] must be a whole number, not None \(NoneType\)"),
        ("locked", -1, rf"locked\[1\] must be from 0 to {LARGEST}, not -1"),
        ("in_transit", [1], r"in_transit\[1\] must be a whole number, not \[1\] \(list\)"),
    ],
)
def test_an_entry_that_is_none_is_named_by_its_column_and_its_row(column: str, entry: Any, said: str) -> None:
    with pytest.raises((WrongTypeError, InvalidValueError), match=f"^{said}"):
        LevelsPage(**{**SOUND, column: [SOUND[column][0], entry]})


@pytest.mark.parametrize("column", [name for name in SOUND if name != "codes"])
def test_all_columns_are_as_long_as_the_codes(column: str) -> None:
    with pytest.raises(InvalidValueError, match=f"{column} must have 2 entries, not 3"):
        LevelsPage(**{**SOUND, column: [*SOUND[column], SOUND[column][0]]})
