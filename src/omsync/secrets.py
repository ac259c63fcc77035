"""A text that must not be seen: it hides itself wherever values are shown, copied out or written down."""

from __future__ import annotations

from typing import Any, NoReturn, final

from attrs import Attribute

from omsync.errors import InvalidValueError, SettingsError, WrongTypeError

__all__ = ["Secret", "as_optional_secret", "as_secret", "filled_secret"]

_SHOWN = "***"


@final
class Secret:
    """A password, a key or a token.

    ``repr``, ``str`` and f-strings give ``***``; JSON does not take it, and pickling it is refused. Two
    secrets are equal when their texts are.

    Args:
        value: The text.

    Raises:
        WrongTypeError: It is no text; the message does not show it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if type(value) is not str:
            raise WrongTypeError(f"A secret must be text, not {type(value).__name__}")
        self._value = value

    def reveal(self) -> str:
        """Give the text, to put it into a request; nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({_SHOWN})"

    def __str__(self) -> str:
        return _SHOWN

    def __format__(self, spec: str) -> str:
        return format(_SHOWN, spec)

    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise SettingsError(
            "A secret cannot be pickled, and neither can a source or sink that holds one",
            code="secret_pickled",
            remedy="Make the source or sink where it is used, from that machine's environment.",
        )


def filled_secret(instance: object, attribute: Attribute[Any], value: object) -> None:
    """Accept a secret that is not empty; never shows it."""
    place = f"{type(instance).__name__}.{attribute.name}"
    if not isinstance(value, Secret):
        raise WrongTypeError(f"{place} must be text, not {type(value).__name__}")
    if not value.reveal():
        raise InvalidValueError(f"{place} must not be empty")


def as_secret(value: str | Secret) -> Secret:
    """Wrap a text; leave a secret, and whatever else for a validator to refuse."""
    return Secret(value) if type(value) is str else value  # type: ignore[return-value]  # what is neither is refused by the validator


def as_optional_secret(value: str | Secret | None) -> Secret | None:
    """Keep None, else as ``as_secret``."""
    return None if value is None else as_secret(value)
