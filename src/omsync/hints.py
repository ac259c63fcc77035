"""Words that messages share: the nearest known name, one finding at its place, a list of readable length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from omsync.errors import OmsyncError

__all__ = ["first_few", "located", "suggestion"]

_CLASS_AND_FIELD = re.compile(r"[A-Z]\w*\.(?P<field>\w+) ")

READABLE = 100
"""Findings that one error lists; a broken column of a million rows would fill the screen otherwise."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """Name the known word that was probably meant, or else all known words."""
    choices = sorted(known)
    near = get_close_matches(word.lower(), [choice.lower() for choice in choices], n=1)
    if near:
        return "did you mean " + next(repr(choice) for choice in choices if choice.lower() == near[0]) + "?"
    return "known: " + (", ".join(choices) or "none")


def located(place: str, error: OmsyncError, *, joint: str = ".") -> str:
    """Say what is wrong at a place of a document.

    A validator's message opens with the class and the field, which give way to the place.

    Args:
        place: The path or ``file:row`` of the finding.
        error: What a value's own validators found.
        joint: What stands between the place and the field.
    """
    message = error.message
    if opening := _CLASS_AND_FIELD.match(message):
        field = f"{joint}{opening['field']}"
        place = place if place.endswith(field) else place + field
        message = message[opening.end() :]
    return f"{place}: {message}" + (f". {error.remedy}" if error.remedy else "")


def first_few(problems: Sequence[str]) -> tuple[str, ...]:
    """Keep as many findings as a person reads, and count the others."""
    if len(problems) <= READABLE:
        return tuple(problems)
    return (*problems[:READABLE], f"and {len(problems) - READABLE:,} more")
