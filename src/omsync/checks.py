"""Validators and converters that the values share: exact types, and messages that name the field.

Nothing here coerces. ``True`` is not 1, ``"5"`` is not 5, and ``5.0`` is not 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from math import inf
from types import MappingProxyType
from typing import Any, TypeVar

from attrs import Attribute

from omsync.errors import InvalidValueError, WrongTypeError

T = TypeVar("T")
Validator = Callable[[Any, "Attribute[Any]", Any], None]

LARGEST = 2**63 - 1
"""The largest figure, in units, that a snapshot's columns hold."""


def shown(value: object) -> str:
    """Describe a value for a message: the value and its type, never longer than a line."""
    text = repr(value)
    if len(text) > 80:  # noqa: PLR2004  a line of a terminal
        text = text[:77] + "..."
    return f"{text} ({type(value).__name__})"


def counted(number: int, thing: str, things: str = "") -> str:
    """Give a number of things in words: "1 listing", "1,204 listings"."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def printable(text: str) -> str:
    """Give text that steers no terminal and stays on its line: letters that do not print are replaced."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def to_the_minute(moment: datetime) -> str:
    """Write a moment (UTC) as tables and hints have it: 2026-03-02 08:00Z."""
    return f"{moment:%Y-%m-%d %H:%M}Z"


def to_the_second(moment: datetime) -> str:
    """Write a moment (UTC) where seconds may matter: 2026-03-02 08:00:41Z."""
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def lasting(span: timedelta) -> str:
    """Word a span in whole hours, or in days from two on."""
    days, hours = span // timedelta(days=1), span // timedelta(hours=1)
    if hours < 1:
        return "less than an hour"
    return counted(days, "day") if days > 1 else counted(hours, "hour")


def _place(instance: object, attribute: Attribute[Any]) -> str:
    return f"{type(instance).__name__}.{attribute.name}"


def text(instance: object, attribute: Attribute[Any], value: object) -> None:
    """Accept text that is not empty."""
    if type(value) is not str:
        raise WrongTypeError(f"{_place(instance, attribute)} must be text, not {shown(value)}")
    if not value:
        raise InvalidValueError(f"{_place(instance, attribute)} must not be empty")


def any_text(instance: object, attribute: Attribute[Any], value: object) -> None:
    """Accept any text, also empty."""
    if type(value) is not str:
        raise WrongTypeError(f"{_place(instance, attribute)} must be text, not {shown(value)}")


def flag(instance: object, attribute: Attribute[Any], value: object) -> None:
    """Accept exactly True or False."""
    if type(value) is not bool:
        raise WrongTypeError(f"{_place(instance, attribute)} must be True or False, not {shown(value)}")


def whole(*, minimum: int | None = None, maximum: int | None = LARGEST) -> Validator:
    """Accept whole numbers within the bounds, both included."""
    least = -LARGEST if minimum is None else max(minimum, -LARGEST)
    most = inf if maximum is None else maximum

    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if type(value) is int and least <= value <= most:
            return
        if type(value) is not int:
            raise WrongTypeError(f"{_place(instance, attribute)} must be a whole number, not {shown(value)}")
        bound = f"at least {least}" if value < least else f"at most {most}"
        raise InvalidValueError(f"{_place(instance, attribute)} must be {bound}, not {value}")

    return check


def measure(instance: object, attribute: Attribute[Any], value: object) -> None:
    """Accept None or a finite number that is not negative: a weight or a length."""
    if value is None:
        return
    if type(value) not in {int, float}:
        raise WrongTypeError(f"{_place(instance, attribute)} must be a number or None, not {shown(value)}")
    if not 0 <= value < float("inf"):  # type: ignore[operator]  # the type was checked a line above
        raise InvalidValueError(f"{_place(instance, attribute)} must be a finite number from 0, not {value}")


def optional(check: Validator) -> Validator:
    """Accept None, or whatever ``check`` accepts."""

    def check_unless_none(instance: object, attribute: Attribute[Any], value: object) -> None:
        if value is not None:
            check(instance, attribute, value)

    return check_unless_none


