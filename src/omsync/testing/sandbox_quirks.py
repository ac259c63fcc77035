"""Peculiarities that real servers have had: edits of every answer of an endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["quirks"]

Edit = Callable[[Any], Any]
_TOTALS = ("GET /v1/productstocks/total", "GET /v1.1/productstocks/total")


def quirks(
    *,
    old_channel_spelling: bool,
    totals_without_available: bool,
    totals_without_allocated: bool,
    acknowledge_as_object: bool,
) -> dict[str, list[Edit]]:
    """Give the edits of each endpoint's answers."""
    edits: dict[str, list[Edit]] = {}
    if old_channel_spelling:
        edits["GET /v1/saleschannels"] = [_old_channels]
    for lane in _TOTALS:
        if totals_without_available:
            edits.setdefault(lane, []).append(_without("availableQuantity"))
        if totals_without_allocated:
            edits.setdefault(lane, []).append(_without("allocatedQuantity"))
    if acknowledge_as_object:
        edits["POST /v1.2/inventory/acknowledge"] = [lambda pages: pages[0]]
    return edits


def _without(name: str) -> Edit:
    return lambda rows: [{key: value for key, value in row.items() if key != name} for row in rows]


def _old_channels(rows: Any) -> Any:
    return [
        {
            "salesChannelId": row["salesChannelId"],
            "name": row["salesChannelName"],
            "companyName": None,
            "phoneNumber": None,
            "type": row["salesChannelType"],
            "active": row["active"],
            "connectionParams": {},
        }
        for row in rows
    ]
