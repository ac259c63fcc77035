"""Codes that a person takes for one and a program for two: case, blanks, width, dashes, leading zeros."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

__all__ = ["alike", "how_they_differ", "oddities", "plain_form"]

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212_"), "-")


def _without_blanks(code: str) -> str:
    return "".join(
        sign for sign in code if not sign.isspace() and unicodedata.category(sign) not in {"Cf", "Cc"}
    )


def _without_leading_zeros(code: str) -> str:
    return code.lstrip("0") or code[-1:]


_STEPS: dict[str, Callable[[str], str]] = {
    "width or look-alike signs": lambda code: unicodedata.normalize("NFKC", code),
    "letter case": str.casefold,
    "blanks or invisible signs": _without_blanks,
    "dashes": lambda code: code.translate(_DASHES),
    "leading zeros": _without_leading_zeros,
}
"""What is taken away, in this order, by the words for it."""


def plain_form(code: str, *, but: str = "") -> str:
    """Give what is left of a code without what a person overlooks; ``but`` names a step that is not taken."""
    for words, step in _STEPS.items():
        if words != but:
            code = step(code)
    return code


def how_they_differ(*codes: str) -> str:
    """Say in what codes of the same plain form differ."""
    found = [words for words in _STEPS if len({plain_form(code, but=words) for code in codes}) > 1]
    # Two steps may each make the same sign plain: the Kelvin sign is a k by its case as well as by its look.
    return " and ".join(found) or next(iter(_STEPS))


def alike(codes: Iterable[str]) -> list[tuple[str, ...]]:
    """Give the groups of different codes that have the same plain form, sorted."""
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for code in codes:
        groups[plain_form(code)].add(code)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def oddities(code: str) -> Sequence[str]:
    """Say what is odd about a code by itself: blanks at its ends, signs that nobody sees."""
    found = []
    if code != code.strip():
        found.append("a blank at its beginning or end")
    if any(unicodedata.category(sign) in {"Cf", "Cc"} for sign in code):
        found.append("a sign that nobody sees")
    if code != unicodedata.normalize("NFKC", code):
        found.append("signs of another width or look")
    return found
