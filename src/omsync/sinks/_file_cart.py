"""What a cart has in common that is a file: reading, merging and replacing it, one writer at a time."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from attrs import field, frozen

from omsync import checks
from omsync.errors import DecodeError, LostAnswerError, RefusedError, UnreachableError
from omsync.hints import first_few
from omsync.ports import ALREADY_SHOWN, CartListing, PushResult, QuantityChange, SinkCapabilities
from omsync.sinks._audit import AUDITED, PLAIN, Audit, Key, Row
from omsync.sinks._manifest import Manifest, manifest_path
from omsync.textfiles.durable import held, replace_file

__all__ = ["FileCart", "Rows", "in_order"]

Rows = dict[Key, Row]


@frozen
class FileCart(ABC):
    """What both kinds of file share: reading, merging and replacing, one writer at a time."""

    path: Path = field(converter=Path)
    audit: Audit | None = field(
        default=None, validator=checks.optional(checks.instance_of(Audit)), kw_only=True
    )
    line_ending: str = field(default="\n", validator=checks.one_of("\n", "\r\n"), kw_only=True)
    manifest: bool = field(default=False, validator=checks.flag, kw_only=True)

    @property
    def capabilities(self) -> SinkCapabilities:
        """What a file can do: everything at once, and comparing before it sets, since it is ours."""
        # Without the way there, so that ../x/stock.csv and stock.csv inside x are one file.
        absolute = Path(os.path.abspath(self.path))  # noqa: PTH100  resolve() would follow links, which move
        return SinkCapabilities(
            destination=f"file {absolute.parent.name}/{absolute.name}",
            lists_all=True,
            creates_listings=True,
            locations="optional",
            max_rows=None,
            atomicity="row",
            compare_and_set="cas",
        )

    def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:  # noqa: ARG002  the file lists all
        """Give everything that the file holds; nothing when there is no file yet.

        Raises:
            DecodeError: The file is not what omsync writes; ``problems`` names the rows.
            RefusedError: The system does not let us read it.
            UnreachableError: Its folder is not there.
        """
        return [
            CartListing(listing_sku=sku, location_id=location, quantity=row.quantity)
            for (sku, location), row in in_order(self._rows(self._contents()))
        ]

    def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        """Merge the rows into the file; a row whose quantity has moved since it was shown is a conflict.

        Raises:
            DecodeError: The file is not what omsync writes; it is left as it is.
            UnreachableError: The file cannot be written; nothing was.
            RefusedError: A code cannot be kept in it; nothing was written.
            LostAnswerError: The rows are written, and the manifest is not.
        """
        try:
            with held(self.path):
                data = self._contents()
                before = self._rows(data)
                after = dict(before)
                fresh = self._fresh()
                results = [_merged(change, after, fresh) for change in changes]
                if after != before:
                    data = self._encoded(after)
                    replace_file(self.path, data)
                if self.manifest and data is not None:
                    self._describe(data, len(after))
        except UnicodeEncodeError as error:
            raise RefusedError(
                f"The file {self.path.name!r} cannot hold {error.object[error.start : error.end]!r}, "
                "which is not a character",
                code="not_a_character",
                remedy="Correct the listing SKU in the order manager.",
            ) from error
        except OSError as error:
            raise UnreachableError(
                f"The file {self.path.name!r} cannot be written: {error.strerror}",
                code="file_not_writable",
                remedy="Check that its folder exists, may be written to and has room.",
            ) from error
        return results

    def _fresh(self) -> Callable[[QuantityChange], Row]:
        """Make the rows of one push, all of the same time."""
        audit = self.audit
        if audit is None:
            return lambda change: Row(change.quantity)
        now = audit.clock.now()
        return lambda change: Row(change.quantity, audit.stamp(change, now))

    def _contents(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError as error:
            if self.path.parent.is_dir():
                return None
            # A share that is not mounted must not look like a cart without listings.
            raise UnreachableError(
                f"The folder {str(self.path.parent)!r} of the file {self.path.name!r} is not there",
                code="folder_not_there",
                remedy="Make the folder, or mount the share that it is on.",
            ) from error
        except OSError as error:
            raise RefusedError(
                f"The file {self.path.name!r} cannot be read: {error.strerror}",
                code="file_not_readable",
                remedy="Name a file, and check that it may be read.",
            ) from error

    def _rows(self, data: bytes | None) -> Rows:
        problems: list[str] = []
        rows = {} if data is None else self._decoded(data, problems)
        if problems:
            raise DecodeError(
                f"The file {self.path.name!r} is not what omsync writes, so it was left as it is",
                code="broken_cart_file",
                problems=first_few(problems),
                remedy="Correct the rows named; or move the file away, and the next push writes a new one.",
            )
        return rows

    @property
    def _columns(self) -> tuple[str, ...]:
        return AUDITED if self.audit else PLAIN

    def _refuse_other_columns(self, found: Collection[str]) -> None:
        if set(found) == set(PLAIN if self.audit else AUDITED):
            has, option = ("no", "without audit=") if self.audit else ("the", "with audit=Audit(source=...)")
            raise DecodeError(
                f"The file {self.path.name!r} has {has} audit columns, so it was left as it is",
                code="other_columns",
                remedy=f"Open it {option}; or move it away, and the next push writes a new one.",
            )

    def _describe(self, data: bytes, rows: int) -> None:
        beside, wanted = manifest_path(self.path), Manifest.of(self.path, data, rows).encoded()
        try:
            if not beside.exists() or beside.read_bytes() != wanted:
                replace_file(beside, wanted)
        except OSError as error:
            raise LostAnswerError(
                f"The file {self.path.name!r} is written, and its manifest is not: {error.strerror}",
                code="manifest_not_written",
                remedy=f"Check {beside.name!r}; the next push writes it, and so does cart.push([]).",
            ) from error

    @abstractmethod
    def _decoded(self, data: bytes, problems: list[str]) -> Rows: ...

    @abstractmethod
    def _encoded(self, rows: Rows) -> bytes: ...


def in_order(rows: Rows) -> list[tuple[Key, Row]]:
    """Sort rows by listing SKU and location, so that two files compare line by line."""
    return sorted(rows.items(), key=lambda item: (item[0][0], item[0][1] or ""))


def _merged(change: QuantityChange, rows: Rows, fresh: Callable[[QuantityChange], Row]) -> PushResult:
    key = (change.listing_sku, change.location_id)
    there = rows[key].quantity if key in rows else None
    moved = change.shown is not None and there != change.shown
    # A quantity that is there already is no conflict: a push whose answer was lost may be sent again. But it
    # may have been somebody else's, as of a sale, so it is not taken for ours either.
    lost = moved and there != change.quantity
    if not moved and there != change.quantity:
        rows[key] = fresh(change)
    return PushResult(
        listing_sku=change.listing_sku,
        location_id=change.location_id,
        status="conflict" if lost else "accepted",
        echo=there if lost else change.quantity,
        reason="moved" if lost else ALREADY_SHOWN if moved else "",
        message=f"The file holds {there}, not {change.shown}" if lost else "",
    )
