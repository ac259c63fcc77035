"""A cattrs converter that never coerces: the hooks behind ``omsync.serial``.

Each type accepts exactly one kind of JSON value. The members of a union are told apart by that kind, and
classes by their fields, so the JSON carries no tags.
"""

from __future__ import annotations

import functools
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import IterableValidationError, IterableValidationNote
from cattrs.fns import identity

from omsync.checks import FrozenMapping, shown
from omsync.errors import InvalidValueError, WrongTypeError
from omsync.levels import Levels

__all__ = ["field_names", "name_of", "strict_converter"]

Hook = Callable[[Any, Any], Any]

_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a finite number",
    bool: "true or false",
    NoneType: "null",
    list: "a list",
    dict: "an object with keys",
    datetime: "a date and time as in ISO 8601",
}


@functools.cache
def strict_converter() -> Converter:
    """Give the one converter; it is made when it is first wanted."""
    converter = Converter(forbid_extra_keys=True)
    # First nothing is allowed, so that none of the habits of cattrs is left; what comes later goes before.
    converter.register_structure_hook_factory(_whatever, _nothing_to_read)
    converter.register_unstructure_hook_factory(_whatever, _nothing_to_write)
    for strange in (bytes, Enum, Path):
        converter.register_structure_hook(strange, lambda _, type_: _nothing_to_read(type_))
        converter.register_unstructure_hook(strange, _nothing_to_write(strange))
    for kind in (str, int, bool, NoneType):
        converter.register_structure_hook(kind, _exactly(kind))
        converter.register_unstructure_hook(kind, identity)
    converter.register_structure_hook(float, _number)
    converter.register_unstructure_hook(float, _finite)
    converter.register_structure_hook(datetime, _moment)
    converter.register_unstructure_hook(datetime, _moment_as_text)
    converter.register_structure_hook(Levels, lambda data, _: Levels.from_columns(_object(data, dict)))
    converter.register_unstructure_hook(Levels, Levels.columns)
    for applies, reading in (
        (attrs.has, _class_hook),
        (_is_collection, _collection_hook),
        (_is_mapping, _mapping_hook),
        (_is_literal, _literal_hook),
        (_is_union, _union_hook),
    ):
        converter.register_structure_hook_factory(applies, functools.partial(reading, converter))
    # What is written goes by the value that is there, not by the type that was declared.
    write = converter.unstructure
    converter.register_unstructure_hook_factory(attrs.has, converter.gen_unstructure_attrs_fromdict)
    for applies, writing in (
        (_is_collection, lambda members: _in_order(members, [write(one) for one in members])),
        (_is_mapping, lambda mapping: {_text(key, str): write(one) for key, one in mapping.items()}),
        (_is_literal, write),
        (_is_union, write),
        (_is_open, write),
    ):
        converter.register_unstructure_hook_factory(applies, functools.partial(_always, writing))
    return converter


def _whatever(_: Any) -> bool:
    return True


def _always(hook: Callable[[Any], Any], _: Any) -> Callable[[Any], Any]:
    return hook


def _nothing_to_read(kind: Any) -> Hook:
    raise WrongTypeError(f"Values of the type {name_of(kind)} cannot be read from JSON")


def _nothing_to_write(_: Any) -> Callable[[Any], Any]:
    def refuse(value: Any) -> Any:
        raise WrongTypeError(f"This has no place in JSON: {shown(value)}")

    return refuse


def _in_order(members: Any, data: list[Any]) -> list[Any]:
    if not isinstance(members, frozenset):
        return data
    return sorted(data, key=lambda one: one if type(one) is str else json.dumps(one))


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise WrongTypeError(f"This has no place in JSON: {shown(value)}")
    return value


def _moment_as_text(moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise WrongTypeError(f"A time without its zone has no place in JSON: {shown(moment)}")
    return moment.isoformat()


def _exactly(kind: type) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise WrongTypeError(f"must be {_WORDS[kind]}, not {shown(value)}")
        return value

    return structure


_text, _list, _object = _exactly(str), _exactly(list), _exactly(dict)


def _number(value: Any, _: Any) -> Any:
    if type(value) not in {int, float} or not math.isfinite(value):
        raise WrongTypeError(f"must be {_WORDS[float]}, not {shown(value)}")
    return value


def _moment(value: Any, _: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value, str))
    except ValueError:
        raise WrongTypeError(f"must be {_WORDS[datetime]}, not {shown(value)}") from None
    if moment.utcoffset() is None:
        raise InvalidValueError(f"must name its time zone, such as +00:00: {shown(value)}")
    return moment


def _class_hook(converter: Converter, class_: Any) -> Hook:
    structure = converter.gen_structure_attrs_fromdict(class_)
    return lambda data, _: structure(_object(data, dict), class_)


def _is_collection(type_: Any) -> bool:
    return (get_origin(type_) or type_) in {tuple, list, frozenset, Sequence}


