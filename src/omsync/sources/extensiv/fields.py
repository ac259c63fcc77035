"""Strict reading of a JSON answer: nothing is coerced, and everything wrong is named at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omsync.checks import LARGEST, shown
from omsync.errors import DecodeError
from omsync.hints import first_few

__all__ = ["Fields", "Problems", "objects", "strictly"]


class Problems:
    """Collects the bad fields of one answer, and raises them together."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.found: list[str] = []
        self.code = "bad_field"
        self.remedy = (
            "Nothing was changed on the strength of this answer. Correct the rows in the order manager if "
            "they are wrong there; else tell its vendor."
        )

    def add(self, path: str, what: str) -> None:
        """Note one bad field."""
        self.found.append(f"{path}: {what}")

    def settle(self) -> None:
        """Raise when anything was found.

        Raises:
            DecodeError: ``bad_field`` or ``available_not_reported``, with every finding.
        """
        if not self.found:
            return
        count = "one field is" if len(self.found) == 1 else f"{len(self.found)} fields are"
        raise DecodeError(
            f"{self.place}: {count} not what the order manager documents",
            code=self.code,
            remedy=self.remedy,
            problems=first_few(self.found),
        )


class Fields:
    """One JSON object, read field by field; what is wrong is collected, and a stand-in is given meanwhile."""

    def __init__(self, value: Mapping[str, Any], path: str, problems: Problems) -> None:
        self._value = value
        self._problems = problems
        self.path = path

    def raw(self, name: str) -> Any:
        """Give the field as it is; None when it is missing."""
        return self._value.get(name)

    def bad(self, name: str, what: str) -> None:
        """Note a bad field."""
        self._problems.add(f"{self.path}.{name}", what)

    def not_reported(self) -> None:
        """Note that nothing tells how many units may be sold."""
        self.bad("availableQuantity", "is missing, and so is allocatedQuantity")
        self._problems.code = "available_not_reported"
        self._problems.remedy = (
            "This account does not report what may be sold. Write missing_available='on_hand_minus_locked' "
            "to sell what is on hand and not locked; units promised to open orders are then sold again."
        )

    def whole(self, name: str, *, minimum: int = -LARGEST) -> int | None:
        """Give a whole number, or None."""
        value = self.raw(name)
        if value is None:
            return None
        if type(value) is not int:
            self.bad(name, f"must be a whole number, not {shown(value)}")
            return None
        if not minimum <= value <= LARGEST:
            words = f"must be at least {minimum}" if value < minimum else f"must be at most {LARGEST}"
            self.bad(name, f"{words}, not {value}")
            return None
        return value

    def wanted_whole(self, name: str) -> int:
        """Give a whole number that must be there."""
        value = self.whole(name)
        if value is None and self.raw(name) is None:
            self.bad(name, "is missing")
        return value or 0

    def id(self, name: str) -> str | None:
        """Give an id, a whole number on the wire, as text; or None."""
        value = self.whole(name)
        return None if value is None else str(value)

    def wanted_id(self, name: str) -> str:
        """Give an id that must be there."""
        return str(self.wanted_whole(name))

    def text(self, name: str) -> str | None:
        """Give a text, or None."""
        value = self.raw(name)
        if value is not None and type(value) is not str:
            self.bad(name, f"must be text, not {shown(value)}")
            return None
        # Half a character, as a cut-off emoji leaves it, can be kept nowhere.
        return value if value is None else value.encode(errors="replace").decode()

    def wanted_text(self, name: str) -> str:
        """Give a text that must be there and not be empty."""
        value = self.text(name)
        if not value and self.raw(name) in (None, ""):
            self.bad(name, "is missing" if value is None else "is empty")
        return value or "?"

    def maybe_flag(self, name: str) -> bool | None:
        """Give true or false, or None."""
        value = self.raw(name)
        if value is not None and type(value) is not bool:
            self.bad(name, f"must be true or false, not {shown(value)}")
            return None
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Give true or false; the default when it is not there."""
        value = self.maybe_flag(name)
        return default if value is None else value

    def measure(self, name: str) -> float | None:
        """Give a weight or a length; None when it is not there, or is negative and so measures nothing."""
        value = self.raw(name)
        if value is None:
            return None
        if type(value) not in {int, float}:
            self.bad(name, f"must be a number, not {shown(value)}")
            return None
        return float(value) if 0 <= value < float("inf") else None

    def inner(self, name: str) -> Fields:
        """Give an object that must be there."""
        value = self.raw(name)
        if not isinstance(value, Mapping):
            self.bad(name, "is missing" if value is None else f"must be an object, not {shown(value)}")
            return Fields({}, f"{self.path}.{name}", Problems(""))
        return Fields(value, f"{self.path}.{name}", self._problems)

    def rows(self, name: str) -> Iterator[Fields]:
        """Give the objects of an array; none when it is not there."""
        value = self.raw(name)
        if value is None:
            return
        if not isinstance(value, list):
            self.bad(name, f"must be an array, not {shown(value)}")
            return
        yield from _each(value, f"{self.path}.{name}", self._problems)


def _each(value: list[Any], path: str, problems: Problems) -> Iterator[Fields]:
    for index, row in enumerate(value):
        if isinstance(row, Mapping):
            yield Fields(row, f"{path}[{index}]", problems)
        else:
            problems.add(f"{path}[{index}]", f"must be an object, not {shown(row)}")


def objects(value: Any, problems: Problems) -> Iterator[Fields]:
    """Give the objects of an answer that is an array.

    Raises:
        DecodeError: ``wrong_shape``: it is no array.
    """
    if not isinstance(value, list):
        raise DecodeError(
            f"{problems.place}: an array is documented here, and the answer is {shown(value)}",
            code="wrong_shape",
            remedy="Check base_url; if it is right, the order manager's answers have changed: tell us.",
        )
    return _each(value, "$", problems)


def strictly(value: Any, place: str) -> tuple[Iterator[Fields], Problems]:
    """Give the objects of an answer that is an array, and where to settle what is wrong with them."""
    problems = Problems(place)
    return objects(value, problems), problems
