"""The tables of a settings file: the settings' own fields, and the few keys that only a file has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import field, frozen
from cattrs import Converter

from omsync import checks
from omsync.config.options import Options, options
from omsync.config.structuring import FindingError, strict_converter
from omsync.hints import suggestion
from omsync.settings import (
    CartSettings,
    Frequency,
    MerchantSettings,
    Mode,
    PerSalesChannel,
    PerWarehouse,
)

__all__ = [
    "CartTable",
    "MerchantTable",
    "SettingsFile",
    "settings_converter",
    "written_tables",
    "wrong_names",
]

_MODES = {"warehouse": PerWarehouse, "sales_channel": PerSalesChannel}
_EVERY = re.compile(r"every (?:(?P<count>[0-9]{1,9}) )?(?P<unit>minute|hour)s?")
_DAILY = re.compile(r"daily at (?P<clocks>[0-9:, ]+?)(?: in (?P<zone>\S+)| \((?P<given>\S+)\))?")


@frozen(kw_only=True)
class MerchantTable(MerchantSettings):
    """A ``[merchant]`` table: the merchant's settings, and the options of its source."""

    source: Options = field(factory=Options)


@frozen(kw_only=True)
class CartTable(CartSettings):
    """A ``[[cart]]`` table: the cart's settings, its merchant, its file of units and its sink's options."""

    merchant: str | None = field(default=None, validator=checks.optional(checks.text))
    units_file: str | None = field(default=None, validator=checks.optional(checks.text))
    sink: Options = field(factory=Options)


@frozen(kw_only=True)
class SettingsFile:
    """The whole file."""

    merchant: tuple[MerchantTable, ...]
    cart: tuple[CartTable, ...] = ()


def settings_converter() -> Converter:
    """Make a converter that knows how modes, frequencies and options are written."""
    converter = strict_converter()
    converter.register_structure_hook(Options, lambda value, _: options(value))
    tables = converter.get_structure_hook(Frequency)
    converter.register_structure_hook(
        Frequency, lambda value, kind: _frequency(value) if type(value) is str else tables(value, kind)
    )
    converter.register_structure_hook_func(
        lambda kind: kind == Mode, lambda value, _: _mode(value, converter.structure)
    )
    return converter


def written_tables(document: Mapping[str, Any], what: str) -> list[tuple[str, dict[str, Any]]]:
    """Give the tables of a kind as written, each with its path, whatever else may be wrong with them."""
    value = document.get(what)
    if type(value) is list:
        return [(f"{what}[{index}]", one) for index, one in enumerate(value) if type(one) is dict]
    return [(what, value)] if type(value) is dict else []


def wrong_names(document: Mapping[str, Any]) -> Iterator[str]:
    """Find names that are given twice, and carts whose merchant is not in the file or not named."""
    merchants: dict[str, str] = {}
    for path, table in written_tables(document, "merchant"):
        name = table.get("name", "default")
        if type(name) is str and name and merchants.setdefault(name, path) != path:
            yield f"{path}.name: {name!r} is the name of {merchants[name]} already"
    if document.get("merchant") == []:
        yield "merchant: there must be at least one"
    carts: dict[tuple[str, str], str] = {}
    for path, table in written_tables(document, "cart"):
        owner = table.get("merchant", next(iter(merchants), "") if len(merchants) == 1 else None)
        if owner is None and merchants:
            yield f"{path}.merchant: is missing, and there are several: {', '.join(merchants)}"
        elif type(owner) is str and merchants and owner not in merchants:
            yield f"{path}.merchant: there is no merchant {owner!r}; {suggestion(owner, merchants)}"
        name = table.get("name")
        if type(owner) is str and type(name) is str and carts.setdefault((owner, name), path) != path:
            yield f"{path}.name: {name!r} is the name of {carts[owner, name]} already"


def _mode(value: Any, structure: Callable[[Any, type], Any]) -> Any:
    if type(value) is not dict:
        raise FindingError(
            f'must be {{ per = "warehouse" }} or {{ per = "sales_channel" }}, not {checks.shown(value)}'
        )
    per = value.get("per")
    if type(per) is not str or per not in _MODES:
        hint = f"; {suggestion(per, _MODES)}" if type(per) is str else ""
        given = checks.shown(per) if "per" in value else "left out"
        raise FindingError(f"must be 'warehouse' or 'sales_channel', not {given}{hint}", step="per")
    return structure({key: one for key, one in value.items() if key != "per"}, _MODES[per])


def _frequency(words: str) -> Frequency:
    if every := _EVERY.fullmatch(words):
        count = int(every["count"] or 1)
        return Frequency.every(minutes=count) if every["unit"] == "minute" else Frequency.every(hours=count)
    if daily := _DAILY.fullmatch(words):
        clocks = [clock.strip() for clock in daily["clocks"].split(",")]
        return Frequency.daily(clocks, zone=daily["zone"] or daily["given"] or "UTC")
    raise FindingError(
        "must be such as 'every 90 minutes', 'every 2 hours' or "
        f"'daily at 06:00, 18:00 in America/New_York', not {words!r}"
    )
