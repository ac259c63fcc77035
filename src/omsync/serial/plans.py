"""A plan that left its process, read back."""

from __future__ import annotations

import json

from omsync.errors import DecodeError
from omsync.planning import SyncPlan
from omsync.planning.plan import seal_of
from omsync.serial.values import from_data

__all__ = ["load_plan"]


def load_plan(text: str | bytes) -> SyncPlan:
    """Read a plan that ``SyncPlan.to_json`` wrote; its changed lines carry their explanations.

    Raises:
        DecodeError: The text is no plan, or it was changed after it was saved.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"The saved plan is not JSON: {error}", code="not_json") from error
    if not isinstance(data, dict) or "digest" not in data:
        raise DecodeError("This is no saved plan", code="no_digest", remedy="Save it with plan.to_json().")
    digest, seal = data.pop("digest"), data.pop("seal", None)
    plan = from_data(data, SyncPlan)
    if seal != seal_of(data):
        raise DecodeError(
            f"The saved plan {digest!r} was changed after it was saved",
            code="plan_edited",
            remedy="A saved plan cannot be edited; plan again.",
        )
    return plan
