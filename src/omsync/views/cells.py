"""How single cells, signs and texts from outside look in every drawn rendering."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from omsync.checks import to_the_minute
from omsync.views.page import Cell

__all__ = ["NOT_KNOWN", "SIGNS", "as_utc", "is_known", "visible", "worded"]

NOT_KNOWN = "not known"

SIGNS = {
    "bad": ("!!", "bad"),
    "warning": ("!", "warning"),
    "decides": ("◆", "decides"),
    "good": ("✓", "good"),
    "quiet": ("-", "quiet"),
}
"""For each tone its sign and its word, the worst first; a tone is never said by colour alone."""

_JOINERS = "\u200c\u200d\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
"""What is not printable by the letter, but belongs to names: it joins letters, or keeps words together."""


def visible(text: str) -> str:
    """Give text in which nothing hides or steers: what turns the direction of writing is ``⟨U+202E⟩``."""
    return text if text.isprintable() else "".join(map(_seen, text))


def worded(cell: Cell) -> str:
    """Write a cell for a person; what is not known is a question mark, moments are UTC."""
    if not is_known(cell):
        return "?"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return to_the_minute(as_utc(cell))
    return visible(cell) if isinstance(cell, str) else f"{cell:,}"


def is_known(cell: Cell) -> bool:
    """Say whether there is a figure; a number that is none counts as not known."""
    return cell is not None and not (isinstance(cell, float) and not math.isfinite(cell))


def as_utc(moment: datetime) -> datetime:
    """Give a moment as UTC; one without a zone is taken for UTC."""
    return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)


def _seen(letter: str) -> str:
    if letter.isprintable() or letter in _JOINERS:
        return letter
    return f"⟨U+{ord(letter):04X}⟩"
