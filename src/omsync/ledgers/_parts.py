"""What is known of a cart's listings: parts of some thousand that follow each other, and deltas to them."""

from __future__ import annotations

import json
import sys
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from sqlite3 import Connection
from typing import Any, TypeVar

from attrs import frozen

from omsync.ledgers._sheets import ACCEPTED, Row, Sheet, as_json, merged

__all__ = ["PART", "Packed", "Part", "add_delta", "fold", "left_to_tell", "packed_of", "sheets_of", "unknown"]

T = TypeVar("T")

PART = 4096
"""Listings of a part, about; one is divided when it has more than twice as many."""

FEW = 50_000
"""Listings in deltas that are not worth folding before a run ends."""

_ADD = "INSERT INTO listing_deltas (merchant, cart, size, texts, stamps, listings) VALUES (?, ?, ?, ?, ?, ?)"
_DELTAS = (
    "SELECT size, texts, stamps, listings FROM listing_deltas WHERE merchant = ? AND cart = ? ORDER BY delta"
)
_FORGET_DELTAS = "DELETE FROM listing_deltas WHERE merchant = ? AND cart = ?"
_FIRSTS = """
SELECT part, first_sku, first_location FROM listing_parts WHERE merchant = ? AND cart = ?
ORDER BY first_sku, first_location
"""
_SHEETS = """
SELECT size, texts, stamps, listings FROM listing_parts WHERE merchant = ? AND cart = ?
ORDER BY first_sku, first_location
"""
_PACKED = """
SELECT size, accepted, keys FROM listing_parts WHERE merchant = ? AND cart = ?
ORDER BY first_sku, first_location
"""
_SHEET = "SELECT size, texts, stamps, listings FROM listing_parts WHERE part = ?"
_DROP = "DELETE FROM listing_parts WHERE part = ?"
_KEEP = "INSERT INTO listing_parts VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_WEIGHTS = """
SELECT
    (SELECT total(size) FROM listing_deltas WHERE merchant = ?1 AND cart = ?2),
    (SELECT total(size) FROM listing_parts WHERE merchant = ?1 AND cart = ?2)
"""


@frozen
class Packed:
    """A part's columns that are read alone.

    Args:
        size: How many listings it has.
        accepted: What was last accepted of each: whole numbers of 4 bytes, or, where one needs it, of 8; the
            lowest byte first. The lowest number stands for a figure that is not known.
        keys: JSON: listing SKU and location of each, one after the other; ``""`` for no location.
    """

    size: int
    accepted: bytes
    keys: str

    @classmethod
    def of_rows(cls, rows: Sequence[Row]) -> Packed:
        """Pack rows."""
        keys = [text for row in rows for text in row[:2]]
        accepted = numbers_of([row[ACCEPTED] for row in rows])
        return cls(len(rows), in_file_order(accepted).tobytes(), as_json(keys))

    def numbers(self) -> array[int]:
        """Read what was last accepted."""
        kind = "i" if len(self.accepted) == 4 * self.size else "q"
        return in_file_order(array(kind, self.accepted))

    def listings(self) -> Iterator[tuple[str, str | None]]:
        """Read the keys."""
        texts = iter(json.loads(self.keys))
        for sku, place in zip(texts, texts, strict=True):
            yield sku, place or None


@frozen
class Part:
    """What is known of some thousand listings that follow each other."""

    packed: Packed
    sheet: Sheet

    @classmethod
    def of_rows(cls, rows: list[Row]) -> Iterator[Part]:
        """Make parts of rows that are sorted, of which there is at least one."""
        pieces = 1 if len(rows) <= 2 * PART else -(-len(rows) // PART)
        for piece in range(pieces):
            some = rows[len(rows) * piece // pieces : len(rows) * (piece + 1) // pieces]
            yield cls(Packed.of_rows(some), Sheet.of_rows(some))


def unknown(kind: str) -> int:
    """Give the number that stands for a figure that is not known, the lowest of its kind."""
    return -(2**31) if kind == "i" else -(2**63)


def numbers_of(figures: Sequence[int | None]) -> array[int]:
    """Pack figures into 4 bytes each, or, where one needs it, into 8."""
    kind = "i" if all(one is None or -(2**31) < one < 2**31 for one in figures) else "q"
    return array(kind, [unknown(kind) if one is None else one for one in figures])


def in_file_order(numbers: array[int]) -> array[int]:
    """Turn the bytes of numbers from this machine's order to the file's, or back."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def add_delta(connection: Connection, merchant: str, cart: str, sheet: Sheet) -> None:
    """Put down what was told of listings, beside what is known."""
    connection.execute(_ADD, (merchant, cart, sheet.size, sheet.texts, sheet.stamps, sheet.listings))


