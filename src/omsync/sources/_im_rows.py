"""What Integration Manager says of a SKU, read strictly.

In a page every figure is a whole number. In the reply about one SKU the vendor writes the two totals as
text; there, and nowhere else, decimal digits in quotes are a figure. Objects that are empty come as ``[]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from attrs import frozen

from omsync.checks import LARGEST, shown
from omsync.errors import DecodeError
from omsync.sinks._http import Wire

__all__ = ["PlaceReading", "SkuReading", "inventory_page", "newer", "single_sku"]

T = TypeVar("T")
_DIGITS = re.compile("-?[0-9]{1,18}")


@frozen(kw_only=True)
class PlaceReading:
    """What Integration Manager shows of one SKU in one of its warehouses.

    Args:
        warehouse_id: Integration Manager's own id.
        name: The warehouse's name.
        on_hand: Units physically there.
        available: Units that may be sold.
        observed_at: When the order manager reported it; None when it is not said.
    """

    warehouse_id: str
    name: str
    on_hand: int
    available: int
    observed_at: datetime | None


@frozen(kw_only=True)
class SkuReading:
    """What Integration Manager shows of one SKU.

    Args:
        master_sku: The SKU.
        on_hand: Its total, as Integration Manager adds it up.
        available: Its total, likewise.
        observed_at: When the order manager reported it; None when it is not said.
        aliases: (alias name, listing SKU) pairs; the reply about a single SKU has none.
        places: What stands in which warehouse; none is not 0.
    """

    master_sku: str
    on_hand: int
    available: int
    observed_at: datetime | None
    aliases: tuple[tuple[str, str], ...] = ()
    places: tuple[PlaceReading, ...] = ()

    @property
    def moments(self) -> tuple[datetime, ...]:
        """When the figures in its warehouses were reported, as far as it is said."""
        told = (place.observed_at or self.observed_at for place in self.places)
        return tuple(moment for moment in told if moment is not None)


def inventory_page(body: Any, place: str) -> list[SkuReading]:
    """Decode a page of all SKUs.

    Raises:
        DecodeError: Names the page, the row, the field and the value.
    """
    return _decoded(body, place, lambda response: [_reading(row, _whole) for row in response.rows()])


def single_sku(body: Any, place: str, master_sku: str) -> SkuReading:
    """Decode the reply about one SKU.

    Raises:
        DecodeError: It is not what is documented, or it is about another SKU; case matters.
    """
    reading = _decoded(body, place, lambda response: _reading(response, _digits))
    if reading.master_sku != master_sku:
        raise DecodeError(
            f"{place}: asked about {master_sku!r}, the answer is about {reading.master_sku!r}",
            code="other_sku",
            remedy="SKUs are compared exactly; write it as the order manager does.",
        )
    return reading


def newer(one: SkuReading, other: SkuReading, page: int) -> SkuReading:
    """Choose between two readings of one SKU, which rows that shift between pages bring about.

    Equal ones are one; of two that differ, the one that the order manager reported later.

    Raises:
        DecodeError: They differ, and nothing says which is later.
    """
    first, second = (max(reading.moments, default=reading.observed_at) for reading in (one, other))
    if one == other or (first is not None and second is not None and first > second):
        return one
    if first is not None and second is not None and first < second:
        return other
    raise DecodeError(
        f"Integration Manager lists {one.master_sku!r} twice with different figures, the second time on page "
        f"{page}: available {one.available} and {other.available}, both reported at {second or 'no time'}",
        code="given_twice",
        remedy="Read again; if it stays, the product is there twice: look it up in Integration Manager.",
    )


def _decoded(body: Any, place: str, decode: Callable[[Wire], T]) -> T:
    try:
        top = Wire(value=body, path="$", place=place)
        top.field("success_code").flag()  # false was told apart before
        return decode(top.field("response"))
    except DecodeError as error:
        raise DecodeError(
            error.message,
            code=error.code,
            remedy="Nothing was concluded from this answer. If base_url is right, tell the vendor, with "
            "the process id.",
        ) from error


def _reading(row: Wire, figure: Callable[[Wire], int]) -> SkuReading:
    aliases = row.get("aliases")
    return SkuReading(
        master_sku=_code(row.field("sku")),
        on_hand=figure(row.field("qty_on_hand")),
        available=figure(row.field("qty_available")),
        observed_at=_moment(row),
        aliases=tuple(
            (name, _code(value))
            for name, value in (_members(aliases) if aliases else {}).items()
            if value.value not in {None, ""}
        ),
        places=tuple(
            PlaceReading(
                warehouse_id=warehouse_id,
                name=_clean(one.field("warehouse").text()),
                on_hand=_whole(one.field("qty_on_hand")),
                available=_whole(one.field("qty_available")),
                observed_at=_moment(one),
            )
            for warehouse_id, one in _members(row.field("warehouses")).items()
        ),
    )


def _members(wire: Wire) -> dict[str, Wire]:
    """Give the fields of an object; the vendor writes an empty one as an empty list."""
    if wire.value == []:
        return {}
    if not isinstance(wire.value, dict):
        raise _wrong(wire, "an object, or [] when empty")
    for name in wire.value:
        if not name:
            raise _wrong(wire, "an object without empty names")
    return {_clean(name): wire.field(name) for name in wire.value}


def _whole(wire: Wire) -> int:
    value = wire.whole()
    if abs(value) > LARGEST:
        raise _wrong(wire, f"a whole number of at most {LARGEST}")
    return value


def _digits(wire: Wire) -> int:
    if type(wire.value) is not str:
        return _whole(wire)
    if not _DIGITS.fullmatch(wire.value):
        raise _wrong(wire, "a whole number, or its decimal digits as text")
    return int(wire.value)


def _code(wire: Wire) -> str:
    text = wire.text()
    if not text:
        raise _wrong(wire, "text that is not empty")
    return _clean(text)


def _moment(row: Wire) -> datetime | None:
    wire = row.get("wms_datetime")
    if wire is None or wire.value == "":
        return None
    try:
        moment = datetime.fromisoformat(wire.text())
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise _wrong(wire, "a date and time with its zone")
    return moment.astimezone(UTC)


def _clean(text: str) -> str:
    # Half a character, as a cut-off emoji leaves it, can be kept nowhere.
    return text.encode(errors="replace").decode()


def _wrong(wire: Wire, wanted: str) -> DecodeError:
    return DecodeError(
        f"{wire.place}: {wire.path} must be {wanted}, not {shown(wire.value)}", code="wrong_shape"
    )
