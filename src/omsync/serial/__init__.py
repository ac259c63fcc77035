"""Values to JSON and back, strictly: ``to_json`` and ``from_json``, whole snapshots, saved plans."""

from omsync.serial.approvals import read_approvals
from omsync.serial.plans import load_plan
from omsync.serial.values import (
    from_data,
    from_json,
    snapshot_from_json,
    snapshot_to_json,
    to_data,
    to_json,
)

__all__ = [
    "from_data",
    "from_json",
    "load_plan",
    "read_approvals",
    "snapshot_from_json",
    "snapshot_to_json",
    "to_data",
    "to_json",
]
