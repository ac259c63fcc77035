"""What the sink kit is given: a sink, a way to look into its cart, and what is in there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import Attribute, field, frozen

from omsync import checks
from omsync.errors import InvalidValueError
from omsync.flows import Sink
from omsync.http.clock import Clock

__all__ = ["Key", "SinkBench"]

Key = tuple[str, str | None]
"""A row's identity: listing SKU and location."""


def _two_listings(_: object, attribute: Attribute[Any], value: tuple[str, ...]) -> None:
    if len(set(value)) < 2 or len(set(value)) != len(value):  # noqa: PLR2004  two
        raise InvalidValueError(
            f"SinkBench.{attribute.name} must name two listings, each once, not {checks.shown(value)}",
            remedy="Checks push one and look whether the other stays as it is.",
        )


def _one_location(_: object, attribute: Attribute[Any], value: tuple[str | None, ...]) -> None:
    if not value:
        raise InvalidValueError(
            f"SinkBench.{attribute.name} must name a location, not {checks.shown(value)}",
            remedy="Leave it out for rows that name none.",
        )


@frozen(kw_only=True)
class SinkBench:
    """A sink on the test bench: the sink, a way to look into the real cart, and what is in there.

    Only the first three are needed. What else you can give, do: a check without what it needs says so and is
    not applicable.

    Args:
        sink: The sink: blocking, async, or in steps. The kit calls it and nothing else.
        shown: Gives the cart's true quantities by (listing SKU, location), in the sink's own meaning, looked
            up past the sink: in the database, the file, the fake. Of a cart that applies later, once it has.
        listings: SKUs that the cart has, tracks and can be told of; at least two, without open orders. Their
            quantities are overwritten. With ``max_rows`` of them, a full batch is tried too.
        absent: A SKU that the cart does not have; others are made by adding to it.
        strange: Further SKUs like ``listings``, with characters that need care on their way: give
            ``STRANGE_SKUS`` to a fake that may have any.
        locations: Where rows of the listings may go, as a row names it; ``(None,)`` for rows that name none.
        absent_location: A location that the cart does not have.
        duplicate: A SKU that several listings share.
        untracked: A SKU whose stock the cart does not count.
        unmanaged: A SKU whose quantity the cart works out itself, such as a kit.
        rename: Gives a listing another SKU in the cart, past the sink; for carts that know their listings by
            an id of their own.
        unauthorized: The same sink with wrong credentials.
        unreachable: The same sink at an address where nobody answers; let it give up soon.
        losing: The same sink, whose writes reach the cart while their answers are lost; let it give up soon.
        secrets: Texts that must never be shown, those of ``unauthorized`` too.
        clock: Tells the time and waits, for a sink in steps before a fake; None for the computer's.
    """

    sink: Sink
    shown: Callable[[], Mapping[Key, int]] = field(repr=False)
    listings: tuple[str, ...] = field(converter=checks.as_tuple, validator=_two_listings)
    absent: str = field(default="omsync-no-such-listing", validator=checks.text)
    strange: tuple[str, ...] = field(default=(), converter=checks.as_tuple)
    locations: tuple[str | None, ...] = field(
        default=(None,), converter=checks.as_tuple, validator=_one_location
    )
    absent_location: str | None = None
    duplicate: str | None = None
    untracked: str | None = None
    unmanaged: str | None = None
    rename: Callable[[str, str], None] | None = field(default=None, repr=False)
    unauthorized: Sink | None = None
    unreachable: Sink | None = None
    losing: Sink | None = None
    secrets: tuple[str, ...] = field(default=(), converter=checks.as_tuple, repr=False)
    clock: Clock | None = field(default=None, repr=False)
