"""Files as an order manager: a folder of CSV files, or one JSON file.

The folder holds ``levels.csv`` and, by its scope, ``warehouses.csv`` or ``sales_channels.csv``; and if there
are any, ``skus.csv``, ``aliases.csv``, ``bundles.csv`` (bundle, component, quantity), ``doubtful.csv`` (of
figures lost on their way) and ``reading.csv`` (taken_at, scope, bundles_include_buildable; one row). The
columns are named as the fields of ``Sku``, ``Alias``, ``Warehouse``, ``SalesChannel`` and ``StockLevel``.

An empty cell of ``on_hand`` or ``available`` means "not reported", never 0; one of ``committed``, ``locked``
or ``in_transit`` means 0. Elsewhere it means no text, or None where the value allows that (a CSV file cannot
tell the two apart), and is an error otherwise.

Exports that a merchant has already, under their own column names, are read by ``CsvExports``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from omsync import checks
from omsync.errors import DecodeError, OmsyncError, SettingsError
from omsync.hints import first_few, located
from omsync.model import Bundle, InventorySnapshot
from omsync.ports import ReadRequest
from omsync.serial import snapshot_from_json
from omsync.sources._tables import bundles_of, table_bytes, tables
from omsync.sources.exports import CsvExports, Export
from omsync.textfiles.dialect import Dialect
from omsync.textfiles.durable import replace_file
from omsync.textfiles.tables import read_table

__all__ = ["CsvExports", "CsvFolder", "Dialect", "Export", "JsonSnapshot", "write_folder"]


@frozen
class CsvFolder:
    """An order manager that is a folder of CSV files.

    Args:
        path: The folder.
        taken_at: When its figures were true, aware. None: as ``reading.csv`` says, or else when
            ``levels.csv`` was last written, so that old figures look old.
        scope: ``"warehouse"`` or ``"channel"``: what ``location_id`` in ``levels.csv`` means. None: as
            ``reading.csv`` says, or else ``"warehouse"``.
        bundles_include_buildable: ``"no"``, ``"yes"`` or ``"unknown"``: whether a bundle's figure already
            counts what its parts make. None: as ``reading.csv`` says, or else ``"no"``.
    """

    path: Path = field(converter=Path)
    taken_at: datetime | None = field(
        default=None, converter=checks.to_utc, validator=checks.optional(checks.moment), kw_only=True
    )
    scope: str | None = field(
        default=None, validator=checks.optional(checks.one_of("warehouse", "channel")), kw_only=True
    )
    bundles_include_buildable: str | None = field(
        default=None, validator=checks.optional(checks.one_of("no", "yes", "unknown")), kw_only=True
    )

    def read(self, request: ReadRequest, /) -> InventorySnapshot:
        """Read the whole folder, or raise and name everything that is wrong with it.

        Raises:
            SettingsError: There is no such folder.
            DecodeError: A file is missing, or holds what it must not; ``problems`` has one line for each
                finding, as ``file:row:column: what is wrong``.
        """
        if not self.path.is_dir():
            raise SettingsError(
                f"There is no folder {str(self.path)!r}",
                code="no_folder",
                remedy="Correct the path, or write a first folder with write_folder().",
            )
        reading = _Reading(self.path, request)
        about = self._about(reading)
        places = "warehouses" if about["scope"] == "warehouse" else "sales_channels"
        contents: dict[str, Any] = {
            what: [value for _, value in reading.rows(what, required=what == places)]
            for what in ("skus", "aliases", "warehouses", "sales_channels")
        }
        known = {place.id for place in contents[places]}
        contents["bundles"] = bundles_of(
            ((f"bundles.csv:{row}", line) for row, line in reading.rows("bundles")), reading.problems
        )
        contents["doubtful"] = [
            (row["master_sku"], row["location_id"]) for _, row in reading.rows("doubtful")
        ]
        sound = not reading.problems
        levels = reading.rows("levels", required=True)
        for row, level in levels:
            if sound and level.location_id not in known:
                reading.problems.append(
                    f"levels.csv:{row}:location_id: {level.location_id!r} is not in {places}.csv"
                )
        reading.finish()
        about["taken_at"] = about["taken_at"] or min(reading.written_at["levels"], request.now)
        return InventorySnapshot(**about, **contents, levels=(level for _, level in levels))

    def _about(self, reading: _Reading) -> dict[str, Any]:
        rows = reading.rows("reading")
        for row, _ in rows[1:]:
            reading.problems.append(f"reading.csv:{row}: the file describes one reading, so it has one row")
        written = rows[0][1] if rows else {}
        about = {"taken_at": self.taken_at or written.get("taken_at")}
        for name, default in (("scope", "warehouse"), ("bundles_include_buildable", "no")):
            wanted, found = getattr(self, name), written.get(name)
            if wanted and found and wanted != found:
                reading.problems.append(f"reading.csv:2:{name}: is {found!r}, but {wanted!r} was asked for")
            about[name] = wanted or found or default
        return about


@frozen
class JsonSnapshot:
    """An order manager that is one JSON file, as ``omsync.serial.snapshot_to_json`` writes it.

    Args:
        path: The file.
    """

    path: Path = field(converter=Path)

    def read(self, request: ReadRequest, /) -> InventorySnapshot:
        """Read the file; the snapshot says itself when it was taken.

        Raises:
            SettingsError: There is no such file.
            DecodeError: It is not a snapshot.
        """
        try:
            snapshot = snapshot_from_json(self.path.read_bytes())
        except OSError as error:
            raise SettingsError(
                f"The file {str(self.path)!r} cannot be read: {error.strerror}",
                code="no_snapshot_file",
                remedy="Correct the path, or write the file with omsync.serial.snapshot_to_json.",
            ) from error
        except DecodeError as error:
            raise DecodeError(
                f"{self.path.name}: {error.message}",
                code=error.code,
                remedy=error.remedy,
                problems=error.problems,
            ) from error
        if request.on_progress:
            request.on_progress("levels", len(snapshot.levels), len(snapshot.levels))
        return snapshot


def write_folder(snapshot: InventorySnapshot, path: Path | str) -> None:
    """Write a snapshot as a folder that ``CsvFolder(path)`` reads back as an equal one.

    Each file is replaced whole or not at all, and files that the folder had from before are replaced too.

    Args:
        snapshot: What to write.
        path: The folder; made if it is not there.

    Raises:
        InvalidValueError: A text cannot be kept in a CSV file; nothing was written.
    """
    folder = Path(path)
    rows: dict[str, Iterable[Mapping[str, Any]]] = {
        "skus": map(_row, snapshot.skus),
        "aliases": map(_row, snapshot.aliases),
        "warehouses": map(_row, snapshot.warehouses),
        "sales_channels": map(_row, snapshot.sales_channels),
        "bundles": [row for bundle in snapshot.bundles for row in _bundle_rows(bundle)],
        "doubtful": [{"master_sku": sku, "location_id": place} for sku, place in sorted(snapshot.doubtful)],
        "levels": map(_row, snapshot.levels),
        "reading": [
            {
                "taken_at": snapshot.taken_at,
                "scope": snapshot.scope,
                "bundles_include_buildable": snapshot.bundles_include_buildable,
            }
        ],
    }
    files = {table.name: table_bytes(table, rows[what]) for what, table in tables().items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        replace_file(folder / name, data)


class _Reading:
    """One pass over a folder, with everything found wrong on the way."""

    def __init__(self, folder: Path, request: ReadRequest) -> None:
        self.folder = folder
        self.request = request
        self.tables = tables()
        self.problems: list[str] = []
        self.written_at: dict[str, datetime] = {}
        self._look_for_misspelt_files()

    def rows(self, what: str, *, required: bool = False) -> list[tuple[int, Any]]:
        """Give a file's sound rows as values, each with its number; none when there is no such file."""
        table = self.tables[what]
        data = self._bytes(what, table.name, required=required)
        if data is None:
            return []
        made: list[tuple[int, Any]] = []
        rows = read_table(data, table.columns, file=table.name, problems=self.problems, unique=table.unique)
        for row, values in rows:
            try:
                made.append((row, table.make(**values)))
            except OmsyncError as error:
                self.problems.append(located(f"{table.name}:{row}", error, joint=":"))
        if self.request.on_progress:
            self.request.on_progress(what, len(made), len(made))
        return made

    def finish(self) -> None:
        """Raise if anything was wrong."""
        if self.problems:
            raise DecodeError(
                f"The folder {self.folder.name!r} is not a sound set of inventory files",
                code="broken_files",
                problems=first_few(self.problems),
                remedy="Correct the cells named, or export the files again; nothing was taken from them.",
            )

    def _bytes(self, what: str, name: str, *, required: bool) -> bytes | None:
        try:
            with (self.folder / name).open("rb") as stream:
                self.written_at[what] = datetime.fromtimestamp(os.fstat(stream.fileno()).st_mtime, UTC)
                return stream.read()
        except FileNotFoundError:
            if required:
                self.problems.append(f"{name}: is missing")
        except OSError as error:
            self.problems.append(f"{name}: cannot be read ({error.strerror})")
        return None

    def _look_for_misspelt_files(self) -> None:
        names = [table.name for table in self.tables.values()]
        for file in sorted(self.folder.glob("*.[cC][sS][vV]")):
            near = get_close_matches(file.name.lower(), names, n=1, cutoff=0.8)
            if near and file.name not in names:
                self.problems.append(f"{file.name}: unknown file; did you mean {near[0]!r}?")


def _row(value: Any) -> Mapping[str, Any]:
    return asdict(value, recurse=False)


def _bundle_rows(bundle: Bundle) -> Iterable[Mapping[str, Any]]:
    rows = [
        {"bundle": bundle.master_sku, "component": part.master_sku, "quantity": part.quantity}
        for part in bundle.components
    ]
    # A bundle without parts is still a bundle, so it has a row of its own.
    return rows or [{"bundle": bundle.master_sku, "component": None, "quantity": None}]
