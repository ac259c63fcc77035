"""Real answers made wrong, for tests that want to see only errors with a name come of it.

    chance = Random(7)
    answer = json.loads(real_answer)
    for _ in range(1000):
        decode(mutated(answer, chance))

Every change is one that a vendor, a proxy or an attacker makes: a field that is gone or null, a number as
text, a list for an object, a page twice, an answer cut off. The same seed gives the same changes. Pure:
nothing given is changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

__all__ = ["mutated", "mutated_bytes", "mutated_json"]

_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 5.7, -0.0, 1e400, float("nan"), 2**31, 2**63, -(2**63), 10**400),
    *(
        "",
        " ",
        "0",
        "5",
        "null",
        "\0",
        "\ud800",
        "é",
        "a" * 5000,
        "=1+1",
        "2026-02-30T25:61:61Z",
        "https://[",
        "%",
    ),
    *([], {}, [[]], [None], {"": None}, [{}]),
)
"""Values of every JSON kind, those among them that trip people up."""

Path = tuple[str | int, ...]


def mutated(value: Any, chance: Random, *, changes: int = 1) -> Any:
    """Give a copy of a JSON value with so many changes at random places.

    Args:
        value: What ``json.loads`` gives of a real answer.
        chance: Chooses places and changes.
        changes: How many; a later one may undo an earlier one.
    """
    for _ in range(changes):
        path = chance.choice(list(_places(value)))
        value = _changed(value, path, chance.choice(_CHANGES), chance)
    return value


def mutated_json(content: bytes, chance: Random) -> bytes:
    """Give a real answer's bytes with a change: mostly of its values, now and then of the bytes themselves.

    What is no JSON is changed as bytes only.
    """
    try:
        value = json.loads(content)
    except ValueError:
        return mutated_bytes(content, chance)
    if chance.random() < 0.1:  # noqa: PLR2004  a tenth
        return mutated_bytes(content, chance)
    return json.dumps(mutated(value, chance, changes=chance.choice((1, 1, 1, 2, 5)))).encode()


def mutated_bytes(content: bytes, chance: Random) -> bytes:
    """Give bytes with one change: cut off, a piece gone, doubled, moved or overwritten, or other bytes."""
    start = chance.randint(0, len(content))
    end = min(len(content), start + chance.choice((1, 1, 2, 8, 64, 1000)))
    piece = content[start:end]
    noise = chance.choice(
        (b"", b"\0", b"\xff", b"\xef\xbb\xbf", b'"', b"'", b",", b";", b"~", b"*", b"\r", b"\n", b"9" * 5000)
    )
    return chance.choice(
        (
            content[:start],
            content[start:],
            content[:start] + content[end:],
            content[:end] + piece + content[end:],
            content[end:] + piece,
            content[:start] + noise + content[start:],
            content[:start] + noise + content[end:],
            content[:start] + chance.randbytes(len(piece)) + content[end:],
            noise,
        )
    )


def _places(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, member in members:
        yield from _places(member, (*path, step))


def _changed(value: Any, path: Path, change: Callable[[Any, Random], Any], chance: Random) -> Any:
    """Give a copy in which what is at the path is changed."""
    if not path:
        return change(value, chance)
    step, rest = path[0], path[1:]
    copy = value.copy()
    copy[step] = _changed(value[step], rest, change, chance)
    return copy


def _replaced(_: Any, chance: Random) -> Any:
    return chance.choice(_ODD)


def _retyped(value: Any, chance: Random) -> Any:
    """Say the same in another type: 5 as "5" and as 5.0, one thing as a list of it."""
    ways: list[Any] = [[value], {"value": value}, str(value)]
    if isinstance(value, int | float):
        ways += [float(value) if abs(value) < 1e300 else 0.5, bool(value), -value, value + 1]  # noqa: PLR2004  what a float holds
    if isinstance(value, str):
        ways += [value.upper(), f" {value}", value[1:], value * 2]
    return chance.choice(ways)


def _thinned(value: Any, chance: Random) -> Any:
    """Take a member away."""
    if not isinstance(value, dict | list) or not value:
        return None
    copy = value.copy()
    del copy[chance.choice(list(copy) if isinstance(copy, dict) else range(len(copy)))]
    return copy


def _thickened(value: Any, chance: Random) -> Any:
    """Add a member: an unknown field, a row twice."""
    if isinstance(value, dict):
        return {**value, chance.choice(("", "omsync-unknown", *value)): chance.choice(_ODD)}
    if isinstance(value, list):
        return [*value, *value] if chance.random() < 0.5 else [*value, chance.choice(_ODD)]  # noqa: PLR2004  one half
    return [value, value]


def _shuffled(value: Any, chance: Random) -> Any:
    """Change the order of rows, or which field holds what."""
    if isinstance(value, list):
        return chance.sample(value, len(value))
    if isinstance(value, dict):
        return dict(zip(value, chance.sample(list(value.values()), len(value)), strict=True))
    return chance.choice(_ODD)


_CHANGES = (_replaced, _replaced, _retyped, _thinned, _thickened, _shuffled)
