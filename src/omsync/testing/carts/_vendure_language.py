"""As much of the GraphQL language as a shop's Admin API is asked in, read into values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from attrs import field, frozen

__all__ = ["Operation", "Selection", "UnreadableError", "Variable", "parse"]

T = TypeVar("T")

_WORD = re.compile(
    r"""(?P<skip>[\s,]+|\#[^\n]*)
    |(?P<sign>\.\.\.|[{}()\[\]:!$=])
    |(?P<string>"(?:[^"\\\n]|\\.)*")
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE,
)
_CONSTANTS = {"true": True, "false": False, "null": None}
_END = "<EOF>"


class UnreadableError(ValueError):
    """A document that is not GraphQL, or more of it than is read here (fragments by name, directives)."""


@frozen(kw_only=True)
class Variable:
    """Stands in an argument for a value that comes with the request."""

    name: str


@frozen(kw_only=True)
class Selection:
    """A field that is asked for.

    Args:
        name: The field.
        alias: Its name in the answer.
        on: The only type of which it is asked; empty for any.
        arguments: Values by name, variables among them.
        fields: What is asked of it.
    """

    name: str
    alias: str
    on: str = ""
    arguments: Mapping[str, Any] = field(factory=dict)
    fields: tuple[Selection, ...] = ()


@frozen(kw_only=True)
class Operation:
    """A query or a mutation: the types of its variables by name, and what it asks for."""

    kind: str
    variables: Mapping[str, str]
    fields: tuple[Selection, ...]


def parse(text: str) -> Operation:
    """Read a document of one operation.

    Raises:
        UnreadableError: It cannot be read; says where.
    """
    return _Reading(text).operation()


class _Reading:
    def __init__(self, text: str) -> None:
        self._words = list(_words(text))
        self._at = 0

    def operation(self) -> Operation:
        kind, variables = "query", dict[str, str]()
        if self._peek() != "{":
            kind = self._name()
            if kind not in {"query", "mutation"}:
                raise UnreadableError(f'Unexpected Name "{kind}"')
            if self._peek() not in {"(", "{"}:
                self._name()
            if self._peek() == "(":
                variables = dict(self._in("(", self._declared, ")"))
        fields = self._fields("")
        if self._peek() != _END:
            raise UnreadableError(f"Expected one operation, found {self._peek()}")
        return Operation(kind=kind, variables=variables, fields=fields)

    def _in(self, opening: str, read: Callable[[], T], closing: str) -> list[T]:
        self._take(opening)
        found: list[T] = []
        while self._peek() != closing:
            found.append(read())
        self._take(closing)
        return found

    def _declared(self) -> tuple[str, str]:
        self._take("$")
        name = self._name()
        self._take(":")
        return name, self._type()

    def _type(self) -> str:
        if self._peek() == "[":
            self._take("[")
            written = f"[{self._type()}]"
            self._take("]")
        else:
            written = self._name()
        if self._peek() == "!":
            self._take("!")
            written += "!"
        return written

    def _fields(self, on: str) -> tuple[Selection, ...]:
        parts = self._in("{", lambda: self._part(on), "}")
        return tuple(selection for part in parts for selection in part)

    def _part(self, on: str) -> tuple[Selection, ...]:
        if self._peek() != "...":
            return (self._field(on),)
        self._take("...")
        self._take("on")
        return self._fields(self._name())

    def _field(self, on: str) -> Selection:
        name = alias = self._name()
        if self._peek() == ":":
            self._take(":")
            name = self._name()
        arguments = dict(self._in("(", self._pair, ")")) if self._peek() == "(" else {}
        fields = self._fields("") if self._peek() == "{" else ()
        return Selection(name=name, alias=alias, on=on, arguments=arguments, fields=fields)

    def _pair(self) -> tuple[str, Any]:
        name = self._name()
        self._take(":")
        return name, self._value()

    def _value(self) -> Any:
        word = self._peek()
        if word == "[":
            return self._in("[", self._value, "]")
        if word == "{":
            return dict(self._in("{", self._pair, "}"))
        self._at += 1
        if word == "$":
            return Variable(name=self._name())
        if word.startswith('"'):
            return re.sub(r"\\(.)", r"\1", word[1:-1])
        if re.fullmatch(r"-?\d+(\.\d+)?", word):
            return float(word) if "." in word else int(word)
        if not word.isidentifier():
            raise UnreadableError(f"Unexpected {word}")
        return _CONSTANTS.get(word, word)

    def _peek(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else _END

    def _take(self, wanted: str) -> None:
        word = self._peek()
        if word != wanted:
            raise UnreadableError(f'Expected "{wanted}", found {word}')
        self._at += 1

    def _name(self) -> str:
        word = self._peek()
        if not word.isidentifier():
            raise UnreadableError(f"Expected Name, found {word}")
        self._at += 1
        return word


def _words(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            raise UnreadableError(f'Unexpected character: "{text[at]}"')
        at = found.end()
        if found.lastgroup != "skip":
            yield found.group()
