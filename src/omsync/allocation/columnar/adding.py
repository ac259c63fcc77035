"""Adding columns of four bytes: a column is taken as one whole number, since Python adds those at once."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

from omsync.allocation.columnar.buffers import Flags, Numbers

__all__ = ["added", "are_small", "below_zero"]

_BELOW_ZERO = bytes(128) + b"\x01" * 128


def added(columns: Sequence[Sequence[int]]) -> array[int]:
    """Add columns up, entry by entry.

    Args:
        columns: At least one, equally long, buffers of four bytes a number; no sum may need more.
    """
    views = [memoryview(column) for column in columns]  # type: ignore[arg-type]  # buffers, as said
    totals = array("i")
    if len(views) == 1:
        totals.frombytes(views[0].tobytes())
        return totals
    # With its sign bit turned over, every entry is 2**31 more and from 0, so that none borrows of the next.
    signs = int.from_bytes(array("i", [-(2**31)]).tobytes() * len(views[0]), sys.byteorder)
    together = -(len(views) - 1) * signs
    for view in views:
        together += int.from_bytes(view, sys.byteorder) ^ signs
    totals.frombytes((together ^ signs).to_bytes(views[0].nbytes, sys.byteorder))
    return totals


def are_small(columns: Sequence[Numbers]) -> bool:
    """Tell whether any sum of columns, with as much again, fits into four bytes."""
    most = 64 // max(1, len(columns))
    allowed = bytes([*range(most), *range(256 - most, 256)])
    return all(column.itemsize == 4 and not _highest(column).translate(None, allowed) for column in columns)  # noqa: PLR2004  bytes


def below_zero(column: Numbers) -> Flags:
    """Give 1 for each entry below 0."""
    return _highest(column).translate(_BELOW_ZERO)


def _highest(column: Numbers) -> bytes:
    """Give the highest byte of each entry, which has its sign."""
    place = column.itemsize - 1 if sys.byteorder == "little" else 0
    return column.tobytes()[place :: column.itemsize]
