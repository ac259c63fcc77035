"""What a person wrote, as values: exact types, no unknown keys, and every finding with its path.

The converter is cattrs, told to coerce nothing. A value's own converters and validators run field by field,
so that one table can have several findings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin

from attrs import Attribute, fields, frozen, has, resolve_types
from cattrs import Converter
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from omsync.checks import shown
from omsync.errors import OmsyncError
from omsync.hints import located, suggestion

__all__ = ["Finding", "FindingError", "below", "findings", "gathered", "strict_converter"]

Hook = Callable[[Any, Any], Any]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class FindingError(Exception):
    """What is wrong at one place.

    Args:
        message: What is wrong, without the place.
        step: A key below the place where this is raised, when the finding is about that.
        code: A stable word for programs.
    """

    def __init__(self, message: str, *, step: str = "", code: str = "") -> None:
        super().__init__(message)
        self.step = step
        self.code = code


@frozen(kw_only=True)
class Finding:
    """One thing that is wrong, as ``path: what``, with a stable word for programs."""

    text: str
    code: str = ""


def strict_converter() -> Converter:
    """Make a converter for text, flags, whole numbers, lists, tables and attrs values of these."""
    converter = Converter()
    for kind, words in ((str, "text"), (bool, "true or false"), (int, "a whole number")):
        converter.register_structure_hook(kind, _exactly(kind, words))
    converter.register_structure_hook_factory(has, lambda kind: _table_of(kind, converter))
    converter.register_structure_hook_factory(_is_list, lambda kind: _list_of(kind, converter))
    converter.register_structure_hook_factory(_is_mapping, lambda kind: _mapping_of(kind, converter))
    converter.register_structure_hook_factory(_is_union, lambda kind: _either_of(kind, converter))
    return converter


def findings(error: Exception, path: str = "") -> Iterator[Finding]:
    """Give the single findings inside an error that the converter raised.

    Args:
        error: What the converter raised; anything else is raised again.
        path: Where that is.
    """
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            path = below(path, note.name)
        elif isinstance(note, IterableValidationNote):
            path = below(path, note.index)
    match error:
        case BaseValidationError():
            for inner in error.exceptions:
                yield from findings(inner, path)
        case ForbiddenExtraKeysError():
            yield from _unknown_keys(error, path)
        case FindingError():
            yield Finding(text=f"{below(path, error.step)}: {error}", code=error.code)
        case OmsyncError():
            yield Finding(text=located(path, error), code=error.code)
        case KeyError():
            yield Finding(text=f"{path}: is missing")
        case _:
            raise error


def _unknown_keys(error: ForbiddenExtraKeysError, path: str) -> Iterator[Finding]:
    known = [attribute.name for attribute in fields(error.cl)]
    for key in sorted(error.extra_fields):
        yield Finding(text=f"{below(path, key)}: unknown key; {suggestion(key, known)}")


def gathered(
    members: Iterable[tuple[int | str, Any]], make: Callable[[int | str, Any], Any], kind: Any
) -> list[Any]:
    """Make every member of a list or a table, and raise what is wrong with any of them at once.

    Args:
        members: Each member as written, after its index or key.
        make: Makes a member, given its index or key and what is written.
        kind: The type of the collection, for cattrs.
    """
    made: list[Any] = []
    errors: list[Exception] = []
    for step, written in members:
        try:
            made.append(make(step, written))
        except Exception as error:  # noqa: BLE001  every finding is kept, and raised below
            error.add_note(IterableValidationNote("", step, kind))
            errors.append(error)
    if errors:
        raise IterableValidationError("findings in a collection", errors, kind)
    return made


def below(path: str, step: str | int) -> str:
    """Extend a path by an index or a key; an empty key leaves it."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    if not step:
        return path
    name = step if _BARE_KEY.fullmatch(step) else repr(step)
    return f"{path}.{name}" if path else name


def _exactly(kind: type, words: str) -> Hook:
    def hook(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise FindingError(f"must be {words}, not {shown(value)}")
        return value

    return hook


def _table_of(kind: type[Any], converter: Converter) -> Hook:
    resolve_types(kind)
    hooks: dict[str, Any] = {
        attribute.name: override(struct_hook=_field_of(kind, attribute, converter))
        for attribute in fields(kind)
    }
    structure: Hook = make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True, **hooks
    )

    def hook(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise FindingError(f"must be a table, not {shown(value)}")
        return structure(value, kind)

    return hook


def _field_of(kind: type[Any], attribute: Attribute[Any], converter: Converter) -> Hook:
    wanted: Any = attribute.type
    convert: Callable[[Any], Any] | None = cast("Any", attribute.converter)
    # Validators ask their instance for its class only, so one without fields will do.
    blank = object.__new__(kind)

    def hook(value: Any, _: Any) -> Any:
        made = converter.structure(value, wanted)
        made = convert(made) if convert else made
        if attribute.validator:
            attribute.validator(blank, attribute, made)
        return made

    return hook


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in {tuple, frozenset}


def _list_of(kind: Any, converter: Converter) -> Hook:
    member = get_args(kind)[0]

    def hook(value: Any, _: Any) -> Any:
        # One table stands for a list of one: [merchant] for [[merchant]].
        if type(value) is dict and has(member):
            return (converter.structure(value, member),)
        if type(value) is not list:
            raise FindingError(f"must be a list, not {shown(value)}")
        return tuple(gathered(enumerate(value), lambda _, one: converter.structure(one, member), kind))

    return hook


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) is Mapping


def _mapping_of(kind: Any, converter: Converter) -> Hook:
    member = get_args(kind)[1]

    def hook(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise FindingError(f"must be a table, not {shown(value)}")
        made = gathered(value.items(), lambda _, one: converter.structure(one, member), kind)
        return dict(zip(value, made, strict=True))

    return hook


def _is_union(kind: Any) -> bool:
    return isinstance(kind, UnionType)


def _either_of(kind: Any, converter: Converter) -> Hook:
    # TOML has no null: what may be None is left out.
    choices = [choice for choice in get_args(kind) if choice is not NoneType]

    def hook(value: Any, _: Any) -> Any:
        if len(choices) == 1:
            return converter.structure(value, choices[0])
        for choice in choices:
            if type(value) is (list if _is_list(choice) else choice):
                return converter.structure(value, choice)
        raise FindingError(f"must be text or a list of text, not {shown(value)}")

    return hook
