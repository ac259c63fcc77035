"""What a check found, as a value: one line each, with what to do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import attrs
from attrs import field, frozen

from omsync import checks
from omsync.checks import printable
from omsync.planning.table import aligned

__all__ = ["STATUSES", "Check", "Diagnosis"]

STATUSES = ("wrong", "warning", "unknown", "ok")
"""How a check can come out, the worst first; ``"unknown"``: what it needs could not be had."""


@frozen(kw_only=True)
class Check:
    """One question of the check list, and its answer.

    Args:
        key: A stable word for programs, such as ``"alias"``.
        question: What was asked.
        status: One of ``STATUSES``.
        answer: What was found, with figures.
        remedy: What to do, where it is not well.
        entries: The products, listings or locations concerned.
        code: The error's code, where an error was the answer.
    """

    key: str = field(validator=checks.text)
    question: str = field(validator=checks.text)
    status: str = field(validator=checks.one_of(*STATUSES))
    answer: str = field(validator=checks.any_text)
    remedy: str = field(default="", validator=checks.any_text)
    entries: tuple[str, ...] = field(default=(), converter=checks.as_tuple)
    code: str = field(default="", validator=checks.any_text)


@frozen(kw_only=True, repr=False)
class Diagnosis:
    """The check list, answered; iterate it, print it, or take it as JSON.

    Args:
        merchant: The merchant's name.
        cart: The cart's name.
        destination: Which cart that is, in the sink's own words.
        at: When it was asked.
        checks: The answers, in the order of the list.
    """

    merchant: str
    cart: str
    destination: str
    at: datetime
    checks: tuple[Check, ...] = field(converter=checks.as_tuple)

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __len__(self) -> int:
        return len(self.checks)

    def __repr__(self) -> str:
        return f"<Diagnosis of {self.merchant} / {self.cart}: {self.summary}>"

    def __getitem__(self, key: str) -> Check:
        """Give the answer to a question by its key; KeyError names the keys that there are."""
        for check in self.checks:
            if check.key == key:
                return check
        raise KeyError(f"{key!r} is none of {', '.join(check.key for check in self.checks)}")

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong; there may be warnings."""
        return not self.of("wrong")

    @property
    def summary(self) -> str:
        """The answers by how they came out, counted."""
        counts = Counter(check.status for check in self.checks)
        return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])

    def of(self, status: str) -> tuple[Check, ...]:
        """Give the answers that came out so."""
        return tuple(check for check in self.checks if check.status == status)

    def to_data(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "merchant": self.merchant,
            "cart": self.cart,
            "destination": self.destination,
            "at": self.at.isoformat(),
            "checks": [attrs.asdict(check) for check in self.checks],
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Give ``to_data()`` as JSON."""
        return json.dumps(self.to_data(), indent=indent)

    def __str__(self) -> str:
        at = f"{self.at:%Y-%m-%d %H:%M:%S}Z"
        head = f"{self.merchant} / {self.cart} ({self.destination}), {at}: {self.summary}"
        table = [(check.status, check.question, check.answer) for check in self.checks]
        lines = [head]
        for line, check in zip(aligned(table), self.checks, strict=True):
            lines.append(line)
            if check.remedy and check.status != "ok":
                lines.append(f"      what to do: {check.remedy}")
        return "\n".join(map(printable, lines))
