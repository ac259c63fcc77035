"""The inventory feeds of the Walmart in memory: files taken without a look, worked through later."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from attrs import define, field

from omsync.http.messages import Response
from omsync.testing.carts.platform import Asked, json_answer

__all__ = ["Feeds", "error"]

_MOST_BYTES = 5_000_000
_BOUNDARY = re.compile(r"multipart/form-data; *boundary=\"?([^\";]+)")

Write = Callable[[str, str, Any], str]
"""Writes (SKU, ship node, quantity); gives a complaint, or an empty text."""


@define(kw_only=True)
class _Feed:
    id: str
    kind: str
    node: str
    content: bytes
    looks_left: int
    status: str = "RECEIVED"
    items: list[dict[str, Any]] = field(factory=list)
    errors: list[dict[str, str]] = field(factory=list)


@define
class Feeds:
    """Takes feeds, and works them through when they are asked about.

    Args:
        write: Writes one row.
        looks: How often a feed is still under way when it is asked about.
        details: How many items a page of details has at most.
    """

    write: Write
    looks: int = 1
    details: int = 1000
    feeds: dict[str, _Feed] = field(factory=dict)

    def take(self, asked: Asked) -> Response:
        """Take a file: Walmart says yes even if every row in it will fail."""
        kind = asked.first("feedType")
        boundary = _BOUNDARY.match(asked.headers.get("content-type", ""))
        if kind not in {"inventory", "MP_INVENTORY"}:
            return error(400, "INVALID_REQUEST_PARAM", "The value provided for 'feedType' is invalid.")
        if boundary is None:
            return error(415, "UNSUPPORTED_MEDIA_TYPE", "The file must be sent as multipart/form-data.")
        if len(asked.content) > _MOST_BYTES:
            return error(413, "PAYLOAD_TOO_LARGE", "The file is larger than 5 MB.")
        content = _file_of(asked.content, boundary.group(1))
        if content is None:
            return error(400, "MISSING_REQUEST_PARAM", "The part 'file' is missing.")
        key = f"F129C19240844B97A3C6AD8F1A2C{len(self.feeds) + 1}@AU8BAQA"
        self.feeds[key] = _Feed(
            id=key, kind=kind, node=asked.first("shipNode"), content=content, looks_left=self.looks
        )
        return json_answer({"feedId": key})

    def status_of(self, asked: Asked, key: str) -> Response:
        """Tell how far a feed is, with a page of its items if they are asked for; each look lets it go on."""
        feed = self.feeds.get(key)
        if feed is None:
            return error(404, "CONTENT_NOT_FOUND", "The feed was not found.")
        if feed.status in {"RECEIVED", "INPROGRESS"}:
            if feed.looks_left > 0:
                feed.looks_left -= 1
                feed.status = "INPROGRESS"
            else:
                self._work_through(feed)
        details = asked.first("includeDetails") == "true"
        limit, offset = int(asked.first("limit", "50")), int(asked.first("offset", "0"))
        succeeded = sum(item["ingestionStatus"] == "SUCCESS" for item in feed.items)
        page = feed.items[offset : offset + min(limit, self.details)] if details else []
        return json_answer(
            {
                "feedId": feed.id,
                "feedStatus": feed.status,
                "ingestionErrors": {"ingestionError": feed.errors or None},
                "itemsReceived": len(feed.items),
                "itemsSucceeded": succeeded,
                "itemsFailed": len(feed.items) - succeeded,
                "itemsProcessing": 0,
                "offset": offset,
                "limit": limit,
                "itemDetails": {"itemIngestionStatus": page},
            }
        )

    def finish(self) -> None:
        """Work through every feed that is under way, whether or not anybody asks."""
        for feed in self.feeds.values():
            if feed.status in {"RECEIVED", "INPROGRESS"}:
                self._work_through(feed)

    def _work_through(self, feed: _Feed) -> None:
        try:
            entries = _entries(feed)
        except (ValueError, KeyError, TypeError) as problem:
            feed.status = "ERROR"
            feed.errors = [
                {"type": "DATA_ERROR", "code": "ERR_EXT_DATA_0000", "description": f"Bad file: {problem}"}
            ]
            return
        feed.status = "PROCESSED"
        for index, (sku, rows) in enumerate(entries):
            complaints = [complaint for node, units in rows if (complaint := self.write(sku, node, units))]
            item: dict[str, Any] = {"index": index, "sku": sku, "ingestionStatus": "SUCCESS"}
            if complaints:
                wrong = [
                    {
                        "type": "DATA_ERROR",
                        "code": "ERR_EXT_DATA_0101126",
                        "field": "sku",
                        "description": complaint,
                    }
                    for complaint in complaints
                ]
                item |= {
                    "ingestionStatus": "DATA_ERROR",
                    "ingestionErrors": {"ingestionError": wrong},
                }
            feed.items.append(item)


def error(status: int, code: str, message: str) -> Response:
    """Give an error as Walmart words it."""
    return json_answer(
        {"errors": [{"code": code, "message": message, "category": "DATA", "severity": "ERROR"}]}, status
    )


def _file_of(content: bytes, boundary: str) -> bytes | None:
    """Give the bytes of the one part that is called ``file``."""
    for part in content.split(b"--" + boundary.encode()):
        head, _, body = part.partition(b"\r\n\r\n")
        if b'name="file"' in head:
            return body.removesuffix(b"\r\n")
    return None


def _entries(feed: _Feed) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Read a file; the two kinds of feed differ in their capitals, and neither forgives the other's."""
    document = json.loads(feed.content)
    if feed.kind == "inventory":
        _check_version(document["InventoryHeader"], "1.4")
        return [(row["sku"], [(feed.node, row["quantity"])]) for row in document["Inventory"]]
    _check_version(document["inventoryHeader"], "1.5")
    return [
        (row["sku"], [(at["shipNode"], at["quantity"]) for at in row["shipNodes"]])
        for row in document["inventory"]
    ]


def _check_version(header: Any, version: str) -> None:
    if header["version"] != version:
        problem = f"version must be {version}"
        raise ValueError(problem)
