"""The cart behind ``FaultyCart``: shelves in memory, a small JSON protocol, and a script of faults.

``POST /stock/read`` takes ``{"skus": [...]}`` and answers ``{"rows": [...]}`` with ``sku``, ``location``,
``quantity``, ``version`` and ``updated_at``. ``PUT /stock`` takes ``{"rows": [...]}`` with ``sku``,
``location``, ``quantity``, ``key`` and, if the writer wants it compared, ``version``, and answers
``{"results": [...]}`` with ``sku``, ``location``, ``status``, ``quantity`` and ``reason``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from attrs import define, evolve

from omsync.http.messages import Request, Response
from omsync.testing.carts.platform import Asked, Platform, json_answer
from omsync.testing.faulty_cart_faults import CartFault, Script
from omsync.testing.sandbox import Answer

__all__ = ["Effect", "FaultyPlatform", "Key"]

Key = tuple[str, str | None]
"""A row's identity: listing SKU and location."""

Row = Mapping[str, Any]
_PAGE = "<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>"
_ARRIVES = {"timeout_before": "never", "timeout_after": "never", "reset": "reset", "slow_drip": "drip"}
_NOT_CARRIED_OUT = {
    "throttled",
    "throttled_with_hint",
    "error_before",
    "timeout_before",
    "html",
    "not_applied",
}


class Effect(NamedTuple):
    """A write that changed what shoppers see."""

    listing_sku: str
    location_id: str | None
    before: int
    after: int
    key: str


@define
class _Shelf:
    quantity: int
    version: int = 1


class FaultyPlatform(Platform):
    """A cart in memory, with faults by script.

    Args:
        token: The token that it accepts.
        clock: Tells the time, aware; None for the computer's.
    """

    def __init__(self, *, token: str, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__()
        self.token = token
        self.script = Script()
        self.shelves: dict[Key, _Shelf] = {}
        self.effects: list[Effect] = []
        self.skew = timedelta()
        self._clock = clock or (lambda: datetime.now(UTC))
        self._to_repeat: list[Row] = []

    def put(self, key: Key, quantity: int) -> None:
        """Let a listing show this, as if somebody had typed or sold something."""
        with self._lock:
            if key in self.shelves:
                self._write(self.shelves[key], quantity)
            else:
                self.shelves[key] = _Shelf(quantity)

    def shown(self) -> dict[Key, int]:
        """Give what shoppers see."""
        with self._lock:
            return {key: shelf.quantity for key, shelf in self.shelves.items()}

    def answer(self, asked: Asked) -> Response:
        """Do what the cart does when nothing goes wrong."""
        return self._carried_out(asked, None)

    def _meet(self, request: Request) -> Answer:
        asked = Asked.of(request)
        self.requests.append(asked)
        fault = self.script.meet("write" if asked.method == "PUT" else "read")
        if fault is None:
            return Answer(response=self.answer(asked))
        self.skew = timedelta(seconds=fault.seconds) if fault.kind == "clock_skew" else timedelta()
        return Answer(
            response=_distorted(fault, self._carried_out(asked, fault)),
            arrives=_ARRIVES.get(fault.kind, "whole"),
        )

    def _carried_out(self, asked: Asked, fault: CartFault | None) -> Response:
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return json_answer({"error": "the token is not known here"}, 401)
        headers = {"x-cart-time": (self._clock() + self.skew).isoformat()}
        if asked.method == "POST":
            wanted = frozenset(asked.json()["skus"])
            rows = [self._told(key) for key in sorted(self.shelves, key=str) if key[0] in wanted]
            return json_answer({"rows": rows}, headers=headers)
        if asked.method != "PUT":
            return json_answer({"error": f"no {asked.method} here"}, 405)
        results = [self._row(row, fault) for row in asked.json()["rows"]]
        # What is repeated late comes after a write that came later.
        late, self._to_repeat = self._to_repeat, []
        for row in late:
            self._row(row, None)
        if fault is not None and fault.kind == "applied_twice":
            self._to_repeat = list(asked.json()["rows"])
        return json_answer({"results": results}, headers=headers)

    def _told(self, key: Key) -> Row:
        shelf = self.shelves[key]
        return {
            "sku": key[0],
            "location": key[1],
            "quantity": shelf.quantity,
            "version": str(shelf.version),
            "updated_at": (self._clock() + self.skew).isoformat(),
        }

    def _row(self, row: Row, fault: CartFault | None) -> Row:
        kind, key, quantity = (
            "" if fault is None else fault.kind,
            (row["sku"], row["location"]),
            row["quantity"],
        )
        told = {"sku": row["sku"], "location": row["location"], "status": "accepted", "quantity": quantity}
        shelf = self.shelves.get(key)
        if shelf is None:
            return {**told, "status": "rejected", "quantity": None, "reason": "not_in_cart"}
        if kind == "refuses_zero" and quantity == 0:
            return {**told, "status": "rejected", "quantity": shelf.quantity, "reason": "zero_refused"}
        if kind in _NOT_CARRIED_OUT:
            return told
        if row.get("version") is not None and row["version"] != str(shelf.version):
            return {**told, "status": "conflict", "quantity": shelf.quantity, "reason": "version_moved"}
        if fault is not None and kind == "clamped":
            quantity = min(quantity, fault.most)
        if quantity != shelf.quantity:
            self.effects.append(Effect(*key, shelf.quantity, quantity, row["key"]))
        self._write(shelf, quantity)
        return {**told, "quantity": shelf.quantity}

    @staticmethod
    def _write(shelf: _Shelf, quantity: int) -> None:
        shelf.quantity = quantity
        shelf.version += 1


def _distorted(fault: CartFault, response: Response) -> Response:
    """Give the answer that arrives in place of the true one."""
    match fault.kind:
        case "throttled":
            answer = json_answer({"error": "too many calls"}, 429)
        case "throttled_with_hint":
            answer = json_answer({"error": "too many calls"}, 429, {"retry-after": str(fault.seconds)})
        case "error_before" | "error_after":
            answer = json_answer({"error": "something broke"}, fault.status)
        case "html":
            answer = Response(status=200, headers={"content-type": "text/html"}, content=_PAGE.encode())
        case "truncated":
            answer = evolve(response, content=response.content[: len(response.content) // 2])
        case "reordered":
            value = response.json()
            answer = json_answer({name: _reversed(rows) for name, rows in value.items()})
        case _:
            answer = response
    return answer


def _reversed(rows: Iterable[Any]) -> list[Any]:
    return [*rows][::-1]
