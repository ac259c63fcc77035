"""A cart in memory that goes wrong by script: a whole sink, over real HTTP if you like.

    cart = FaultyCart({"MUG": 3, "CUP": 0}, faults=[CartFault(kind="error_after")])
    with cart.serve():
        sync_cart(source, cart, CartSettings(name="shop"), merchant=merchant)

Sync into it with your own source, ledger, schedule or glue, and see what is left of a fault after the next
healthy run. Its requests go through the same runner as those of every sink that speaks HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from omsync.errors import InvalidValueError, RefusedError, UnauthorizedError
from omsync.http.awaiting import AsyncRunner
from omsync.http.clock import Clock
from omsync.http.messages import Conversation, Handler, Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, talk
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities
from omsync.sinks.writing import SteppedSink, Wire
from omsync.testing.carts.platform import Asked
from omsync.testing.faulty_cart_faults import CartFault
from omsync.testing.faulty_cart_platform import Effect, FaultyPlatform, Key
from omsync.testing.sandbox_server import SandboxServer

__all__ = ["AsyncFaultyCart", "FaultyCart"]

_IN_PROCESS = "http://faulty-cart.invalid"


class FaultyCart(SteppedSink):
    """A cart whose faults are scripted; it is the sink and the platform behind it.

    Args:
        shelves: What it shows at first, by listing SKU or by (listing SKU, location).
        faults: What goes wrong; ``add_faults`` adds more later.
        compare_and_set: ``"blind"``, or ``"version"``: refuse a row whose listing has moved.
        max_rows: Rows in one push.
        token: What the sink shows.
        accepts: The token that the platform accepts; None for the same.
        retry: How often and how long to try again.
        timeout: Seconds to wait for an answer.
        handler: Answers instead of the platform; it may pass requests on to ``cart.platform.handle``.
        clock: Tells the platform's time, aware; None for the computer's.

    Raises:
        InvalidValueError: ``compare_and_set`` is none of the two.
    """

    def __init__(
        self,
        shelves: Mapping[str, int] | Mapping[Key, int],
        *,
        faults: Iterable[CartFault] = (),
        compare_and_set: str = "blind",
        max_rows: int = 100,
        token: str = "faulty-cart-token",  # noqa: S107  an invented token
        accepts: str | None = None,
        retry: RetryPolicy | None = None,
        timeout: float = 5.0,
        handler: Handler | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        if compare_and_set not in {"blind", "version"}:
            raise InvalidValueError(
                f"compare_and_set must be 'blind' or 'version', not {compare_and_set!r}",
                remedy="A cart that compares does so by version here.",
            )
        self.platform = FaultyPlatform(token=token if accepts is None else accepts, clock=clock)
        for key, quantity in shelves.items():
            self.platform.put((key, None) if isinstance(key, str) else key, quantity)
        self.add_faults(*faults)
        self._compare_and_set = compare_and_set
        self._max_rows = max_rows
        self._token = token
        self._retry = retry or RetryPolicy()
        self._timeout = timeout
        self._handler = handler or self.platform.handle
        self._server: SandboxServer | None = None

    def __repr__(self) -> str:
        where = "in the process" if self._server is None else f"at {self._server.base_url}"
        return f"<FaultyCart {where}: {len(self.platform.shelves):,} listings>"

    @property
    def capabilities(self) -> SinkCapabilities:
        """What this cart can do."""
        return SinkCapabilities(
            destination="a faulty cart",
            locations="optional",
            max_rows=self._max_rows,
            atomicity="row",
            compare_and_set=self._compare_and_set,
        )

    @property
    def awaiting(self) -> AsyncFaultyCart:
        """The same cart as a sink with async methods."""
        return AsyncFaultyCart(self)

    @contextmanager
    def serve(self) -> Iterator[SandboxServer]:
        """Answer over HTTP on loopback while the context lasts, so that broken connections are real."""
        with self.platform.serve() as self._server:
            yield self._server
        self._server = None

    def add_faults(self, *faults: CartFault) -> None:
        """Script further faults; they count calls from now on."""
        self.platform.script.add(faults)

    def clear_faults(self) -> None:
        """Drop all faults, those that are still to come too."""
        self.platform.script.clear()

    def put(self, listing_sku: str, quantity: int, location_id: str | None = None) -> None:
        """Let a listing show this, as if somebody had typed or sold something; a new one is added."""
        self.platform.put((listing_sku, location_id), quantity)

    def shown(self) -> dict[Key, int]:
        """Give what shoppers see, by (listing SKU, location), looked up past the sink."""
        return self.platform.shown()

    @property
    def effects(self) -> tuple[Effect, ...]:
        """The writes that changed what shoppers see, in order."""
        return tuple(self.platform.effects)

    @property
    def requests(self) -> tuple[Asked, ...]:
        """The requests so far, in order."""
        return tuple(self.platform.requests)

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Read what the cart shows, as steps."""
        return (yield from talk(self._line, self._read(list(listing_skus))))

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Send one batch, as steps; a row that the answer does not name has no result."""
        return (yield from talk(self._line, self._push(changes)))

    @property
    def _line(self) -> Line:
        return Line(
            account=self.capabilities.destination,
            retry=self._retry,
            handler=self._handler if self._server is None else None,
        )

    def _read(self, skus: list[str]) -> Conversation[list[CartListing]]:
        answer = _checked((yield self._request("POST", "/stock/read", {"skus": skus})))
        return [
            CartListing(
                listing_sku=row.field("sku").text(),
                location_id=_location(row),
                quantity=row.field("quantity").whole(),
                version=row.field("version").text(),
            )
            for row in answer.field("rows").rows()
        ]

    def _push(self, changes: Sequence[QuantityChange]) -> Conversation[list[PushResult]]:
        by_version = self._compare_and_set == "version"
        rows = [
            {
                "sku": change.listing_sku,
                "location": change.location_id,
                "quantity": change.quantity,
                "key": change.key,
                **({"version": change.version} if by_version else {}),
            }
            for change in changes
        ]
        answer = _checked((yield self._request("PUT", "/stock", {"rows": rows})))
        return [_result(row) for row in answer.field("results").rows()]

    def _request(self, method: str, path: str, body: Any) -> Request:
        base = _IN_PROCESS if self._server is None else self._server.base_url
        return Request(
            method=method,
            url=f"{base}{path}",
            headers={"authorization": f"Bearer {self._token}"},
            body=body,
            timeout=self._timeout,
        )


class AsyncFaultyCart:
    """The async twin of a ``FaultyCart``: the same cart, by awaiting methods.

    Args:
        twin: The cart.
        clock: Replaces the machine's clock, for tests.
    """

    def __init__(self, twin: FaultyCart, clock: Clock | None = None) -> None:
        self._twin = twin
        self._clock = clock

    def __repr__(self) -> str:
        return f"<the async twin of {self._twin!r}>"

    @property
    def capabilities(self) -> SinkCapabilities:
        """What this cart can do."""
        return self._twin.capabilities

    async def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:
        """Give what the cart shows for these listings."""
        async with AsyncRunner(clock=self._clock) as runner:
            return await runner.run(self._twin.read_steps(listing_skus))

    async def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        """Send one batch."""
        async with AsyncRunner(clock=self._clock) as runner:
            return await runner.run(self._twin.push_steps(changes))


def _checked(response: Response) -> Wire:
    if response.status == 401:  # noqa: PLR2004  the status code's own name
        raise UnauthorizedError(f"{response.place}: the token was refused", remedy="Check the token.")
    if response.status >= 400:  # noqa: PLR2004  the class of refusals
        raise RefusedError(f"{response.place}: HTTP {response.status}: {response.excerpt}")
    return Wire(value=response.json(), path="answer", place=response.place)


def _location(row: Wire) -> str | None:
    location = row.get("location")
    return None if location is None else location.text()


def _result(row: Wire) -> PushResult:
    status = row.field("status").one_of("accepted", "rejected", "conflict")
    quantity, reason = row.get("quantity"), row.get("reason")
    why = "" if reason is None else reason.text()
    return PushResult(
        listing_sku=row.field("sku").text(),
        location_id=_location(row),
        status=status,
        echo=quantity.whole() if quantity is not None and status == "accepted" else None,
        reason=why,
        message=f"the cart says {why}" if why else "",
    )
