"""The order manager's values: exact types, immutable copies, and a snapshot without contradictions."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

from omsync.errors import InvalidValueError, OmsyncError, SnapshotError, WrongTypeError
from omsync.levels import Levels
from omsync.model import (
    Alias,
    Bundle,
    Component,
    InventorySnapshot,
    SalesChannel,
    Sku,
    StockLevel,
    Warehouse,
)

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LEVEL = StockLevel(master_sku="CUP", location_id="1", available=5)


def _snapshot(**fields: Any) -> InventorySnapshot:
    return InventorySnapshot(**{"taken_at": NOON, **fields})


def _full() -> InventorySnapshot:
    return _snapshot(
        skus=[Sku(master_sku="CUP"), Sku(master_sku="BOX", kind="bundle")],
        aliases=[Alias(name="UPC", listing_sku="0012", master_sku="CUP")],
        warehouses=[Warehouse(id="1", name="Reno DC")],
        sales_channels=[SalesChannel(id="91")],
        bundles=[Bundle(master_sku="BOX", components=[Component(master_sku="CUP", quantity=2)])],
        levels=[LEVEL],
        doubtful={("CUP", "1")},
    )


_MAKERS: dict[str, Callable[..., Any]] = {
    "Sku": lambda **given: Sku(**{"master_sku": "CUP", **given}),
    "Alias": lambda **given: Alias(**{"name": "UPC", "listing_sku": "a", "master_sku": "CUP", **given}),
    "Warehouse": lambda **given: Warehouse(**{"id": "1", **given}),
    "SalesChannel": lambda **given: SalesChannel(**{"id": "1", **given}),
    "Component": lambda **given: Component(**{"master_sku": "CUP", **given}),
    "Bundle": lambda **given: Bundle(**{"master_sku": "BOX", "components": (), **given}),
    "StockLevel": lambda **given: StockLevel(**{"master_sku": "CUP", "location_id": "1", **given}),
    "InventorySnapshot": _snapshot,
}

_WHOLE = (
    ("Alias", "units"),
    ("Component", "quantity"),
    *(("StockLevel", name) for name in ("committed", "locked", "in_transit")),
)
_TEXT = (
    ("Sku", "master_sku"),
    ("Alias", "name"),
    ("Alias", "listing_sku"),
    ("Alias", "master_sku"),
    ("Warehouse", "id"),
    ("SalesChannel", "id"),
    ("Component", "master_sku"),
    ("Bundle", "master_sku"),
    ("StockLevel", "master_sku"),
    ("StockLevel", "location_id"),
)
_FLAGS = (
    ("Sku", "active"),
    ("Sku", "digital"),
    ("Sku", "tracked"),
    ("Alias", "active"),
    ("Alias", "push_inventory"),
    ("Warehouse", "active"),
    ("SalesChannel", "active"),
)


@pytest.mark.parametrize(("kind", "name"), [*_WHOLE, ("StockLevel", "on_hand"), ("StockLevel", "available")])
@pytest.mark.parametrize("value", ["5", 5.0, True])
def test_a_quantity_is_a_whole_number_and_nothing_like_it(kind: str, name: str, value: Any) -> None:
    with pytest.raises(WrongTypeError) as caught:
        _MAKERS[kind](**{name: value})
    shown = f"{value!r} ({type(value).__name__})"
    assert caught.value.message == f"{kind}.{name} must be a whole number, not {shown}"
    assert isinstance(caught.value, OmsyncError | ValueError | TypeError)


@pytest.mark.parametrize(("kind", "name"), _WHOLE)
def test_a_quantity_that_cannot_be_unknown_is_not_none(kind: str, name: str) -> None:
    with pytest.raises(WrongTypeError, match=rf"{kind}\.{name} must be a whole number, not None"):
        _MAKERS[kind](**{name: None})


def test_a_figure_that_was_not_reported_is_none_and_not_0() -> None:
    level = StockLevel(master_sku="CUP", location_id="1")
    assert (level.on_hand, level.available) == (None, None)
    assert level != evolve(level, available=0)


@pytest.mark.parametrize("name", ["committed", "locked", "in_transit"])
def test_only_available_and_on_hand_can_be_negative(name: str) -> None:
    assert StockLevel(master_sku="CUP", location_id="1", on_hand=-2, available=-1).available == -1
    with pytest.raises(InvalidValueError, match=rf"StockLevel\.{name} must be at least 0, not -1"):
        _MAKERS["StockLevel"](**{name: -1})


def test_a_piece_has_at_least_one_unit_and_a_part_may_be_needed_less_so_that_it_can_be_reported() -> None:
    with pytest.raises(InvalidValueError, match=r"Alias\.units must be at least 1, not 0"):
        _MAKERS["Alias"](units=0)
    assert Component(master_sku="CUP", quantity=0).quantity == 0


@pytest.mark.parametrize("name", ["available", "on_hand"])
def test_a_figure_is_bounded_by_what_the_columns_hold(name: str) -> None:
    assert getattr(_MAKERS["StockLevel"](**{name: 2**63 - 1}), name) == 2**63 - 1
    with pytest.raises(InvalidValueError, match=f"must be at most {2**63 - 1}"):
        _MAKERS["StockLevel"](**{name: 2**63})
    with pytest.raises(InvalidValueError, match=f"must be at least -{2**63 - 1}"):
        _MAKERS["StockLevel"](**{name: -(2**63)})


@pytest.mark.parametrize(("kind", "name"), _TEXT)
@pytest.mark.parametrize("value", [7, None, b"CUP"])
def test_a_code_is_text(kind: str, name: str, value: Any) -> None:
    with pytest.raises(WrongTypeError, match=rf"{kind}\.{name} must be text, not "):
        _MAKERS[kind](**{name: value})


@pytest.mark.parametrize(("kind", "name"), _TEXT)
def test_a_code_is_not_empty(kind: str, name: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"{kind}\.{name} must not be empty") as caught:
        _MAKERS[kind](**{name: ""})
    assert not isinstance(caught.value, TypeError)


@pytest.mark.parametrize("name", ["name", "description", "upc", "mpn", "brand"])
def test_what_only_describes_may_be_empty_but_is_text(name: str) -> None:
    assert getattr(_MAKERS["Sku"](**{name: ""}), name) == ""
    with pytest.raises(WrongTypeError, match=rf"Sku\.{name} must be text, not 7 \(int\)"):
        _MAKERS["Sku"](**{name: 7})


@pytest.mark.parametrize(("kind", "name"), _FLAGS)
@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_a_flag_is_true_or_false(kind: str, name: str, value: Any) -> None:
    with pytest.raises(WrongTypeError, match=rf"{kind}\.{name} must be True or False, not "):
        _MAKERS[kind](**{name: value})


@pytest.mark.parametrize(
    ("kind", "name", "choices"),
    [
        ("Sku", "kind", "'core', 'bundle', 'virtual'"),
        ("InventorySnapshot", "scope", "'warehouse', 'channel'"),
        ("InventorySnapshot", "bundles_include_buildable", "'no', 'yes', 'unknown'"),
    ],
)
def test_a_choice_is_one_of_its_words(kind: str, name: str, choices: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        _MAKERS[kind](**{name: "other"})
    assert caught.value.message == f"{kind}.{name} must be one of {choices}, not 'other' (str)"


@pytest.mark.parametrize("name", ["weight_oz", "length_in", "width_in", "height_in"])
def test_a_measure_is_a_finite_number_from_0(name: str) -> None:
    assert getattr(_MAKERS["Sku"](**{name: 2.5}), name) == 2.5
    assert getattr(_MAKERS["Sku"](**{name: 0}), name) == 0
    mistyped: tuple[Any, ...] = ("2", True)
    for wrong in mistyped:
        with pytest.raises(WrongTypeError, match=rf"Sku\.{name} must be a number or None"):
            _MAKERS["Sku"](**{name: wrong})
    for number in (-1, float("inf"), float("nan")):
        with pytest.raises(InvalidValueError, match=rf"Sku\.{name} must be a finite number from 0"):
            _MAKERS["Sku"](**{name: number})


@pytest.mark.parametrize("kind", _MAKERS)
def test_values_are_frozen(kind: str) -> None:
    value = _MAKERS[kind]()
    name = value.__attrs_attrs__[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, "other")


@pytest.mark.parametrize("kind", _MAKERS)
def test_values_are_equal_hashed_and_pickled_by_what_they_hold(kind: str) -> None:
    value = _MAKERS[kind]()
    copy = pickle.loads(pickle.dumps(value))  # noqa: S301  our own bytes
    assert copy == value == _MAKERS[kind]()
    assert hash(copy) == hash(value)


# Collections


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Bundle", "components"),
        *(
            ("InventorySnapshot", name)
            for name in ("skus", "aliases", "warehouses", "sales_channels", "bundles")
        ),
    ],
)
def test_a_bare_text_is_no_collection(kind: str, name: str) -> None:
    with pytest.raises(WrongTypeError, match="not the bare text 'CUP'") as caught:
        _MAKERS[kind](**{name: "CUP"})
    assert caught.value.remedy == "Write ('CUP',) for a collection of one."
    with pytest.raises(WrongTypeError, match=r"A collection is wanted, not 7 \(int\)"):
        _MAKERS[kind](**{name: 7})


def test_a_collection_holds_what_it_is_for() -> None:
    with pytest.raises(WrongTypeError, match=r"InventorySnapshot\.skus must be Sku, not 'CUP' \(str\)"):
        _snapshot(skus=["CUP"])
    with pytest.raises(WrongTypeError, match=r"Bundle\.components must be Component, not"):
        Bundle(master_sku="BOX", components=[Sku(master_sku="CUP")])
    with pytest.raises(WrongTypeError, match="Levels are StockLevel values, not"):
        _snapshot(levels=[("CUP", "1", 5)])


def test_collections_are_copied() -> None:
    skus, parts, levels = [Sku(master_sku="CUP")], [Component(master_sku="CUP")], [LEVEL]
    snapshot = _snapshot(skus=skus, levels=levels, warehouses=[Warehouse(id="1")])
    bundle = Bundle(master_sku="BOX", components=parts)
    skus.clear()
    parts.clear()
    levels.clear()
    assert snapshot.skus == (Sku(master_sku="CUP"),)
    assert list(snapshot.levels) == [LEVEL]
    assert bundle.components == (Component(master_sku="CUP"),)


def test_collections_may_be_generators() -> None:
    snapshot = _snapshot(
        skus=(Sku(master_sku=name) for name in "ab"),
        warehouses=iter([Warehouse(id="1")]),
        levels=(StockLevel(master_sku=name, location_id="1") for name in "ba"),
    )
    assert [sku.master_sku for sku in snapshot.skus] == ["a", "b"]
    assert snapshot.levels.master_skus == ("a", "b")


def test_levels_are_kept_as_they_are() -> None:
    levels = Levels([LEVEL])
    assert _snapshot(levels=levels, warehouses=[Warehouse(id="1")]).levels is levels


# Snapshots


def test_snapshots_are_equal_whatever_the_order_of_their_levels() -> None:
    other = StockLevel(master_sku="CUP", location_id="2")
    places = [Warehouse(id="1"), Warehouse(id="2")]
    one = _snapshot(levels=[LEVEL, other], warehouses=places)
    back = _snapshot(levels=[other, LEVEL], warehouses=places)
    assert one == back
    assert hash(one) == hash(back)
    assert pickle.loads(pickle.dumps(_full())) == _full()  # noqa: S301  our own bytes


@pytest.mark.parametrize(
    ("field", "entry", "what"),
    [
        ("skus", Sku(master_sku="CUP"), "product 'CUP'"),
        ("warehouses", Warehouse(id="1"), "warehouse id '1'"),
        ("sales_channels", SalesChannel(id="1"), "sales channel id '1'"),
        ("bundles", Bundle(master_sku="BOX", components=()), "bundle 'BOX'"),
    ],
)
def test_nothing_is_given_twice(field: str, entry: Any, what: str) -> None:
    with pytest.raises(SnapshotError, match=f"The snapshot gives the {what} twice") as caught:
        _snapshot(**{field: [entry, entry]})
    assert caught.value.code == "given_twice"
    assert isinstance(caught.value, ValueError)


def test_a_stock_record_is_not_given_twice() -> None:
    with pytest.raises(SnapshotError, match="stock record of 'CUP' at location '1' is given twice") as caught:
        _snapshot(levels=[LEVEL, evolve(LEVEL, available=9)], warehouses=[Warehouse(id="1")])
    assert caught.value.code == "given_twice"


def test_aliases_may_repeat_since_order_managers_do() -> None:
    again = Alias(name="UPC", listing_sku="a", master_sku="CUP")
    assert len(_snapshot(aliases=[again, again]).aliases) == 2


@pytest.mark.parametrize(
    ("scope", "known", "kind", "remedy"),
    [
        ("warehouse", {"warehouses": [Warehouse(id="7")]}, "warehouses", "in warehouses=; known: '7'."),
        ("warehouse", {"sales_channels": [SalesChannel(id="1")]}, "warehouses", "known: none."),
        (
            "channel",
            {"warehouses": [Warehouse(id="1")]},
            "sales channels",
            "in sales_channels=; known: none.",
        ),
    ],
)
def test_a_level_at_a_location_that_the_snapshot_does_not_have_is_refused(
    scope: str, known: dict[str, Any], kind: str, remedy: str
) -> None:
    with pytest.raises(SnapshotError, match=f"not among the snapshot's {kind}: '1'") as caught:
        _snapshot(levels=[LEVEL], scope=scope, **known)
    assert caught.value.code == "unknown_level_location"
    assert caught.value.remedy.endswith(remedy)


def test_a_snapshot_speaks_of_warehouses_or_of_channels() -> None:
    snapshot = _full()
    assert snapshot.places == (Warehouse(id="1", name="Reno DC"),)
    assert _snapshot(scope="channel", sales_channels=[SalesChannel(id="91")]).places == (
        SalesChannel(id="91"),
    )


def test_the_time_of_a_reading_knows_its_zone_and_is_kept_as_utc() -> None:
    with pytest.raises(
        InvalidValueError, match=r"InventorySnapshot\.taken_at must know its time zone"
    ) as caught:
        _snapshot(taken_at=datetime(2026, 1, 5, 12))  # noqa: DTZ001  on purpose
    assert "datetime.now(UTC)" in caught.value.remedy
    for wrong in ("2026-01-05", None, 1767614400):
        with pytest.raises(WrongTypeError, match=r"InventorySnapshot\.taken_at must be a datetime, not"):
            _snapshot(taken_at=wrong)
    berlin = timezone(timedelta(hours=1))
    snapshot = _snapshot(taken_at=datetime(2026, 1, 5, 13, tzinfo=berlin))
    assert snapshot.taken_at.tzinfo is UTC
    assert snapshot == _snapshot()


def test_a_snapshot_is_shown_by_its_counts() -> None:
    assert repr(_full()) == (
        "<InventorySnapshot of 2026-01-05 12:00:00Z, scope warehouse: 2 products, 1 aliases, 1 locations, "
        "1 bundles, 1 stock records>"
    )
