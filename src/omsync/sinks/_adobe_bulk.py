"""Adobe Commerce's asynchronous bulk: many bodies handed in, asked about, and reported on one by one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from omsync.errors import DecodeError
from omsync.http.messages import Conversation
from omsync.sinks._adobe import Door
from omsync.sinks._adobe_answers import body_of
from omsync.sinks._http import Wire
from omsync.sinks._jobs import Job, Report
from omsync.sinks._rows import Verdict

__all__ = ["look", "submit"]

COMPLETE, FAILED_FOR_NOW, FAILED, OPEN, REJECTED = range(1, 6)


def submit(door: Door, bodies: Sequence[Mapping[str, Any]]) -> Conversation[str]:
    """Hand bodies in, one for each product; give the bulk's id.

    If the answer is lost, a second bulk of the same absolute quantities is made: harmless.
    """
    path = "V1/async/bulk/inventory/source-items"
    if not door.access.saas:
        path = "async/bulk/V1/inventory/source-items"
    body = body_of((yield door.post(path, "write", bodies)))
    return body.field("bulk_uuid").text()


def look(door: Door, job: Job, lane: str) -> Conversation[Report | None]:
    """Ask after a bulk; give its report, or None while one of its operations is open or not yet there."""
    bulk = f"bulk/{quote(job.id, safe='')}"
    body = body_of((yield door.get(f"{bulk}/status", lane)))
    states = [one.field("status").whole() for one in body.field("operations_list").rows()]
    if len(states) < len(job.skus) or OPEN in states:
        return None
    body = body_of((yield door.get(f"{bulk}/detailed-status", "read")))
    operations = body.field("operations_list").rows()
    named = [_sku_of(operation) for operation in operations]
    if None in named and len(operations) == len(job.skus):
        # Operations that do not repeat their body are numbered in the order in which they were sent.
        operations.sort(key=lambda one: one.field("id").whole())
        named = list(job.skus)
    rows = {sku: _verdict(one) for sku, one in zip(named, operations, strict=True) if sku is not None}
    silent = Verdict(
        status="pending", reason="job_unclear", message="the bulk's report does not speak of this product"
    )
    return Report(rows=rows, others=silent)


def _sku_of(operation: Wire) -> str | None:
    """Give the product of an operation, from the body that it repeats."""
    try:
        envelope = _unpacked(operation.field("serialized_data"))
        sent = _unpacked(envelope.field("meta_information"))
        return sent.field("sourceItems").rows()[0].field("sku").text()
    except (DecodeError, ValueError, IndexError):
        return None


def _unpacked(wire: Wire) -> Wire:
    return Wire(value=json.loads(wire.text()), path=wire.path, place=wire.place)


def _verdict(operation: Wire) -> Verdict:
    said = operation.get("result_message")
    message = said.text() if said else ""
    status = operation.field("status").whole()
    if status == COMPLETE:
        return Verdict()
    if status == FAILED_FOR_NOW:
        # Not written; as "pending" the next run sends it, since only a last word would be repeated.
        return Verdict(status="pending", reason="busy", message=message)
    return Verdict(status="rejected", reason="row_refused", message=message)
