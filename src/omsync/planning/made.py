"""Values that are made when somebody looks at them, so that a million need not be kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

__all__ = ["Made"]

T = TypeVar("T")


class Made(Sequence[T]):
    """A read-only sequence, equal to the tuple of what it gives.

    Args:
        parts: What its members are made of, one for each.
        make: Makes a member; the same part gives equal ones.
    """

    __slots__ = ("_make", "_parts")

    def __init__(self, parts: Iterable[Any], make: Callable[[Any], T]) -> None:
        self._parts = tuple(parts)
        self._make = make

    def __len__(self) -> int:
        return len(self._parts)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        if isinstance(index, slice):
            return tuple(map(self._make, self._parts[index]))
        return self._make(self._parts[index])

    def __iter__(self) -> Iterator[T]:
        return map(self._make, self._parts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Made | tuple):
            return NotImplemented
        return tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))
