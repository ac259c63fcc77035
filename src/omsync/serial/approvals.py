"""An exported plan that a person wrote yes into, read back: nothing but its last column may differ."""

from __future__ import annotations

from collections import Counter

from omsync.errors import DecodeError
from omsync.hints import first_few
from omsync.planning import SyncPlan
from omsync.planning.approvals import APPROVABLE
from omsync.planning.plan import Key
from omsync.planning.table import CSV_COLUMNS, csv_rows
from omsync.textfiles.tables import CellError, Column, any_text, read_table

__all__ = ["read_approvals"]

_FILE = "plan"


def read_approvals(text: str | bytes, plan: SyncPlan) -> frozenset[Key]:
    """Read which rows of an exported plan a person approved.

    Args:
        text: What ``SyncPlan.to_csv`` gave, with yes or no in the approve column of held rows. The rows may
            have been sorted anew; everything else must be as it was.
        plan: The plan that was exported.

    Returns:
        (listing, location) of each row with yes, for ``approve(..., rows=...)``.

    Raises:
        DecodeError: It is no such CSV, or something else in it was changed; ``problems`` names each place.
    """
    problems: list[str] = []
    data = text.encode() if isinstance(text, str) else text
    columns = [Column(name=name, read=_yes_or_no if name == "approve" else any_text) for name in CSV_COLUMNS]
    rows = list(read_table(data, columns, file=_FILE, problems=problems))
    lines = [*plan.changes, *plan.held]
    exported = {cells[:-1]: line for cells, line in zip(csv_rows(plan), lines, strict=True)}
    approved: set[Key] = set()
    found: Counter[tuple[str, ...]] = Counter()
    for number, row in rows:
        cells = tuple(row[name] for name in CSV_COLUMNS[:-1])
        line = exported.get(cells)
        found[cells] += 1
        if line is None or found[cells] > 1:
            problems.append(f"{_FILE}:{number}: is not as it was exported, or there twice: {','.join(cells)}")
        elif row["approve"] == "yes" and (line.action != "hold" or line.reason not in APPROVABLE):
            problems.append(f"{_FILE}:{number}:approve: this row waits for no approval")
        elif row["approve"] == "yes":
            approved.add(line.key)
    missing = [cells[1] for cells in exported if not found[cells]]
    problems.extend(f"{_FILE}: the row of {sku!r} is missing" for sku in missing)
    if problems:
        raise DecodeError(
            f"This is not the export of the plan {plan.digest} with only its approve column written in",
            code="export_edited",
            problems=first_few(problems),
            remedy="Export the plan anew, and write yes or no in its column approve only.",
        )
    return frozenset(approved)


def _yes_or_no(cell: str) -> str:
    if cell not in {"yes", "no", ""}:
        raise CellError(f"must be yes or no, not {cell!r}")
    return cell
