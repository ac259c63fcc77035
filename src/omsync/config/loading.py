"""Settings from a TOML file: strictly, with every finding of the file in one error.

One ``[merchant]`` or several ``[[merchant]]``, any number of ``[[cart]]``; the keys are the fields of
``MerchantSettings`` and ``CartSettings``. ``[merchant.source]`` and ``[cart.sink]`` hold options of your own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve, field, fields, frozen

from omsync import checks
from omsync.config.options import EnvironmentVariable, Options, resolved
from omsync.config.structuring import Finding, findings
from omsync.config.written import SettingsFile, settings_converter, written_tables, wrong_names
from omsync.errors import SettingsError
from omsync.hints import first_few, suggestion
from omsync.settings import CartSettings, MerchantSettings
from omsync.textfiles.tables import CellError, Column, code, read_table, whole

__all__ = [
    "CartEntry",
    "EnvironmentVariable",
    "Options",
    "Settings",
    "load_settings",
    "parse_settings",
    "read_units",
]

S = TypeVar("S", MerchantSettings, CartSettings)
Units = Mapping[str, int]

_TOML_PLACE = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)"
)


@frozen(kw_only=True)
class CartEntry:
    """One ``[[cart]]`` of the file.

    Args:
        merchant: The name of the cart's merchant.
        settings: What the cart is told.
        sink: The options of its sink, with secrets as references; ``Settings.resolve`` looks them up.
    """

    merchant: str
    settings: CartSettings
    sink: Options


@frozen(kw_only=True)
class Settings:
    """What a settings file says.

    Args:
        merchants: The merchants by name.
        sources: By merchant, the options of its source, with secrets as references.
        carts: The carts in the order of the file.
    """

    merchants: Mapping[str, MerchantSettings] = field(converter=checks.as_mapping)
    sources: Mapping[str, Options] = field(converter=checks.as_mapping)
    carts: tuple[CartEntry, ...] = ()

    @property
    def merchant(self) -> MerchantSettings:
        """The merchant, when there is one only.

        Raises:
            SettingsError: There are several.
        """
        return self.merchants[self._only_merchant()]

    @property
    def source(self) -> Options:
        """The options of the source, when there is one merchant only.

        Raises:
            SettingsError: There are several merchants.
        """
        return self.sources[self._only_merchant()]

    def cart(self, name: str, *, merchant: str | None = None) -> CartSettings:
        """Give a cart's settings; the merchant must be named when two have a cart of this name.

        Raises:
            SettingsError: There is no such cart, or more than one.
        """
        return self._entry(name, merchant).settings

    def sink(self, name: str, *, merchant: str | None = None) -> Options:
        """Give the options of a cart's sink, as for ``cart``.

        Raises:
            SettingsError: There is no such cart, or more than one.
        """
        return self._entry(name, merchant).sink

    @staticmethod
    def resolve(table: Options, environment: Mapping[str, str]) -> Options:
        """Put the values of environment variables in the place of references to them.

        Args:
            table: ``settings.source``, ``settings.sink(name)`` or the like.
            environment: Usually ``os.environ``; omsync never reads that by itself.

        Returns:
            Options to pass on with ``**``; printing them shows no value.

        Raises:
            SettingsError: A variable is not set or empty; names it.
        """
        return resolved(table, environment)

    def _only_merchant(self) -> str:
        if len(self.merchants) > 1:
            raise SettingsError(
                f"The settings have several merchants: {', '.join(self.merchants)}",
                code="which_merchant",
                remedy="Take one by name: settings.merchants[name], settings.sources[name].",
            )
        return next(iter(self.merchants))

    def _entry(self, name: str, merchant: str | None) -> CartEntry:
        entries = [one for one in self.carts if merchant in {None, one.merchant}]
        named = [one for one in entries if one.settings.name == name]
        if not named:
            known = {one.settings.name for one in entries}
            raise SettingsError(
                f"The settings have no cart {name!r}; {suggestion(name, known)}", code="unknown_cart"
            )
        if len(named) > 1:
            raise SettingsError(
                f"Several merchants have a cart {name!r}: {', '.join(one.merchant for one in named)}",
                code="which_merchant",
                remedy="Say which: merchant=...",
            )
        return named[0]


def load_settings(path: Path | str) -> Settings:
    """Read a settings file.

    Args:
        path: The TOML file; a ``units_file`` in it is looked for beside it.

    Raises:
        SettingsError: ``no_settings_file``, ``broken_toml`` (with line and column), ``secret_in_file``, or
            ``settings_file`` for everything else; ``problems`` names each finding's path, key and value.
    """
    file = Path(path)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(
            f"The settings file {str(path)!r} cannot be read: {error.strerror}",
            code="no_settings_file",
            remedy="Correct the path, or write the file; docs/ shows one.",
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"The settings file {str(path)!r} is not UTF-8",
            code="broken_toml",
            remedy="Save it as UTF-8.",
        ) from error
    return parse_settings(text, place=str(path), folder=file.parent)


def parse_settings(text: str, *, place: str = "settings", folder: Path | None = None) -> Settings:
    """Read settings from TOML text.

    Args:
        text: The TOML.
        place: What messages call it.
        folder: Where a ``units_file`` is looked for; None: nowhere.

    Raises:
        SettingsError: As for ``load_settings``.
    """
    document = _document(text, place)
    found: list[Finding] = []
    units = _units_by_cart(document, folder, found)
    found.extend(Finding(text=words) for words in wrong_names(document))
    try:
        file = settings_converter().structure(document, SettingsFile)
    except Exception as error:  # noqa: BLE001  findings() raises again what is none
        found[:0] = findings(error)
    if found:
        raise _refusal(place, found)
    only = file.merchant[0].name
    return Settings(
        merchants={table.name: _settings(table, MerchantSettings) for table in file.merchant},
        sources={table.name: table.source for table in file.merchant},
        carts=tuple(
            CartEntry(
                merchant=table.merchant or only,
                settings=_settings(
                    evolve(table, units=units[index]) if index in units else table, CartSettings
                ),
                sink=table.sink,
            )
            for index, table in enumerate(file.cart)
        ),
    )


def read_units(path: Path | str) -> Units:
    """Read how many units are in one piece of each listing, from a CSV with listing_sku and units.

    Raises:
        SettingsError: ``no_units_file``, or ``units_file`` with each finding as ``file:row:column: what``.
    """
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"The file of units {str(path)!r} cannot be read: {error.strerror}",
            code="no_units_file",
            remedy="Correct the path; the file has the columns listing_sku and units.",
        ) from error
    columns = (Column(name="listing_sku", read=code), Column(name="units", read=_at_least_one))
    problems: list[str] = []
    rows = read_table(data, columns, file=file.name, problems=problems, unique=("listing_sku",))
    units = {row["listing_sku"]: row["units"] for _, row in rows}
    if problems:
        raise SettingsError(
            f"The file of units {file.name!r} is not sound",
            code="units_file",
            problems=first_few(problems),
            remedy="Correct the cells named.",
        )
    return checks.as_mapping(units)


def _document(text: str, place: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        at = _TOML_PLACE.fullmatch(str(error))
        line, column = (at["line"], at["column"]) if at else (None, None)
        if at and not line:
            line, column = str(text.count("\n") + 1), str(len(text) - text.rfind("\n"))
        raise SettingsError(
            f"{place}{f':{line}:{column}' if line else ''}: not TOML: {at['what'] if at else error}",
            code="broken_toml",
            remedy="Correct that place; text stands in quotes, tables as [name].",
        ) from error


def _refusal(place: str, found: list[Finding]) -> SettingsError:
    secret = any(finding.code == "secret_in_file" for finding in found)
    remedy = "Correct the places named and load the file again."
    if secret:
        remedy += " A secret that stood in a file is known to others: replace it."
    return SettingsError(
        f"{place}: {len(found)} finding{'s' if len(found) > 1 else ''}",
        code="secret_in_file" if secret else "settings_file",
        problems=first_few([finding.text for finding in found]),
        remedy=remedy,
    )


def _settings(table: S, kind: type[S]) -> S:
    return kind(**{attribute.name: getattr(table, attribute.name) for attribute in fields(kind)})


def _units_by_cart(document: dict[str, Any], folder: Path | None, found: list[Finding]) -> dict[int, Units]:
    units: dict[int, Units] = {}
    for index, (path, table) in enumerate(written_tables(document, "cart")):
        name = table.get("units_file")
        if not isinstance(name, str) or not name:
            continue
        place = f"{path}.units_file"
        if "units" in table:
            found.append(Finding(text=f"{place}: units are given too; keep one of the two"))
        if folder is None:
            found.append(Finding(text=f"{place}: there is no folder to look for it in; use load_settings"))
            continue
        try:
            units[index] = read_units(folder / name)
        except SettingsError as error:
            lines = error.problems or (error.message,)
            found.extend(Finding(text=f"{place}: {line}", code=error.code) for line in lines)
    return units


def _at_least_one(cell: str) -> int:
    units = whole(cell)
    if units < 1:
        raise CellError(f"must be at least 1, not {cell}")
    return units
