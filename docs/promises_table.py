"""Writes the table of faults into ``docs/promises.md``: each fault happens at each stage.

python docs/promises_table.py
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PAGE = Path(__file__).parent / "promises.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from fault_matrix import FAULTS, STAGES, cell  # noqa: E402  it lies with the tests


def table() -> str:
    """Give the Markdown table; this runs every cell."""
    lines = ["| Fault | " + " | ".join(STAGES) + " |", "|---|" + "---|" * len(STAGES)]
    for fault in FAULTS:
        cells = [cell(fault, stage) for stage in STAGES]
        lines.append(f"| {fault.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page_with_table(text: str) -> str:
    """Give the page's text with the table of today."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table()}\n{END}", text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text()))
