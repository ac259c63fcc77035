"""One pass over a folder of exports, with everything found wrong on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import frozen

from omsync.errors import DecodeError, OmsyncError
from omsync.hints import first_few, located, suggestion
from omsync.ports import ReadRequest
from omsync.sources._exports import Export
from omsync.sources._tables import Cells, tables
from omsync.textfiles.dialect import Dialect
from omsync.textfiles.tables import CellError

__all__ = ["ExportReading"]

_SKEW = timedelta(minutes=5)
"""Two machines' clocks may differ by this much; a time further ahead is one of a wrong zone."""

Reader = Callable[[str], Any]


@frozen
class _Column:
    """One declared column, found in the file."""

    name: str
    header: str
    index: int
    read: Reader


@frozen
class _Sheet:
    """Where the declared columns are: those of the whole row, and those of each warehouse."""

    width: int
    columns: Sequence[_Column]
    by_warehouse: Mapping[str, Sequence[_Column]]


class ExportReading:
    """One pass over a folder.

    Args:
        folder: Where the files lie.
        dialect: How they are written, unless an export says otherwise.
        request: When the read begins, and whom to tell about progress.
    """

    def __init__(self, folder: Path, dialect: Dialect, request: ReadRequest) -> None:
        self.problems: list[str] = []
        self._folder = folder
        self._dialect = dialect
        self._request = request
        self._times: list[datetime] = []

    @property
    def oldest(self) -> datetime:
        """When the oldest of the stock was true, by its own column or by when its file was written."""
        return min(self._times)

    def values(self, table: str, exports: Sequence[Export]) -> Iterator[tuple[str, Any]]:
        """Give the sound rows of files as values, each with its place, ``file:row``."""
        shape = tables()[table]
        first_seen: dict[tuple[str, ...], str] = {}
        count = 0
        for export in exports:
            for place, columns, values in self._rows(table, export):
                key = tuple(values[name] for name in shape.unique)
                if key and key in first_seen:
                    named = " at ".join(map(repr, key))
                    self.problems.append(f"{place}: {named} is in {first_seen[key]} already")
                    continue
                first_seen[key] = place
                try:
                    value = shape.make(**values)
                except OmsyncError as error:
                    self.problems.append(_with_header(place, columns, error))
                    continue
                count += 1
                yield place, value
        if exports and self._request.on_progress:
            self._request.on_progress(table, count, count)

    def finish(self) -> None:
        """Raise if anything was wrong."""
        if self.problems:
            raise DecodeError(
                f"The exports in the folder {self._folder.name!r} are not as declared",
                code="broken_files",
                problems=first_few(self.problems),
                remedy="Correct the declaration, or the cells named, or export again; nothing was taken from "
                "the files.",
            )

    def _rows(self, table: str, export: Export) -> Iterator[tuple[str, Sequence[_Column], dict[str, Any]]]:
        """Give the place, the columns and the values of each row, and of each warehouse in it."""
        found = self._bytes(export.file)
        if found is None:
            return
        data, written_at = found
        dialect = export.dialect or self._dialect
        lines = dialect.rows(data, file=export.file, problems=self.problems)
        lines = ((row, cells) for row, cells in lines if row >= export.header_row)
        sheet = self._sheet(export, lines, self._readers(table, export, dialect))
        times = []
        for row, cells in lines:
            # Without its columns nothing is read from a file, but a row that is broken is told all the same.
            for columns, read in self._parts(sheet, cells, f"{export.file}:{row}") if sheet else ():
                if "taken_at" in read:
                    times.append(read.pop("taken_at"))
                yield f"{export.file}:{row}", columns, {**export.fixed, **read}
        if table == "levels":
            self._times.append(min(times, default=min(written_at, self._request.now)))

    def _parts(
        self, sheet: _Sheet, cells: Sequence[str], place: str
    ) -> Iterator[tuple[Sequence[_Column], dict[str, Any]]]:
        """Read a row as one record, or as one for each warehouse that has a figure in it."""
        if len(cells) != sheet.width:
            self.problems.append(f"{place}: the row has {len(cells)} cells and the header {sheet.width}")
            return
        whole_row = self._read(sheet.columns, cells, place)
        if not sheet.by_warehouse and whole_row is not None:
            yield sheet.columns, whole_row
        for location, columns in sheet.by_warehouse.items():
            if any(cells[column.index] for column in columns):
                figures = self._read(columns, cells, place)
                if whole_row is not None and figures is not None:
                    yield (
                        [*sheet.columns, *columns],
                        {**whole_row, **figures, "location_id": location},
                    )

    def _read(self, columns: Sequence[_Column], cells: Sequence[str], place: str) -> dict[str, Any] | None:
        values: dict[str, Any] = {}
        for column in columns:
            try:
                values[column.name] = column.read(cells[column.index])
            except CellError as error:
                self.problems.append(f"{place}:{column.header}: {error}")
        return values if len(values) == len(columns) else None

    def _sheet(
        self, export: Export, lines: Iterator[tuple[int, list[str]]], readers: Mapping[str, Reader]
    ) -> _Sheet | None:
        """Find the declared columns in the header, the first of the lines."""
        sound = len(self.problems)
        row, header = next(lines, (export.header_row, []))
        place = f"{export.file}:{row}"
        if not header:
            if len(self.problems) == sound:
                self.problems.append(f"{place}: there is no header")
            return None
        problems: list[str] = []

        def found(columns: Mapping[str, str]) -> list[_Column]:
            for name, wanted in columns.items():
                if header.count(wanted) > 1:
                    problems.append(f"{place}: the column {wanted!r}, declared for {name}, is there twice")
                elif wanted not in header:
                    problems.append(
                        f"{place}: there is no column {wanted!r}, declared for {name}; "
                        f"{suggestion(wanted, header)}"
                    )
            return [
                _Column(name, wanted, header.index(wanted), readers[name])
                for name, wanted in columns.items()
                if wanted in header
            ]

        sheet = _Sheet(
            len(header),
            found(export.columns),
            {location: found(columns) for location, columns in export.by_warehouse.items()},
        )
        if problems and len(header) == 1:
            problems = [f"{place}: the header is a single cell, {header[0]!r}; declare the delimiter"]
        self.problems.extend(problems)
        return None if problems else sheet

    def _readers(self, table: str, export: Export, dialect: Dialect) -> dict[str, Reader]:
        def deduction(cell: str) -> int:
            if not cell:
                raise CellError(
                    "is empty, which is not taken for 0; name the field in empty_as_zero if it means that"
                )
            return dialect.whole(cell)

        cells = Cells(whole=dialect.whole, deduction=deduction, number=dialect.number, flag=dialect.flag)
        readers = {column.name: column.read for column in tables(cells)[table].columns}
        for name in export.empty_as_zero:
            readers[name] = lambda cell: dialect.whole(cell) if cell else 0
        readers["taken_at"] = lambda cell: self._past(cell, dialect.moment(cell))
        return readers

    def _past(self, cell: str, moment: datetime) -> datetime:
        if moment > self._request.now + _SKEW:
            raise CellError(
                f"{cell!r} is {moment:%Y-%m-%d %H:%M}Z, in the future; correct the zone or the time_format"
            )
        return min(moment, self._request.now)

    def _bytes(self, file: str) -> tuple[bytes, datetime] | None:
        path = self._folder / file
        try:
            with path.open("rb") as stream:
                written_at = datetime.fromtimestamp(os.fstat(stream.fileno()).st_mtime, UTC)
                return stream.read(), written_at
        except FileNotFoundError:
            names = [one.name for one in self._folder.iterdir()]
            self.problems.append(f"{file}: is missing; {suggestion(file, names)}")
        except OSError as error:
            self.problems.append(f"{file}: cannot be read ({error.strerror})")
        return None


def _with_header(place: str, columns: Sequence[_Column], error: OmsyncError) -> str:
    """Say what is wrong with a value under the file's own column name."""
    finding = located(place, error, joint=":")
    theirs = {f"{place}:{column.name}: ": f"{place}:{column.header}: " for column in columns}
    ours = next((start for start in theirs if finding.startswith(start)), "")
    return theirs.get(ours, "") + finding.removeprefix(ours)