def _collection_hook(converter: Converter, type_: Any) -> Hook:
    origin, members = get_origin(type_), get_args(type_)
    if not members:
        return _nothing_to_read(type_)
    if origin is tuple and members[-1:] != (...,):
        return lambda value, _: _row(converter, _list(value, list), members)
    make = origin if origin in {list, frozenset} else tuple

    def structure(value: Any, _: Any) -> Any:
        hook = converter.get_structure_hook(members[0])
        read = _each((index, one, members[0], hook) for index, one in enumerate(_list(value, list)))
        made = make(read)
        if len(made) != len(read):
            ((twice, _),) = Counter(read).most_common(1)
            raise InvalidValueError(f"{shown(twice)} is given twice")
        return made

    return structure


def _row(converter: Converter, row: list[Any], members: Sequence[Any]) -> tuple[Any, ...]:
    if len(row) != len(members):
        raise InvalidValueError(f"must have {len(members)} entries, not {len(row)}: {shown(row)}")
    pairs = enumerate(zip(row, members, strict=True))
    return tuple(_each((i, one, member, converter.get_structure_hook(member)) for i, (one, member) in pairs))


def _is_mapping(type_: Any) -> bool:
    kind = get_origin(type_) or type_
    return isinstance(kind, type) and issubclass(kind, Mapping)


def _mapping_hook(converter: Converter, type_: Any) -> Hook:
    (*keys, member) = get_args(type_) or (None, None)
    if keys not in ([str], []):  # The keys of JSON are text, and a FrozenMapping names its members only.
        return _nothing_to_read(type_)
    make = dict if get_origin(type_) is dict else FrozenMapping

    def structure(value: Any, _: Any) -> Any:
        hook = converter.get_structure_hook(member)
        items = _object(value, dict)
        for key in items:
            _text(key, str)
        read = _each((key, one, member, hook) for key, one in items.items())
        return make(zip(items, read, strict=True))

    return structure


def _each(parts: Iterable[tuple[int | str, Any, Any, Hook]]) -> list[Any]:
    read: list[Any] = []
    errors: list[Exception] = []
    for key, value, type_, hook in parts:
        try:
            read.append(hook(value, type_))
        except Exception as error:  # noqa: BLE001  every finding is gathered, whatever it is
            error.add_note(IterableValidationNote("", key, type_))
            errors.append(error)
    if errors:
        raise IterableValidationError("", errors, list)
    return read


def _is_literal(type_: Any) -> bool:
    return get_origin(type_) is Literal


def _literal_hook(_: Converter, type_: Any) -> Hook:
    choices = get_args(type_)

    def structure(value: Any, _: Any) -> Any:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise InvalidValueError(f"must be one of {', '.join(map(repr, choices))}, not {shown(value)}")
        return value

    return structure


def _is_union(type_: Any) -> bool:
    return get_origin(type_) in {Union, UnionType}


def _is_open(type_: Any) -> bool:
    return type_ is Any


def _union_hook(converter: Converter, type_: Any) -> Hook:
    members = get_args(type_)
    kinds = [_json_kinds(member) for member in members]
    names = " or ".join(dict.fromkeys(_WORDS.get(member, name_of(member)) for member in members))

    def structure(value: Any, _: Any) -> Any:
        fitting = [member for member, kind in zip(members, kinds, strict=True) if type(value) in kind]
        if len(fitting) > 1 and type(value) is dict:
            fitting = [member for member in fitting if field_names(member) == set(value)] or fitting
        if not fitting:
            raise WrongTypeError(f"must be {names}, not {shown(value)}")
        if len(fitting) == 1:
            return converter.structure(value, fitting[0])
        return _only_reading(converter, value, fitting)

    return structure


def _only_reading(converter: Converter, value: Any, members: Sequence[Any]) -> Any:
    readings: list[Any] = []
    for member in members:
        try:
            read = converter.structure(value, member)
        except Exception:  # noqa: BLE001, S112  that it does not fit is the answer
            continue
        if read not in readings:
            readings.append(read)
    if len(readings) != 1:
        words = "several" if readings else "none"
        raise InvalidValueError(f"fits {words} of {', '.join(map(name_of, members))}: {shown(value)}")
    return readings[0]


def _json_kinds(type_: Any) -> set[type]:
    if _is_literal(type_):
        return {type(choice) for choice in get_args(type_)}
    if _is_collection(type_):
        return {list}
    if attrs.has(type_) or _is_mapping(type_) or type_ is Levels:
        return {dict}
    other: dict[Any, set[type]] = {float: {int, float}, datetime: {str}}
    return other.get(type_, {type_})


def field_names(type_: Any) -> set[str]:
    """Give the names of the fields that the class takes; none for other types."""
    return {one.name for one in attrs.fields(type_) if one.init} if attrs.has(type_) else set()


def name_of(type_: Any) -> str:
    """Name a type for a message."""
    return type_.__name__ if isinstance(type_, type) and not get_args(type_) else str(type_)
