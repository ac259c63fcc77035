"""A cart on the bench of the sink kit: what all benches have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from fake_memory import FakeClock

from omsync.errors import UnreachableError
from omsync.flows import Sink
from omsync.http.messages import Handler, Request
from omsync.http.retrying import RetryPolicy
from omsync.testing.sink_kit import STRANGE_SKUS, Key, SinkBench, losing_answers

LISTINGS = ("MUG", "CUP", "JUG", "sku", "mug")
"""The last is the case twin of the first, and "sku" a word that shops use in their messages."""

ABSENT = "omsync-no-such-listing"
WRONG = "wrong-horse"
ONCE = RetryPolicy(attempts=1)
FAST = 1_000_000


def nobody(request: Request) -> NoReturn:
    """Be an address where nobody answers."""
    raise UnreachableError(f"{request.place}: no connection (by script)")


def bench_of(
    sink: Callable[..., Sink],
    handle: Handler,
    *,
    writes: Callable[[Request], bool],
    wrong: Mapping[str, Any],
    more: int,
    **options: Any,
) -> SinkBench:
    """Put a sink that speaks HTTP on the bench, with its twins that come to nothing.

    Args:
        sink: Makes it, with options.
        handle: The platform.
        writes: Whether a request writes.
        wrong: Options that make its credentials wrong.
        more: So many more listings.
        options: As for ``SinkBench``.
    """
    return SinkBench(
        **{
            "sink": sink(handler=handle),
            "listings": listings(more),
            "strange": STRANGE_SKUS,
            "absent": ABSENT,
            "unauthorized": sink(handler=handle, **wrong),
            "unreachable": sink(handler=nobody),
            "losing": sink(handler=losing_answers(handle, of=writes)),
            "clock": FakeClock(),
            **options,
        }
    )


def listings(more: int) -> tuple[str, ...]:
    """Name the listings."""
    return (*LISTINGS, *(f"ROW-{number:05}" for number in range(more)))


def stocked(more: int) -> tuple[str, ...]:
    """Name everything that has a quantity."""
    return (*listings(more), *STRANGE_SKUS)


def posts(request: Request) -> bool:
    """Tell whether a request is a POST."""
    return request.method == "POST"


def puts(request: Request) -> bool:
    """Tell whether a request is a PUT."""
    return request.method == "PUT"


def mutates(request: Request) -> bool:
    """Tell whether a request is a GraphQL mutation."""
    return str(request.body["query"]).lstrip().startswith("mutation")


def figures(
    skus: Iterable[str], places: Mapping[str | None, Any], quantity: Callable[[str, Any], int | None]
) -> dict[Key, int]:
    """Look at every listing at every place; a row that the cart does not keep is left out."""
    shown: dict[Key, int] = {}
    for sku in skus:
        for name, place in places.items():
            try:
                units = quantity(sku, place)
            except LookupError:
                continue
            if units is not None:
                shown[sku, name] = units
    return shown


def whole(units: Any) -> int | None:
    return None if units is None else int(units)
