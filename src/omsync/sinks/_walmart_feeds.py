"""Walmart's inventory feeds as conversations: a file handed in, asked about, and what came of each item."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from omsync.http.messages import Conversation, Request
from omsync.sinks._http import Wire
from omsync.sinks._jobs import Job, Report
from omsync.sinks._rows import Verdict
from omsync.sinks._walmart import Access, units
from omsync.sinks._walmart_answers import data_of, errors_of

__all__ = ["entry_of", "look", "room_for_entries", "submit"]

_BOUNDARY = "omsync-inventory-file"
"""JSON holds no line break as such, so no line of a file can look like this."""

_DETAILS_A_PAGE = 1000


def entry_of(sku: str, wanted: Mapping[str, int], *, by_node: bool) -> dict[str, Any]:
    """Give one item of a feed."""
    if not by_node:
        (quantity,) = wanted.values()
        return {"sku": sku, "quantity": units(quantity)}
    nodes = [{"shipNode": node, "quantity": units(quantity)} for node, quantity in wanted.items()]
    return {"sku": sku, "shipNodes": nodes}


def room_for_entries(most: int) -> int:
    """Give the bytes that are left for items in a body of at most so many."""
    return most - max(len(_file(_document([], by_node=by_node))) for by_node in (True, False))


def submit(
    access: Access, entries: Sequence[Mapping[str, Any]], node: str, *, by_node: bool
) -> Conversation[str]:
    """Hand a feed in; give its id. A feed is taken even if every item in it will fail.

    If the answer is lost, a second feed of the same absolute quantities is made: harmless.
    """
    kind = "MP_INVENTORY" if by_node else "inventory"
    at = (("shipNode", node),) if node and not by_node else ()
    asked = access.ask("POST", "/v3/feeds", "POST feed", ("feedType", kind), *at)
    response = yield Request(
        method=asked.method,
        url=asked.url,
        query=asked.query,
        headers={**asked.headers, "content-type": f"multipart/form-data; boundary={_BOUNDARY}"},
        raw=_file(_document(entries, by_node=by_node)),
        lane=asked.lane,
    )
    return data_of(response).field("feedId").text()


def look(access: Access, job: Job, lane: str) -> Conversation[Report | None]:
    """Ask after a feed; give its report, or None while it is under way."""
    feed = yield from _status(access, job, lane, details=False, offset=0)
    status = feed.field("feedStatus").one_of("RECEIVED", "INPROGRESS", "PROCESSED", "ERROR")
    if status in {"RECEIVED", "INPROGRESS"}:
        return None
    if status == "ERROR":
        errors = "; ".join(errors_of(feed, "ingestionErrors", "ingestionError"))
        message = f"Walmart refused the feed as a whole; nothing of it was written. {errors}".strip()
        return Report(others=Verdict(status="rejected", reason="job_failed", message=message))
    received, succeeded = (feed.field(name).whole() for name in ("itemsReceived", "itemsSucceeded"))
    if received == succeeded == len(job.skus):
        return Report()
    rows: dict[str, Verdict] = {}
    read = 0
    while read < received:
        part = yield from _status(access, job, lane, details=True, offset=read)
        items = part.field("itemDetails").field("itemIngestionStatus").rows()
        if not items:
            break
        known = len(rows)
        read += len(items)
        for item in items:
            sku, verdict = item.field("sku").text(), _verdict_of(item)
            if sku not in rows or rows[sku].status == "accepted":
                rows[sku] = verdict
        if len(rows) == known:
            break  # The same page again: what it does not name stays unclear.
    message = "the feed's report does not name this item"
    return Report(rows=rows, others=Verdict(status="pending", reason="job_unclear", message=message))


def _status(access: Access, job: Job, lane: str, *, details: bool, offset: int) -> Conversation[Wire]:
    paging = (("limit", str(_DETAILS_A_PAGE)), ("offset", str(offset))) if details else ()
    wanted = ("includeDetails", "true" if details else "false")
    response = yield access.ask(
        "GET", f"/v3/feeds/{quote(job.id, safe='')}", "GET feed" if details else lane, wanted, *paging
    )
    return data_of(response)


def _verdict_of(item: Wire) -> Verdict:
    status = item.field("ingestionStatus").text()
    if status == "SUCCESS":
        return Verdict()
    said = "; ".join(errors_of(item, "ingestionErrors", "ingestionError")) or status
    if status == "DATA_ERROR":
        return Verdict(status="rejected", reason="row_refused", message=said)
    # A fault of Walmart's own, or an item that is not done although the feed is.
    return Verdict(status="pending", reason="job_unclear", message=f"{status}: {said}")


def _document(entries: Sequence[Mapping[str, Any]], *, by_node: bool) -> dict[str, Any]:
    """Give a whole feed; the two kinds differ in their capitals too."""
    if by_node:
        return {"inventoryHeader": {"version": "1.5"}, "inventory": entries}
    return {"InventoryHeader": {"version": "1.4"}, "Inventory": entries}


def _file(document: Mapping[str, Any]) -> bytes:
    """Give the body of an upload with one file in it."""
    content = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    lines = [
        f"--{_BOUNDARY}",
        'Content-Disposition: form-data; name="file"; filename="inventory.json"',
        "Content-Type: application/json",
        "",
        content,
        f"--{_BOUNDARY}--",
        "",
    ]
    return "\r\n".join(lines).encode()
