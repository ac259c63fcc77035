"""As much of GraphQL and of Shopify's search syntax as the fake shop needs, as values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

__all__ = ["Document", "NotReadableError", "Selection", "matches", "parse"]

_WORD = re.compile(
    r"""(?P<skip>[\s,]+|\#[^\n]*)
    |(?P<spread>\.\.\.)
    |(?P<punctuation>[{}()\[\]:!$=@])
    |(?P<string>"(?:[^"\\\n]|\\.)*")
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE,
)
_CONSTANTS = {"true": True, "false": False, "null": None}


class NotReadableError(ValueError):
    """A document or a search that cannot be read."""


@frozen(kw_only=True)
class Selection:
    """A field that is asked for, with what is asked of it."""

    name: str
    alias: str
    arguments: Mapping[str, Any]
    directives: Mapping[str, Mapping[str, Any]]
    fields: tuple[Selection, ...]


@frozen(kw_only=True)
class Document:
    """One operation: its kind, its name, and what it asks for, with variables and fragments put in."""

    kind: str
    name: str
    fields: tuple[Selection, ...] = field(repr=False)


def parse(text: str, variables: Mapping[str, Any]) -> Document:
    """Read a document of one operation and its fragments."""
    return _Reading(text, variables).document()


class _Reading:
    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self._words = list(_words(text))
        self._at = 0
        self._variables = variables
        self._fragments: dict[str, int] = {}

    def document(self) -> Document:
        self._find_fragments()
        kind = self._name()
        if kind not in {"query", "mutation"}:
            raise NotReadableError(f"Expected query or mutation, not {kind}")
        name = self._name()
        if self._peek() == "(":
            self._skip("(", ")")
        return Document(kind=kind, name=name, fields=self._fields())

    def _find_fragments(self) -> None:
        for at, word in enumerate(self._words[:-4]):
            if word == "fragment" and self._words[at + 2] == "on":
                self._fragments[self._words[at + 1]] = at + 4

    def _fields(self) -> tuple[Selection, ...]:
        self._take("{")
        found: list[Selection] = []
        while self._peek() != "}":
            if self._peek() == "...":
                found += self._spread()
            else:
                found.append(self._field())
        self._take("}")
        return tuple(found)

    def _spread(self) -> tuple[Selection, ...]:
        self._take("...")
        name = self._name()
        if name == "on":
            self._name()
            return self._fields()
        if name not in self._fragments:
            raise NotReadableError(f"Fragment {name} was used, but not defined")
        back, self._at = self._at, self._fragments[name]
        found = self._fields()
        self._at = back
        return found

    def _field(self) -> Selection:
        name = alias = self._name()
        if self._peek() == ":":
            self._take(":")
            name = self._name()
        arguments = self._arguments() if self._peek() == "(" else {}
        directives: dict[str, Mapping[str, Any]] = {}
        while self._peek() == "@":
            self._take("@")
            directive = self._name()
            directives[directive] = self._arguments() if self._peek() == "(" else {}
        fields = self._fields() if self._peek() == "{" else ()
        return Selection(name=name, alias=alias, arguments=arguments, directives=directives, fields=fields)

    def _arguments(self) -> dict[str, Any]:
        self._take("(")
        given: dict[str, Any] = {}
        while self._peek() != ")":
            name = self._name()
            self._take(":")
            self._value(name, given)
        self._take(")")
        return given

    def _value(self, name: str, given: dict[str, Any]) -> None:
        """Put a value under a name; a variable that was not given leaves the name out, as GraphQL has it."""
        word = self._next()
        if word == "$":
            variable = self._name()
            if variable in self._variables:
                given[name] = self._variables[variable]
        elif word == "[":
            members: dict[str, Any] = {}
            while self._peek() != "]":
                self._value(str(len(members)), members)
            self._take("]")
            given[name] = list(members.values())
        elif word.startswith('"'):
            given[name] = re.sub(r"\\(.)", r"\1", word[1:-1])
        elif re.fullmatch(r"-?\d+", word):
            given[name] = int(word)
        else:
            given[name] = _CONSTANTS.get(word, word)

    def _skip(self, opening: str, closing: str) -> None:
        depth = 0
        while True:
            word = self._next()
            depth += (word == opening) - (word == closing)
            if not depth:
                return

    def _peek(self) -> str:
        if self._at >= len(self._words):
            raise NotReadableError("Unexpected end of document")
        return self._words[self._at]

    def _next(self) -> str:
        word = self._peek()
        self._at += 1
        return word

    def _take(self, wanted: str) -> None:
        word = self._next()
        if word != wanted:
            raise NotReadableError(f"Expected {wanted}, not {word}")

    def _name(self) -> str:
        word = self._next()
        if not re.fullmatch(r"[A-Za-z_]\w*", word):
            raise NotReadableError(f"Expected a name, not {word}")
        return word


def _words(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            raise NotReadableError(f"Unexpected character {text[at]!r}")
        at = found.end()
        if found.lastgroup != "skip":
            yield found.group()


def matches(search: str) -> Callable[[str], bool]:
    """Give a test of SKUs for a search such as ``sku:"A 1" OR sku:B*``.

    The search compares words and not codes: it ignores letter case and what stands between words, and finds
    a value inside a longer SKU. Quotes keep blanks, colons and stars; a backslash keeps the next character.
    """
    wanted = [(value.lower(), _parts(value), prefix) for value, prefix in _values(search)]

    def test(sku: str) -> bool:
        code, words = sku.lower(), _parts(sku)
        return any(
            code.startswith(value) if prefix else value == code or _within(parts, words)
            for value, parts, prefix in wanted
        )

    return test


def _values(search: str) -> Iterator[tuple[str, bool]]:
    """Give the values of a search by SKU, and whether each is only a beginning."""
    term = re.compile(
        r"""\s*sku:(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'"""
        r"""|(?P<bare>(?:[^\s:()\\"']|\\.)+))\s*(?:OR\s+|$)"""
    )
    at = 0
    while at < len(search):
        found = term.match(search, at)
        if found is None:
            raise NotReadableError(f"search at {search[at : at + 20]!r}")
        at = found.end()
        bare = found["bare"] or ""
        value = found["double"] or found["single"] or bare.removesuffix("*")
        yield re.sub(r"\\(.)", r"\1", value), bare.endswith("*")


def _parts(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _within(some: list[str], words: list[str]) -> bool:
    return bool(some) and any(words[at : at + len(some)] == some for at in range(len(words)))
