"""What a merchant writes down: exact, copied, and refused where it contradicts itself."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError

from omsync.errors import InvalidValueError, OmsyncError, SettingsError, WrongTypeError
from omsync.frequency import Frequency
from omsync.settings import (
    CartSettings,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    QuantityRules,
    SkuOverride,
)


def _cart(**given: Any) -> CartSettings:
    return CartSettings(**{"name": "acme-us", **given})


def _merchant(**given: Any) -> MerchantSettings:
    return MerchantSettings(**{"mode": PerWarehouse(), **given})


# Modes


@pytest.mark.parametrize("name", ["disabled", "counted", "preassembled_only"])
def test_a_bare_text_is_no_collection_of_warehouses(name: str) -> None:
    bare: Any = {name: "Amazon FBA US"}
    number: Any = {name: [2]}
    with pytest.raises(WrongTypeError, match="not the bare text 'Amazon FBA US'"):
        PerWarehouse(**bare)
    with pytest.raises(WrongTypeError, match=rf"PerWarehouse\.{name} must be text, not 2 \(int\)"):
        PerWarehouse(**number)


def test_collections_of_a_mode_are_copied() -> None:
    names = ["2"]
    mode = PerWarehouse(disabled=names)
    names.append("3")
    assert mode.disabled == frozenset({"2"})
    assert PerWarehouse().counted is None


@pytest.mark.parametrize("name", ["pooled_assembly", "clamp_each"])
def test_a_switch_of_a_mode_is_true_or_false(name: str) -> None:
    wrong: Any = 1
    with pytest.raises(WrongTypeError, match=rf"PerWarehouse\.{name} must be True or False, not 1 \(int\)"):
        PerWarehouse(**{name: wrong})


def test_counting_no_warehouse_at_all_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        PerWarehouse(counted=())
    assert caught.value.code == "nothing_counted"


def test_a_warehouse_is_not_both_counted_and_disabled() -> None:
    with pytest.raises(SettingsError, match="both in counted and in disabled: 'a', 'b'") as caught:
        PerWarehouse(counted=["a", "b", "c"], disabled=["b", "a", "d"])
    assert caught.value.code == "counted_and_disabled"


# Merchants


def test_a_merchant_has_a_mode() -> None:
    wrong: Any = "warehouse"
    with pytest.raises(
        WrongTypeError, match=r"mode must be PerWarehouse or PerSalesChannel, not 'warehouse'"
    ):
        MerchantSettings(mode=wrong)
    assert MerchantSettings(mode=PerSalesChannel()).name == "default"


@pytest.mark.parametrize("name", ["subtract_locked", "ignore_inactive", "allow_under_an_hour"])
def test_a_switch_of_a_merchant_is_true_or_false(name: str) -> None:
    with pytest.raises(WrongTypeError, match=rf"MerchantSettings\.{name} must be True or False"):
        _merchant(**{name: "yes"})


def test_bundle_quantities_is_one_of_three_words() -> None:
    with pytest.raises(InvalidValueError, match="must be one of 'auto', 'computed', 'reported', not 'sum'"):
        _merchant(bundle_quantities="sum")


def test_a_merchant_is_read_at_most_once_an_hour_unless_allowed_by_name() -> None:
    often = Frequency.every(minutes=59)
    with pytest.raises(
        SettingsError, match="would be read every 59 minutes; the shortest is an hour"
    ) as caught:
        _merchant(frequency=often)
    assert caught.value.code == "frequency_under_an_hour"
    assert _merchant(frequency=often, allow_under_an_hour=True).frequency == often
    assert _merchant(frequency=Frequency.every(hours=1)).frequency == Frequency.every(minutes=60)


def test_daily_times_too_close_to_each_other_are_under_an_hour() -> None:
    with pytest.raises(SettingsError, match="every 30 minutes"):
        _merchant(frequency=Frequency.daily("23:45", "00:15", "12:00"))


def test_a_frequency_is_a_frequency() -> None:
    for settings in (_merchant, _cart):
        with pytest.raises(WrongTypeError, match=r"frequency must be Frequency, not 60 \(int\)"):
            settings(frequency=60)


def test_a_cart_may_be_pushed_more_often_than_once_an_hour() -> None:
    assert _cart(frequency=Frequency.every(minutes=5)).frequency == Frequency(minutes=5)


# Rules


@pytest.mark.parametrize(
    "name", ["percent", "safety_stock", "backorder_room", "zero_below", "show_at_least", "max_quantity"]
)
def test_rules_are_whole_numbers_from_0(name: str) -> None:
    for wrong in ("5", 5.0, True, *(() if name == "max_quantity" else (None,))):
        given: Any = {name: wrong}
        with pytest.raises(WrongTypeError) as caught:
            QuantityRules(**given)
        assert caught.value.message.startswith(f"QuantityRules.{name} must be a whole number, not {wrong!r}")
    with pytest.raises(InvalidValueError, match=rf"QuantityRules\.{name} must be at least 0, not -1"):
        QuantityRules(**{name: -1})


def test_a_percent_is_at_most_100() -> None:
    with pytest.raises(InvalidValueError, match=r"QuantityRules\.percent must be at most 100, not 101"):
        QuantityRules(percent=101)


@pytest.mark.parametrize(
    "rules", [{"zero_below": 2, "show_at_least": 1}, {"show_at_least": 5, "max_quantity": 4}]
)
def test_rules_that_contradict_each_other_are_refused(rules: dict[str, int]) -> None:
    with pytest.raises(SettingsError) as caught:
        QuantityRules(**rules)
    assert caught.value.code == "rules_contradict"
    assert all(f"{name}={value}" in caught.value.message for name, value in rules.items())


def test_rules_that_only_nearly_contradict_each_other_are_fine() -> None:
    assert QuantityRules(show_at_least=5, max_quantity=5).max_quantity == 5
    assert QuantityRules(max_quantity=0).max_quantity == 0


# Carts


def test_a_cart_has_a_name() -> None:
    with pytest.raises(InvalidValueError, match=r"CartSettings\.name must not be empty"):
        CartSettings(name="")


@pytest.mark.parametrize("name", ["breakdown", "respect_push_inventory", "enabled"])
def test_a_switch_of_a_cart_is_true_or_false(name: str) -> None:
    with pytest.raises(WrongTypeError, match=rf"CartSettings\.{name} must be True or False"):
        _cart(**{name: None})


@pytest.mark.parametrize("name", ["only", "exclude"])
def test_a_bare_text_is_no_collection_of_products(name: str) -> None:
    with pytest.raises(WrongTypeError, match="not the bare text 'CUP'"):
        _cart(**{name: "CUP"})
    with pytest.raises(WrongTypeError, match=rf"CartSettings\.{name} must be text, not 5 \(int\)"):
        _cart(**{name: ["CUP", 5]})


def test_a_location_is_nothing_or_a_name_or_several() -> None:
    assert _cart().location is None
    assert _cart(location="Reno DC").location == "Reno DC"
    assert _cart(location=["1", "2"]).location == ("1", "2")
    empty: tuple[Any, ...] = ("", ["1", ""])
    for wrong in empty:
        with pytest.raises(InvalidValueError, match=r"CartSettings\.location must not be empty"):
            _cart(location=wrong)
    for names in ([1], [None]):
        with pytest.raises(WrongTypeError, match=r"CartSettings\.location must be text"):
            _cart(location=names)
    with pytest.raises(WrongTypeError, match=r"A collection is wanted, not 1 \(int\)"):
        _cart(location=1)


def test_an_empty_collection_of_locations_is_refused() -> None:
    with pytest.raises(SettingsError, match="location is an empty collection") as caught:
        _cart(location=[])
    assert caught.value.code == "no_location"


def test_a_map_of_locations_wants_a_breakdown() -> None:
    with pytest.raises(SettingsError, match="has a location_map but no breakdown") as caught:
        _cart(location_map={"1": "west"})
    assert caught.value.code == "map_without_breakdown"
    assert _cart(location_map={"1": "west"}, breakdown=True).location_map == {"1": "west"}


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("units", {"a": "6"}, r"CartSettings\.units must be a whole number, not '6' \(str\)"),
        ("units", {"a": 0}, r"CartSettings\.units must be at least 1, not 0"),
        ("units", {6: 6}, r"CartSettings\.units must be text, not 6 \(int\)"),
        ("units", [("a", 6)], r"A mapping is wanted, not \[\('a', 6\)\] \(list\)"),
        ("overrides", {"CUP": {"percent": 50}}, r"CartSettings\.overrides must be SkuOverride, not"),
        ("location_map", {"1": 7}, r"CartSettings\.location_map must be text, not 7 \(int\)"),
        ("rules", {"percent": 50}, r"CartSettings\.rules must be QuantityRules, not"),
        ("alias", 91, r"CartSettings\.alias must be text, not 91 \(int\)"),
    ],
)
def test_what_a_cart_is_told_is_exact(name: str, wrong: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message) as caught:
        _cart(breakdown=True, **{name: wrong})
    assert isinstance(caught.value, OmsyncError | ValueError)


def test_an_override_is_exact() -> None:
    wrong: Any = {"percent": 5}
    with pytest.raises(WrongTypeError, match=r"SkuOverride\.rules must be QuantityRules, not"):
        SkuOverride(rules=wrong)
    with pytest.raises(WrongTypeError, match="not the bare text '2'"):
        SkuOverride(leave_out="2")


def test_collections_of_a_cart_are_copied_and_cannot_change() -> None:
    units, only = {"a": 6}, ["CUP"]
    cart = _cart(units=units, only=only)
    units["a"] = 7
    only.clear()
    assert (cart.units, cart.only) == ({"a": 6}, frozenset({"CUP"}))
    assert not hasattr(cart.units, "__setitem__")
    with pytest.raises(FrozenInstanceError):
        cart.name = "other"  # type: ignore[misc]  # on purpose


@pytest.mark.parametrize(
    "value",
    [
        PerWarehouse(disabled=["2"], preassembled_only=["3"]),
        PerSalesChannel(),
        _merchant(frequency=Frequency.daily("06:00")),
        QuantityRules(percent=50),
        SkuOverride(rules=QuantityRules(), leave_out=["2"]),
        _cart(
            breakdown=True,
            units={"a": 6},
            location_map={"1": "west"},
            overrides={"CUP": SkuOverride(leave_out=["2"])},
            only=["CUP"],
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_settings_are_equal_hashed_and_pickled_by_what_they_hold(value: Any) -> None:
    copy = pickle.loads(pickle.dumps(value))  # noqa: S301  our own bytes
    assert copy == value
    assert hash(copy) == hash(value)
