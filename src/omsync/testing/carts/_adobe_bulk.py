"""The bulks of a fake Adobe Commerce shop: taken at once, worked through once consumers come to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attrs import define

from omsync.http.messages import Response
from omsync.testing.carts._adobe_stock import Taken
from omsync.testing.carts.platform import Asked, json_answer

__all__ = ["Bulks"]

COMPLETE, FAILED, OPEN = 1, 3, 4


@define
class _Operation:
    body: Any
    status: int = OPEN
    message: str | None = None


@define
class _Bulk:
    operations: list[_Operation]
    looks: int


class Bulks:
    """The bulks that were handed in.

    Args:
        save: Carries one body's source items out.
        looks: How often a bulk is asked about before it has been worked through; 0 for at once.
        repeats: Whether the report repeats each body.
    """

    def __init__(self, save: Callable[[list[dict[str, Any]]], None], *, looks: int, repeats: bool) -> None:
        self._save = save
        self._looks = looks
        self._repeats = repeats
        self._bulks: dict[str, _Bulk] = {}

    def hand_in(self, bodies: list[Any]) -> Response:
        """Take a bulk."""
        uuid = f"00000000-0000-4000-8000-{len(self._bulks) + 1:012}"
        bulk = self._bulks[uuid] = _Bulk([_Operation(body) for body in bodies], self._looks)
        if bulk.looks <= 0:
            self._work_through(bulk)
        taken = [
            {"id": place, "data_hash": f"{place:064}", "status": "accepted"} for place in range(len(bodies))
        ]
        return json_answer({"bulk_uuid": uuid, "request_items": taken, "errors": False}, 202)

    def status(self, _: Asked, uuid: str) -> Response:
        """Tell the state of each operation; each look brings the consumers nearer."""
        bulk = self._bulks.get(uuid)
        if bulk is None:
            return json_answer({"message": "No such entity with bulkUuid = %1", "parameters": [uuid]}, 404)
        bulk.looks -= 1
        if bulk.looks == 0:
            self._work_through(bulk)
        return self._report(uuid, bulk, detailed=False)

    def detailed_status(self, _: Asked, uuid: str) -> Response:
        """Tell the state of each operation with its body."""
        return self._report(uuid, self._bulks[uuid], detailed=True)

    def _work_through(self, bulk: _Bulk) -> None:
        for operation in bulk.operations:
            try:
                self._save(operation.body["sourceItems"])
            except Taken as problem:
                operation.status, operation.message = FAILED, problem.body["message"]
            else:
                operation.status, operation.message = COMPLETE, "Service execution success"

    def _report(self, uuid: str, bulk: _Bulk, *, detailed: bool) -> Response:
        rows = []
        for place, operation in enumerate(bulk.operations):
            row: dict[str, Any] = {
                "id": place,
                "status": operation.status,
                "result_message": operation.message,
                "error_code": None,
            }
            if detailed:
                envelope = {
                    "entity_id": None,
                    "entity_link": "",
                    "meta_information": json.dumps(operation.body),
                }
                row["topic_name"] = "async.magento.inventoryapi.api.sourceitemssaveinterface.execute.post"
                row["serialized_data"] = json.dumps(envelope) if self._repeats else None
            rows.append(row)
        # Reports come in no order that one could rely on.
        rows.reverse()
        return json_answer({"operations_list": rows, "bulk_id": uuid, "operation_count": len(rows)})
