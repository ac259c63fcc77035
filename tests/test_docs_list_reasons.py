"""The page of errors lists every notice that a plan or a report may carry, and every reason of a guard."""

from __future__ import annotations

import ast
from pathlib import Path

import omsync
from omsync.planning.gone import INACTIVE
from omsync.planning.guards import HINTS
from omsync.settings import GUARDS

FOLDER = Path(omsync.__file__).parent
PAGE = (Path(__file__).parents[1] / "docs" / "errors.md").read_text()
ELSEWHERE = {"comparison", "testing"}
"""A comparison is no plan, and has a page of its own."""


def reasons_of_notices(path: Path) -> set[str]:
    """Give the reasons that are written out where a file makes notices."""
    calls = [node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call)]
    given = [
        keyword.value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "Notice"
        for keyword in call.keywords
        if keyword.arg == "reason"
    ]
    return {str(value.value) for value in given if isinstance(value, ast.Constant)}


def test_every_notice_is_explained() -> None:
    paths = [path for path in FOLDER.rglob("*.py") if not ELSEWHERE.intersection(path.parts)]
    reasons = set[str]().union(*map(reasons_of_notices, paths))

    assert {"blind_cart", "resumed", "released"} < reasons
    assert sorted(reason for reason in reasons if f"`{reason}`" not in PAGE) == []


def test_every_guard_is_explained() -> None:
    assert sorted(reason for reason in {*GUARDS, *HINTS} if f"`{reason}`" not in PAGE) == []
    assert {"inactive_product", "inactive_listing"} == INACTIVE
