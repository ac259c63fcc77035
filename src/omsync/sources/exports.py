"""The exports that a merchant has already, as an order manager: their own names, columns and dialect.

What each column means is declared once. Columns that are not declared are ignored; a declared column that
the file lacks is an error, and so is every cell that the declaration does not cover.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from attrs import field, frozen

from omsync import checks
from omsync.errors import SettingsError
from omsync.hints import suggestion
from omsync.model import InventorySnapshot, Levels, Sku, StockLevel, Warehouse
from omsync.ports import ReadRequest
from omsync.sources._export_reading import ExportReading
from omsync.sources._exports import Export, dialect_of, exports_of, findings
from omsync.sources._tables import bundles_of
from omsync.textfiles.dialect import Dialect

__all__ = ["CsvExports", "Dialect", "Export"]

_HOLDS = {
    "products": "skus",
    "listings": "aliases",
    "warehouses": "warehouses",
    "bundles": "bundles",
    "stock": "levels",
}
"""What each kind of export holds, as the tables are called."""

_each_export = checks.each(checks.instance_of(Export))


@frozen
class CsvExports:
    """An order manager that is a folder of exports.

    Each argument that names files takes one ``Export`` or several; several warehouses or channels often have
    a file each. An export may also be a mapping of its arguments, as a settings file writes it.

    Args:
        folder: Where the files lie.
        stock: The stock records: a row for each product and warehouse, or a column for each warehouse.
        products: The products. None given: every product of the stock, and every bundle, is one.
        listings: The listings (aliases) of the sales channels.
        warehouses: The warehouses; a stock record of any other is an error. None given: every warehouse that
            the stock names is one, with its id for a name, and active.
        bundles: The parts of bundles, a row for each part.
        dialect: How the files are written, unless one of them says otherwise.
        taken_at: When the stock was true, aware. None: the oldest time in the stock's ``taken_at`` column,
            which must be the time of the export and not of the last movement; without that column, when the
            stock's file was last written.
        bundles_include_buildable: ``"no"``, ``"yes"`` or ``"unknown"``: whether a bundle's figure already
            counts what its parts make.

    Raises:
        SettingsError: The declarations do not fit what omsync knows; ``problems`` names each.
    """

    folder: Path = field(converter=Path)
    stock: tuple[Export, ...] = field(converter=exports_of, validator=_each_export, kw_only=True)
    products: tuple[Export, ...] = field(
        default=(), converter=exports_of, validator=_each_export, kw_only=True
    )
    listings: tuple[Export, ...] = field(
        default=(), converter=exports_of, validator=_each_export, kw_only=True
    )
    warehouses: tuple[Export, ...] = field(
        default=(), converter=exports_of, validator=_each_export, kw_only=True
    )
    bundles: tuple[Export, ...] = field(
        default=(), converter=exports_of, validator=_each_export, kw_only=True
    )
    dialect: Dialect = field(
        factory=Dialect, converter=dialect_of, validator=checks.instance_of(Dialect), kw_only=True
    )
    taken_at: datetime | None = field(
        default=None, converter=checks.to_utc, validator=checks.optional(checks.moment), kw_only=True
    )
    bundles_include_buildable: str = field(
        default="no", validator=checks.one_of("no", "yes", "unknown"), kw_only=True
    )

    def __attrs_post_init__(self) -> None:
        problems = [] if self.stock else ["stock: at least one file must be declared"]
        for what, table in _HOLDS.items():
            exports: tuple[Export, ...] = getattr(self, what)
            for number, export in enumerate(exports):
                place = what if len(exports) == 1 else f"{what}[{number}]"
                problems.extend(f"{place}.{found}" for found in findings(export, table))
        if problems:
            raise SettingsError(
                "The exports are declared wrong",
                code="exports_declared",
                problems=tuple(problems),
                remedy="Correct the declarations named; the files were not looked at.",
            )

    def read(self, request: ReadRequest, /) -> InventorySnapshot:
        """Read all files, or raise and name everything that is wrong with them.

        Raises:
            SettingsError: There is no such folder.
            DecodeError: A file is missing, or holds what is not declared; ``problems`` has one line for each
                finding, as ``file:row:column: what is wrong``, with the file's own column names.
        """
        if not self.folder.is_dir():
            raise SettingsError(
                f"There is no folder {str(self.folder)!r}", code="no_folder", remedy="Correct the path."
            )
        reading = ExportReading(self.folder, self.dialect, request)
        skus = [sku for _, sku in reading.values("skus", self.products)]
        aliases = [alias for _, alias in reading.values("aliases", self.listings)]
        warehouses = [warehouse for _, warehouse in reading.values("warehouses", self.warehouses)]
        known = {one.id for one in warehouses} if self.warehouses and not reading.problems else None
        bundles = bundles_of(reading.values("bundles", self.bundles), reading.problems)
        levels = Levels(self._levels(reading, known))
        reading.finish()
        if not self.warehouses:
            declared = {location for export in self.stock for location in export.by_warehouse}
            ids = sorted(declared.union(levels.location_ids))
            warehouses = [Warehouse(id=location, name=location) for location in ids]
        if not self.products:
            codes = {*levels.master_skus, *(bundle.master_sku for bundle in bundles)}
            skus = [Sku(master_sku=code) for code in sorted(codes)]
        return InventorySnapshot(
            taken_at=self.taken_at or reading.oldest,
            skus=skus,
            aliases=aliases,
            warehouses=warehouses,
            bundles=bundles,
            levels=levels,
            bundles_include_buildable=self.bundles_include_buildable,
        )

    def _levels(self, reading: ExportReading, known: set[str] | None) -> Iterator[StockLevel]:
        strange: set[str] = set()
        for place, level in reading.values("levels", self.stock):
            location = level.location_id
            if known is not None and location not in known and location not in strange:
                strange.add(location)
                reading.problems.append(
                    f"{place}: the warehouse {location!r} is not in {self.warehouses[0].file}; "
                    f"{suggestion(location, known)}"
                )
            yield level
