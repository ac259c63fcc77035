"""Columns of flags, a byte of 0 or 1 for each entry: as whole numbers, which Python combines at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import compress, count
from operator import and_, or_

from omsync.allocation.columnar.buffers import Flags

__all__ = ["all_of", "any_of", "folded", "marked", "unfolded"]


def marked(flags: Iterable[int]) -> Iterator[int]:
    """Give the places that are flagged."""
    return compress(count(), flags)


def any_of(flags: Sequence[Flags], products: int) -> Flags:
    """Give 1 where any of several columns of flags has it; as whole numbers, which are or-ed at once."""
    if len(flags) == 1:
        return flags[0]
    return reduce(or_, map(_one_number, flags), 0).to_bytes(products, "little")


def all_of(flags: Sequence[Flags]) -> Flags:
    """Give 1 where all of several columns of flags have it, likewise."""
    return reduce(and_, map(_one_number, flags)).to_bytes(len(flags[0]), "little")


def folded(flags: Sequence[Flags]) -> Flags:
    """Make a bit of each of up to eight columns of flags."""
    together = reduce(or_, (_one_number(column) << bit for bit, column in enumerate(flags)))
    return together.to_bytes(len(flags[0]), "little")


def unfolded(marks: Flags) -> Iterator[Flags]:
    """Give the eight columns of flags again."""
    ones, together = _one_number(b"\x01" * len(marks)), _one_number(marks)
    for bit in range(8):
        yield (together >> bit & ones).to_bytes(len(marks), "little")


def _one_number(flags: Flags) -> int:
    return int.from_bytes(flags, "little")
