"""Query parameters as the order manager's API reads them, and how it refuses what it cannot read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from omsync import checks

__all__ = ["Query", "Refusal"]


class Refusal(Exception):  # noqa: N818  not an error of the program: an answer with another status
    """The API says no: an HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Query:
    """The query of one request; names may repeat, and what is not documented is ignored.

    Args:
        pairs: (name, value) pairs in order.
        usual_limit: Rows in a page when the request does not say.
        cap: Rows in a page at most; a larger limit is quietly lowered to it.
    """

    def __init__(
        self, pairs: Iterable[tuple[str, str]], *, usual_limit: int | None = None, cap: int | None = None
    ) -> None:
        self.pairs = tuple(pairs)
        self._usual_limit = usual_limit
        self._cap = cap
        self._values: dict[str, list[str]] = {}
        for name, value in self.pairs:
            self._values.setdefault(name, []).append(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Give every value of a list parameter; empty ones are left out."""
        return tuple(value for value in self._values.get(name, ()) if value)

    def text(self, name: str) -> str:
        """Give one value, or empty text."""
        return (self.texts(name) or ("",))[0]

    def wholes(self, name: str) -> tuple[int, ...]:
        """Give every value of a list of ids; 0 means no filter and is left out."""
        return tuple(number for value in self.texts(name) if (number := _whole(name, value)))

    def whole(self, name: str, default: int = 0) -> int:
        """Give one whole number."""
        value = self.text(name)
        return _whole(name, value) if value else default

    @property
    def page(self) -> int:
        """Which page, from 1."""
        return self._positive("page", 1)

    @property
    def limit(self) -> int:
        """Rows in a page."""
        limit = self._positive("limit", self._usual_limit or 100)
        return limit if self._cap is None else min(limit, self._cap)

    def _positive(self, name: str, default: int) -> int:
        number = self.whole(name, default)
        if number < 1:
            raise Refusal(422, f"{name} must be at least 1")
        return number

    def flag(self, name: str) -> bool | None:
        """Give true or false, or None when it was not asked."""
        value = self.text(name).lower()
        if value not in {"", "true", "false"}:
            raise Refusal(422, f"{name} must be true or false")
        return None if not value else value == "true"

    def moment(self, name: str) -> datetime | None:
        """Give a date and time, or None when it was not asked."""
        value = self.text(name)
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise Refusal(422, f"{name} must be a date and time such as 2025-01-31T08:00:00Z") from None
        if moment.tzinfo is None:
            raise Refusal(422, f"{name} must end with Z")
        return checks.to_utc(moment)  # type: ignore[no-any-return]  # an aware datetime stays one

    def without(self, *names: str) -> tuple[tuple[str, str], ...]:
        """Give the pairs without some names: what is asked for, apart from which page of it."""
        return tuple(pair for pair in self.pairs if pair[0] not in names)


def _whole(name: str, value: str) -> int:
    if not value.removeprefix("-").isdecimal() or not value.isascii():
        raise Refusal(422, f"{name} must be a whole number")
    return int(value)