def left_to_tell(connection: Connection, merchant: str, cart: str) -> int:
    """Give how many more listings can be told of until a cart's deltas outweigh its parts."""
    told, known = connection.execute(_WEIGHTS, (merchant, cart)).fetchone()
    return int(max(FEW, 2 * known) - told)


def sheets_of(connection: Connection, merchant: str, cart: str) -> list[Sheet]:
    """Give what is known of a cart's listings, in order. Inside a transaction."""
    found = [Sheet(*row) for row in connection.execute(_SHEETS, (merchant, cart))]
    news = _folded(connection, merchant, cart)
    return _with_news(found, {place: [part.sheet for part in parts] for place, _, parts in news})


def packed_of(connection: Connection, merchant: str, cart: str) -> list[Packed]:
    """Give what was last accepted of a cart's listings, in order. Inside a transaction."""
    found = [Packed(*row) for row in connection.execute(_PACKED, (merchant, cart))]
    news = _folded(connection, merchant, cart)
    return _with_news(found, {place: [part.packed for part in parts] for place, _, parts in news})


def fold(connection: Connection, merchant: str, cart: str) -> None:
    """Fold a cart's deltas into its parts. Inside a transaction that writes, so that nobody adds another."""
    for _, number, parts in _folded(connection, merchant, cart):
        connection.execute(_DROP, (number,))
        for part in parts:
            first_sku, first_location = next(part.packed.listings())
            whose = merchant, cart, first_sku, first_location or "", part.sheet.size
            sheet, packed = part.sheet, part.packed
            columns = sheet.texts, sheet.stamps, packed.accepted, packed.keys, sheet.listings
            connection.execute(_KEEP, (*whose, *columns))
    connection.execute(_FORGET_DELTAS, (merchant, cart))


def _with_news(found: list[T], instead: Mapping[int, list[T]]) -> list[T]:
    """Put what deltas tell in the place of what was found; where nothing was found it is all there is."""
    if not found:
        return instead.get(0, [])
    return [one for place, old in enumerate(found) for one in instead.get(place, [old])]


def _folded(connection: Connection, merchant: str, cart: str) -> Iterator[tuple[int, int | None, list[Part]]]:
    """Give what becomes of the parts that deltas tell of: place, number, and the parts in its stead."""
    told = [Sheet(*row).rows() for row in connection.execute(_DELTAS, (merchant, cart))]
    heads: list[Any] = connection.execute(_FIRSTS, (merchant, cart)).fetchall() if told else []
    firsts = [(sku, place) for _, sku, place in heads]
    news: dict[int, list[Row]] = defaultdict(list)
    for rows in told:
        for row in rows:
            news[max(0, bisect_right(firsts, row[:2]) - 1)].append(row)
    for place in sorted(news):
        number = heads[place][0] if heads else None
        known: dict[Any, Row] = {}
        if number is not None:
            sheet = Sheet(*connection.execute(_SHEET, (number,)).fetchone())
            known = {row[:2]: row for row in sheet.rows()}
        for row in news.pop(place):
            known[row[:2]] = merged(known.get(row[:2]), row)
        yield place, number, list(Part.of_rows([known[key] for key in sorted(known)]))
