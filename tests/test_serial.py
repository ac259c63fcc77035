"""Values to JSON and back: what comes back is equal, and nothing is ever coerced."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from omsync import checks
from omsync.checks import FrozenMapping
from omsync.errors import DecodeError, InvalidValueError, WrongTypeError
from omsync.frequency import Frequency
from omsync.levels import StockLevel
from omsync.model import Alias, Bundle, Component, InventorySnapshot, SalesChannel, Sku, Warehouse
from omsync.ports import RunRecord
from omsync.serial import from_data, from_json, snapshot_from_json, snapshot_to_json, to_data, to_json
from omsync.settings import (
    CartSettings,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    QuantityRules,
    SkuOverride,
)

NOON = datetime(2025, 3, 9, 12, 0, 0, 250_000, tzinfo=UTC)


class Word(Enum):
    YES = "yes"


@frozen(kw_only=True)
class Step:
    """One node of a tree, as an explanation is made of."""

    kind: Literal["sum", "floor"]
    figure: int
    parts: tuple[Step, ...] = ()


@frozen(kw_only=True)
class Shelf:
    shelf: int


@frozen(kw_only=True)
class Built:
    built: int
    note: str = ""


@frozen(kw_only=True)
class Counted:
    shelf: int


@frozen(kw_only=True)
class Everything:
    """A field of every type that a plan may have."""

    text: str = "a"
    whole: int = 1
    number: float = 1.5
    flag: bool = True
    nothing: None = None
    at: datetime = NOON
    maybe: int | None = None
    maybe_text: str | None = None
    names: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, str | None]] = frozenset()
    row: tuple[str, int] = ("a", 1)
    rows: tuple[Step, ...] = ()
    listed: list[int] = field(factory=list)
    sequence: Sequence[int] = ()
    counts: Mapping[str, int] = field(factory=dict, converter=checks.as_mapping)
    nested: Mapping[str, tuple[Shelf, ...]] = field(factory=dict, converter=checks.as_mapping)
    plain: dict[str, int] = field(factory=dict)
    word: Literal["yes", "no", 1] = "yes"
    word_if_any: Literal["yes", "no"] | None = None
    place: str | tuple[str, ...] | None = None
    figure: int | float | str = 0
    source: Shelf | Built | None = None
    source_or_step: Shelf | Counted | None = None


FULL = Everything(
    maybe=5,
    names=frozenset({"b", "a"}),
    pairs=frozenset({("b", None), ("a", "x"), ("a", None)}),
    rows=(Step(kind="sum", figure=9, parts=(Step(kind="floor", figure=6), Step(kind="floor", figure=3))),),
    listed=[3, 1],
    sequence=(2, 1),
    counts={"unchanged": 2, "applied": 1},
    nested={"Löffel": (Shelf(shelf=1),)},
    plain={"x": 1},
    word_if_any="no",
    place=("reno", "york"),
    figure=2.5,
    source=Built(built=3),
)


def problem_of(data: object, type_: type[object]) -> str:
    with pytest.raises(DecodeError) as caught:
        from_data(data, type_)
    (problem,) = caught.value.problems
    return problem


def test_every_kind_of_field_comes_back_equal() -> None:
    for value in (FULL, Everything(), Everything(place="reno", source=Shelf(shelf=0), figure="many")):
        again = from_json(to_json(value), Everything)
        assert again == value
        assert type(again.figure) is type(value.figure)
    assert isinstance(from_json(to_json(FULL), Everything).counts, FrozenMapping)


def test_what_is_written_is_plain_and_sets_are_sorted() -> None:
    data = to_data(FULL)
    assert data["names"] == ["a", "b"]
    assert data["pairs"] == [["a", "x"], ["a", None], ["b", None]]
    assert data["at"] == "2025-03-09T12:00:00.250000+00:00"
    assert data["counts"] == {"unchanged": 2, "applied": 1}
    assert data["source"] == {"built": 3, "note": ""}
    assert data["rows"][0]["parts"][1] == {"kind": "floor", "figure": 3, "parts": []}
    assert "Löffel" in to_json(FULL)
    assert to_json(Shelf(shelf=1)) == '{"shelf":1}'
    assert to_json(Shelf(shelf=1), indent=2) == '{\n  "shelf": 1\n}'


@pytest.mark.parametrize("bad", ["5", 5.0, 5.7, True, None, [], {}, [5]])
def test_nothing_but_a_whole_number_is_taken_for_one(bad: object) -> None:
    words = f"Everything.whole: must be a whole number, not {bad!r} ({type(bad).__name__})"
    assert problem_of({"whole": bad}, Everything) == words


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("text", None), ("text", 5), ("text", True), ("text", ["a"]),
        ("number", "1.5"), ("number", True), ("number", None), ("number", math.inf), ("number", math.nan),
        ("flag", 1), ("flag", 0), ("flag", "true"), ("flag", None),
        ("nothing", 0), ("nothing", ""), ("nothing", False),
        ("at", "2025-03-09T12:00:00"), ("at", "noon"), ("at", 1741521600), ("at", None), ("at", "2025-03-09"),
        ("maybe", "5"), ("maybe", 5.0), ("maybe", True), ("maybe", ""), ("maybe", False),
        ("maybe_text", 5), ("maybe_text", False),
        ("names", "ab"), ("names", {"a": 1}), ("names", ["a", 1]), ("names", ["a", "a"]), ("names", None),
        ("pairs", [["a"]]), ("pairs", [["a", "b", "c"]]), ("pairs", ["ab"]), ("pairs", [["a", 1]]),
        ("row", "a1"), ("row", ["a", "1"]), ("row", ["a"]), ("row", {"a": 1, "b": 2}),
        ("rows", {"kind": "sum"}), ("rows", [5]), ("rows", "x"), ("rows", [None]),
        ("listed", "12"), ("listed", [1, "2"]), ("sequence", "12"), ("sequence", [True]),
        ("counts", [["a", 1]]), ("counts", {"a": "1"}), ("counts", {"a": None}), ("counts", {1: 1}),
        ("counts", None), ("plain", {"a": True}), ("plain", []),
        ("nested", {"a": {"shelf": 1}}), ("nested", {"a": [{"shelf": "1"}]}),
        ("word", "maybe"), ("word", True), ("word", 1.0), ("word", None),
        ("word_if_any", "maybe"), ("word_if_any", False), ("word_if_any", []),
        ("place", 5), ("place", ["reno", 5]), ("place", {"reno": 1}), ("place", False),
        ("figure", True), ("figure", None), ("figure", []),
        ("source", {}), ("source", {"shelf": "1"}), ("source", {"shelf": 1, "built": 1}), ("source", []),
        ("source", "shelf"), ("source", {"built": None}),
    ],
)  # fmt: skip
def test_nothing_is_coerced_wherever_it_stands(name: str, bad: object) -> None:
    assert problem_of({name: bad}, Everything).startswith(f"Everything.{name}")


def test_a_number_may_be_whole_and_stays_so() -> None:
    again = from_data({"number": 3}, Everything)
    assert again.number == 3
    assert type(again.number) is int


def test_a_time_keeps_its_moment_whatever_its_zone() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=-5)))
    assert to_data(there) == "2025-03-09T07:00:00.250000-05:00"
    assert from_data("2025-03-09T12:00:00.25Z", datetime) == there == from_data(to_data(there), datetime)


def test_all_problems_are_named_at_once_by_place_and_value() -> None:
    data = {
        "text": 5,
        "rows": [{"kind": "sum", "figure": 1, "parts": [{"kind": "flor", "figure": "6"}]}],
        "nam": 1,
    }
    with pytest.raises(DecodeError) as caught:
        from_data(data, Everything)
    assert set(caught.value.problems) == {
        "Everything.text: must be text, not 5 (int)",
        "Everything.rows[0].parts[0].kind: must be one of 'sum', 'floor', not 'flor' (str)",
        "Everything.rows[0].parts[0].figure: must be a whole number, not '6' (str)",
        "Everything: unknown key 'nam'; did you mean 'names'?",
    }
    assert caught.value.code == "decode"
    assert "What to do: Correct the places named" in str(caught.value)


def test_a_member_of_a_mapping_is_named_by_its_key() -> None:
    data = {"nested": {"gift.set": [{"shelf": 1}, {"shelf": "1"}]}}
    assert problem_of(data, Everything).startswith(
        "Everything.nested['gift.set'][1].shelf: must be a whole number"
    )


def test_a_missing_field_and_an_unlike_key_are_named() -> None:
    assert problem_of({"kind": "sum"}, Step) == "Step.figure: is missing"
    assert problem_of({"shelf": 1, "qqq": 2}, Shelf) == "Shelf: unknown key 'qqq'"
    assert problem_of([], Shelf) == "Shelf: must be an object with keys, not [] (list)"


def test_a_rule_that_a_value_breaks_is_told_in_its_own_words() -> None:
    assert problem_of({"percent": 120}, QuantityRules) == (
        "QuantityRules: QuantityRules.percent must be at most 100, not 120"
    )


def test_thousands_of_problems_are_counted_instead_of_listed() -> None:
    with pytest.raises(DecodeError) as caught:
        from_data(["x"] * 1500, tuple[int, ...])
    assert len(caught.value.problems) == 101
    assert caught.value.problems[-1] == "and 1,400 more"


def test_members_of_a_union_that_look_alike_are_refused_rather_than_guessed() -> None:
    problem = problem_of(to_data(Everything(source_or_step=Shelf(shelf=1))), Everything)
    assert problem == "Everything.source_or_step: fits several of Shelf, Counted: {'shelf': 1} (dict)"
    problem = problem_of({"source_or_step": {"shelf": "1"}}, Everything)
    assert problem == "Everything.source_or_step: fits none of Shelf, Counted: {'shelf': '1'} (dict)"


def test_the_modes_of_a_merchant_are_told_apart_by_their_fields() -> None:
    for mode in (
        PerWarehouse(),
        PerWarehouse(disabled={"Amazon FBA US"}, counted={"Reno"}),
        PerSalesChannel(),
    ):
        merchant = MerchantSettings(mode=mode, frequency=Frequency.daily("06:00", zone="Europe/Berlin"))
        assert from_json(to_json(merchant), MerchantSettings) == merchant


def test_the_settings_of_a_cart_come_back_equal() -> None:
    for location in (None, "Reno DC", ("Reno DC", "York DC")):
        cart = CartSettings(
            name="edi",
            location=location,
            overrides={"SPOON": SkuOverride(rules=QuantityRules(percent=50), leave_out={"York DC"})},
            only={"SPOON", "FORK"},
            units={"six-pack": 6},
        )
        assert from_json(to_json(cart), CartSettings) == cart


def test_a_run_record_comes_back_equal() -> None:
    run = RunRecord(run_id="1", merchant="acme", status="success", started_at=NOON, counts={"applied": 37})
    assert from_json(to_json(run), RunRecord) == run


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"shelf":1', "not JSON"),
        ("", "not JSON"),
        ("<html>", "not JSON"),
        ('{"shelf":1,"shelf":2}', "the key 'shelf' is given twice"),
        ('{"shelf":NaN}', "NaN is no JSON number"),
        ('{"shelf":-Infinity}', "-Infinity is no JSON number"),
        ("[" * 200_000, "not JSON"),
        (b'{"shelf":"\xff"}', "not JSON"),
    ],
)
def test_text_that_is_no_json_is_said_to_be_none(text: str | bytes, words: str) -> None:
    with pytest.raises(DecodeError, match=words) as caught:
        from_json(text, Shelf)
    assert caught.value.code == "not_json"


def test_a_number_too_large_for_a_float_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"Everything\.number: must be a finite number, not inf"):
        from_json('{"number":1e999}', Everything)


def test_data_that_are_nested_without_end_are_refused() -> None:
    data: dict[str, Any] = {"kind": "sum", "figure": 1, "parts": []}
    data["parts"].append(data)
    with pytest.raises(DecodeError, match=r"Step\.parts\[0\].*\.\.\.: is nested too deeply"):
        from_data(data, Step)


@pytest.mark.parametrize(
    "value",
    [
        object(), {1: 2}, {"a": object()}, {1, 2}, b"bytes", timedelta(1), Word.YES, Path("x"),
        math.nan, math.inf,
        datetime(2025, 3, 9, 12), Everything(number=math.nan), Everything(figure=math.inf),  # noqa: DTZ001  without a zone on purpose
    ],
)  # fmt: skip
def test_what_has_no_place_in_json_is_not_written(value: object) -> None:
    with pytest.raises(WrongTypeError):
        to_json(value)


@pytest.mark.parametrize(
    "type_", [object, bytes, timedelta, Mapping[int, str], dict, tuple, set[int], complex, Word, Path]
)
def test_types_that_json_cannot_tell_are_not_read(type_: type[object]) -> None:
    with pytest.raises((DecodeError, WrongTypeError), match="cannot be read from JSON"):
        from_data({"1": "a"}, type_)


# -- snapshots

names = st.text(min_size=1, max_size=4)


# The two pieces of a doubtful pair: a product and a location.
doubtful_pairs: st.SearchStrategy[Any] = st.frozensets(st.tuples(names, names), max_size=3)


@st.composite
def snapshots(draw: st.DrawFn) -> InventorySnapshot:
    skus = draw(st.lists(names, unique=True, max_size=4))
    scope = draw(st.sampled_from(["warehouse", "channel"]))
    ids = draw(st.lists(names, unique=True, min_size=1, max_size=3))
    known = st.sampled_from(skus) if skus else st.nothing()
    units = st.integers(min_value=0, max_value=10**12)
    records = st.builds(
        StockLevel,
        master_sku=known,
        location_id=st.sampled_from(ids),
        on_hand=st.none() | units,
        available=st.none() | st.integers(min_value=-50, max_value=50),
        committed=units,
        locked=units,
        in_transit=units,
    )
    weights = st.none() | st.integers(0, 9) | st.floats(0, 1e9, allow_nan=False)
    return InventorySnapshot(
        taken_at=draw(st.datetimes(timezones=st.just(UTC))),
        skus=[Sku(master_sku=sku, name=draw(st.text(max_size=3)), weight_oz=draw(weights)) for sku in skus],
        aliases=[
            Alias(name="Shop", listing_sku=sku, master_sku=sku, units=draw(st.integers(1, 9))) for sku in skus
        ],
        warehouses=[Warehouse(id=one) for one in ids],
        sales_channels=[SalesChannel(id=one) for one in ids],
        bundles=[
            Bundle(master_sku=sku, components=[Component(master_sku=skus[0], quantity=2)]) for sku in skus
        ],
        levels=draw(st.lists(records, unique_by=lambda one: (one.master_sku, one.location_id), max_size=6)),
        scope=scope,
        bundles_include_buildable=draw(st.sampled_from(["no", "yes", "unknown"])),
        doubtful=draw(doubtful_pairs),
    )


@settings(max_examples=60, deadline=None)
@given(snapshots())
def test_every_snapshot_comes_back_equal(snapshot: InventorySnapshot) -> None:
    text = snapshot_to_json(snapshot)
    again = snapshot_from_json(text)
    assert again == snapshot
    assert snapshot_to_json(again) == text


def stocked() -> InventorySnapshot:
    lost: Any = {("SPOON", "reno")}
    return InventorySnapshot(
        taken_at=NOON,
        skus=[Sku(master_sku="FORK"), Sku(master_sku="SPOON")],
        warehouses=[Warehouse(id="reno")],
        levels=[StockLevel(master_sku="FORK", location_id="reno", on_hand=5, available=3)],
        doubtful=lost,
    )


def test_doubtful_pairs_and_unreported_figures_survive() -> None:
    again = snapshot_from_json(snapshot_to_json(stocked()))
    assert again.doubtful == {("SPOON", "reno")}
    assert again.levels.of("FORK")[0].available == 3
    assert again.levels.of("SPOON") == ()


def test_levels_are_written_as_columns() -> None:
    assert json.loads(snapshot_to_json(stocked()))["levels"]["on_hand"] == [5]


@pytest.mark.parametrize(
    ("name", "bad", "words"),
    [
        ("levels", [], "InventorySnapshot.levels: must be an object with keys"),
        ("levels", {}, "InventorySnapshot.levels: The levels lack the columns 'master_skus'"),
        (
            "skus",
            [{"master_sku": "FORK", "active": 1}],
            "InventorySnapshot.skus[0].active: must be true or false",
        ),
        (
            "skus",
            [{"master_sku": "A"}, {"master_sku": "A"}],
            "InventorySnapshot: The snapshot gives the product 'A'",
        ),
        ("warehouses", [], "InventorySnapshot: Stock levels name locations that are not among"),
        (
            "doubtful",
            [["SPOON", "reno"]] * 2,
            "InventorySnapshot.doubtful: ('SPOON', 'reno') (tuple) is given twice",
        ),
        ("scope", "shelf", "InventorySnapshot: InventorySnapshot.scope must be one of"),
        ("format", 2, "InventorySnapshot: unknown key 'format'"),
    ],
)
def test_a_crooked_snapshot_is_refused_by_the_place(name: str, bad: object, words: str) -> None:
    data = json.loads(snapshot_to_json(stocked()))
    with pytest.raises(DecodeError) as caught:
        snapshot_from_json(json.dumps(data | {name: bad}))
    assert caught.value.problems[0].startswith(words)


def test_a_quantity_as_text_in_a_column_is_refused_by_its_row() -> None:
    data = json.loads(snapshot_to_json(stocked()))
    data["levels"]["available"] = ["3"]
    with pytest.raises(
        DecodeError, match=r"InventorySnapshot\.levels: available\[0\] must be a whole number"
    ):
        snapshot_from_json(json.dumps(data))


def test_a_snapshot_without_a_zone_cannot_exist_to_be_written() -> None:
    with pytest.raises(InvalidValueError):
        InventorySnapshot(taken_at=datetime(2025, 3, 9))  # noqa: DTZ001  without a zone on purpose
