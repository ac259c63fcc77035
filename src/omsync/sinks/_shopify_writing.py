"""Setting quantities in Shopify: one call, its errors by row, and what is sent again under another key."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from omsync.errors import OmsyncError, RefusedError
from omsync.http.messages import Conversation
from omsync.sinks import _shopify as api
from omsync.sinks._http import Wire
from omsync.sinks._shopify_answers import data_of
from omsync.sinks._shopify_rows import STALE, Answer, Place, Sending, Target, failed

__all__ = ["write"]

_NEW_KEY = {"IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"}
_MOST_NEW_KEYS = 3
_WHOLE_CALL = {"INVALID_NAME", "INVALID_REASON", "INVALID_REFERENCE_DOCUMENT"}
_REASONS = {
    "INVALID_INVENTORY_ITEM": "not_in_cart",
    "INVALID_LOCATION": "unknown_location",
    "INVALID_QUANTITY_NEGATIVE": "out_of_range",
    "INVALID_QUANTITY_TOO_HIGH": "out_of_range",
    "INVALID_QUANTITY_TOO_LOW": "out_of_range",
    "ITEM_NOT_STOCKED_AT_LOCATION": "not_stocked_at_location",
    "NON_MUTABLE_INVENTORY_ITEM": "unmanaged_in_cart",
}


def write(
    access: api.Access, targets: Sequence[Target], sending: Sending
) -> Conversation[dict[Place, Answer]]:
    """Set quantities: rows that Shopify names are dropped, the rest goes out again under a new key.

    A refusal that names no row is halved until the bad row stands alone. An error is raised only while
    nothing is known of any row; afterwards it is the answer of those that are left.
    """
    answers: dict[Place, Answer] = {}
    queue = deque([tuple(targets)])
    attempt = new_keys = 0
    while queue:
        rows = queue.popleft()
        attempt += 1
        try:
            response = yield access.ask(api.WRITE, **_variables(rows, sending, attempt))
            payload = data_of(response, written=True).field("inventorySetQuantities")
            errors = _row_errors(payload, last=new_keys == _MOST_NEW_KEYS)
            echoes = _echoes(payload, sending.name)
        except OmsyncError as error:
            if not answers:
                raise
            return answers | {row.place: failed(error) for left in (rows, *queue) for row in left}
        answers |= {row.place: _shown(row, *echoes[row.place]) for row in rows if row.place in echoes}
        if errors is None:
            new_keys += 1
            queue.appendleft(rows)
            continue
        answers |= _told(rows, errors, answers)
        queue.extendleft(_next_calls(rows, answers))
    return answers


def _variables(rows: Sequence[Target], sending: Sending, attempt: int) -> dict[str, Any]:
    return {
        "input": {
            "name": sending.name,
            "reason": "correction",
            "referenceDocumentUri": sending.reference,
            "quantities": [row.wire for row in rows],
        },
        "key": sending.key(str(attempt), *(row.key for row in rows)),
    }


def _shown(row: Target, units: int, sku: str) -> Answer:
    """Give what came of a row that the answer shows, beside the SKU that its item has by now."""
    if sku == row.sku:
        return Answer(echo=units)
    message = (
        f"{row.place[0]} got the SKU {sku!r} before the write and shows {units} now; look at it and at "
        f"{row.sku!r}, or let the next run set them right"
    )
    return Answer(status="conflict", reason="renamed_in_cart", message=message, echo=units)


def _echoes(payload: Wire, name: str) -> dict[Place, tuple[int, str]]:
    group = payload.get("inventoryAdjustmentGroup")
    echoes: dict[Place, tuple[int, str]] = {}
    for change in group.field("changes").rows() if group else ():
        item, location, after = (change.get(key) for key in ("item", "location", "quantityAfterChange"))
        if change.field("name").text() == name and item and location and after:
            sku = item.get("sku")
            shown = after.whole(), sku.text() if sku else ""
            echoes[item.field("id").text(), location.field("id").text()] = shown
    return echoes


def _row_errors(payload: Wire, *, last: bool) -> list[Wire] | None:
    """Give the errors about rows; None when the same rows have to be sent again under a new key.

    Raises:
        RefusedError: The errors are about the call as a whole.
    """
    errors = payload.field("userErrors").rows()
    codes = {_code(error) for error in errors}
    said = "; ".join(f"{error.field('message').text()} ({_code(error)})" for error in errors[:3])
    if codes & _WHOLE_CALL:
        raise RefusedError(f"{payload.place}: {said}", code="api_mismatch")
    if codes & _NEW_KEY and last:
        raise RefusedError(f"{payload.place}: {said}", code="idempotency_key")
    return None if codes & _NEW_KEY else errors


def _told(
    rows: Sequence[Target], errors: Sequence[Wire], known: Mapping[Place, Answer]
) -> dict[Place, Answer]:
    """Give what errors say about rows: by the index that they name, or since there is only one row."""
    if not errors:
        # Not shown: either it was the same already, or nobody knows. A look at the cart will tell.
        return {row.place: Answer() for row in rows if row.place not in known}
    told: dict[Place, Answer] = {}
    for error in errors:
        path = error.get("field")
        steps = [step.text() for step in path.rows()] if path else []
        index = next((int(step) for step in steps if re.fullmatch(r"\d{1,6}", step)), None)
        index = 0 if len(rows) == 1 else index
        if index is not None and index < len(rows) and rows[index].place not in known:
            told.setdefault(rows[index].place, _refusal(error))
    return told


def _next_calls(rows: Sequence[Target], answers: Mapping[Place, Answer]) -> list[tuple[Target, ...]]:
    """Give what is to be sent next, last call first: what is left, or its halves if nothing was named."""
    left = tuple(row for row in rows if row.place not in answers)
    middle = len(left) // 2 if len(left) == len(rows) else 0
    return [part for part in (left[middle:], left[:middle]) if part]


def _refusal(error: Wire) -> Answer:
    code, message = _code(error), error.field("message").text()
    if code == "CHANGE_FROM_QUANTITY_STALE":
        return Answer(status=STALE, reason=STALE, message=message)
    status = "skipped" if code == "NON_MUTABLE_INVENTORY_ITEM" else "rejected"
    return Answer(status=status, reason=_REASONS.get(code, "row_refused"), message=message)


def _code(error: Wire) -> str:
    code = error.get("code")
    return code.text() if code else ""