def one_of(*choices: str) -> Validator:
    """Accept one of the given words."""

    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if value not in choices:
            listed = ", ".join(repr(choice) for choice in choices)
            raise InvalidValueError(
                f"{_place(instance, attribute)} must be one of {listed}, not {shown(value)}"
            )

    return check


def instance_of(*kinds: type) -> Validator:
    """Accept instances of the given classes."""

    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, kinds):
            names = " or ".join(kind.__name__ for kind in kinds)
            raise WrongTypeError(f"{_place(instance, attribute)} must be {names}, not {shown(value)}")

    return check


def each(check: Validator) -> Validator:
    """Apply ``check`` to every member of a collection."""

    def check_each(instance: object, attribute: Attribute[Any], value: Iterable[object]) -> None:
        for member in value:
            check(instance, attribute, member)

    return check_each


def mapping(key: Validator, member: Validator) -> Validator:
    """Apply checks to the keys and the members of a mapping."""

    def check(instance: object, attribute: Attribute[Any], value: Mapping[object, object]) -> None:
        for one, other in value.items():
            key(instance, attribute, one)
            member(instance, attribute, other)

    return check


def as_tuple(value: Iterable[Any]) -> tuple[Any, ...]:
    """Copy a collection into a tuple; a bare string is an error, since it would fall apart into letters."""
    _refuse_bare_text(value)
    return tuple(value)


def as_names(value: Iterable[str]) -> frozenset[str]:
    """Copy a collection of names into a frozenset; a bare string is an error."""
    _refuse_bare_text(value)
    return frozenset(value)


def as_pairs(value: Iterable[Any]) -> frozenset[Any]:
    """Copy a collection of pairs into a frozenset."""
    _refuse_bare_text(value)
    return frozenset(value)


def as_optional_names(value: Iterable[str] | None) -> frozenset[str] | None:
    """Keep None, else as ``as_names``."""
    return None if value is None else as_names(value)


class FrozenMapping(Mapping[str, T]):
    """A read-only copy of a mapping that can be hashed and pickled."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, T] | Iterable[tuple[str, T]] = ()) -> None:
        self._items = MappingProxyType(dict(items))

    def __getitem__(self, key: str) -> T:
        return self._items[key]

    def __iter__(self) -> Any:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(dict(self._items))

    def __reduce__(self) -> tuple[object, ...]:
        return (FrozenMapping, (dict(self._items),))


def as_mapping(value: Mapping[str, Any]) -> FrozenMapping[Any]:
    """Copy a mapping into one that cannot change."""
    if not isinstance(value, Mapping):
        raise WrongTypeError(f"A mapping is wanted, not {shown(value)}")
    return FrozenMapping(value)


def _refuse_bare_text(value: object) -> None:
    if isinstance(value, str | bytes):
        raise WrongTypeError(
            f"A collection of names is wanted, not the bare text {shown(value)}",
            remedy=f"Write ({value!r},) for a collection of one.",
        )
    if not isinstance(value, Iterable):
        raise WrongTypeError(f"A collection is wanted, not {shown(value)}")


def moment(instance: object, attribute: Attribute[Any], value: object) -> None:
    """Accept a date and time that knows its zone."""
    if not isinstance(value, datetime):
        raise WrongTypeError(f"{_place(instance, attribute)} must be a datetime, not {shown(value)}")
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidValueError(
            f"{_place(instance, attribute)} must know its time zone",
            remedy="Use datetime.now(UTC), or attach a zone.",
        )


def to_utc(value: Any) -> Any:
    """Turn an aware datetime to UTC; leave everything else for the validator to refuse."""
    if value is None or getattr(value, "tzinfo", None) is UTC:
        return value
    if isinstance(value, datetime) and value.tzinfo is not None and value.utcoffset() is not None:
        return value.astimezone(UTC)
    return value
