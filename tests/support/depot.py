"""A small order manager over HTTP and its source, for the source kit; and sources that are wrong on purpose.

Every mistake here is one that somebody made, or could make on a busy day.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from attrs import evolve

from omsync.errors import DecodeError, RefusedError, UnauthorizedError
from omsync.http.messages import Conversation, Handler, Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, talk
from omsync.model import InventorySnapshot, Sku, StockLevel, Warehouse
from omsync.ports import ReadRequest
from omsync.settings import MerchantSettings, PerWarehouse
from omsync.sinks.writing import Wire
from omsync.sources._http import HttpSource
from omsync.testing import SourceBench

__all__ = ["BROKEN", "KEY", "Depot", "DepotSource", "bench_of"]

KEY = "depot-key-0123456789"
Pages = Mapping[str, list[dict[str, Any]]]


class Depot:
    """Answers ``/products`` and ``/stock`` in pages of two."""

    def __init__(self) -> None:
        self.stock = {"MUG": 8, "CUP": 30, "JUG": 0, "TRAY": -2, "BOWL": 4}

    def figures(self) -> dict[tuple[str, str], int | None]:
        return {(sku, "R1"): units for sku, units in self.stock.items()}

    def handle(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return Response(status=401, content=b"{}", place=request.place)
        rows: Pages = {
            "/products": [{"code": sku, "title": sku.title()} for sku in self.stock],
            "/stock": [{"code": sku, "place": "R1", "free": units} for sku, units in self.stock.items()],
        }
        page = int(dict(request.query)["page"])
        found = rows[request.url.removeprefix("https://depot.example")][2 * page - 2 : 2 * page]
        return Response(status=200, content=json.dumps({"rows": found}).encode(), place=request.place)


class DepotSource(HttpSource):
    """Reads a depot whole, or raises."""

    def __init__(self, handler: Handler, key: str = KEY) -> None:
        self._key = key
        self._handler = handler
        self.retry = RetryPolicy(attempts=3, first_wait=0.1)

    def __repr__(self) -> str:
        return "<DepotSource>"

    def read_steps(self, request: ReadRequest) -> Steps[InventorySnapshot]:
        line = Line(account="depot", retry=self.retry, handler=self._handler)
        products = yield from talk(line, self.pages("/products"))
        rows = yield from talk(line, self.pages("/stock"))
        return self.snapshot(products, rows, request)

    def snapshot(self, products: list[Wire], rows: list[Wire], request: ReadRequest) -> InventorySnapshot:
        return InventorySnapshot(
            taken_at=request.now,
            skus=[
                Sku(master_sku=one.field("code").text(), name=one.field("title").text()) for one in products
            ],
            warehouses=[Warehouse(id="R1", name="Reno")],
            levels=[
                StockLevel(
                    master_sku=row.field("code").text(),
                    location_id=row.field("place").one_of("R1"),
                    available=self.units(row),
                )
                for row in rows
            ],
        )

    def units(self, row: Wire) -> int:
        return row.field("free").whole()

    def pages(self, path: str) -> Conversation[list[Wire]]:
        found: list[Wire] = []
        page = 1
        while True:
            answer = yield self.request(path, page)
            rows = self.rows_of(answer)
            if not rows:
                return found
            found += rows
            page += 1

    def request(self, path: str, page: int) -> Request:
        return Request(
            method="GET",
            url=f"https://depot.example{path}",
            query=(("page", str(page)),),
            headers={"authorization": f"Bearer {self._key}"},
        )

    def rows_of(self, answer: Response) -> list[Wire]:
        if answer.status == 401:
            raise UnauthorizedError("the depot refuses the key")
        if answer.status != 200:
            raise RefusedError(f"the depot says {answer.status}")
        return Wire(value=answer.json(), path="answer", place=answer.place).field("rows").rows()


class LosesTheLastPage(DepotSource):
    """Takes a page that is not full for the last one, and does not keep it."""

    def rows_of(self, answer: Response) -> list[Wire]:
        rows = super().rows_of(answer)
        return rows if len(rows) == 2 else []


class LeavesProductsOut(DepotSource):
    """Forgets products that have nothing to sell, but not their figures."""

    def snapshot(self, products: list[Wire], rows: list[Wire], request: ReadRequest) -> InventorySnapshot:
        return super().snapshot(products[:-1], rows, request)


class CountsItsReadings(DepotSource):
    """Adds a unit with each reading."""

    times = 0

    def units(self, row: Wire) -> int:
        type(self).times += 1
        return super().units(row) + type(self).times


class Takes(DepotSource):
    """Uses up what it reads."""

    depot: Depot

    def units(self, row: Wire) -> int:
        units = super().units(row)
        if row.field("code").text() in self.depot.stock:
            self.depot.stock[row.field("code").text()] -= 1
        return units


class Remembers(DepotSource):
    """Takes the last reading for this one."""

    def read_steps(self, request: ReadRequest) -> Steps[InventorySnapshot]:
        snapshot = yield from super().read_steps(request)
        return request.previous or snapshot


class RefusesMore(DepotSource):
    """Breaks when a vendor adds a field."""

    def rows_of(self, answer: Response) -> list[Wire]:
        for row in (rows := super().rows_of(answer)):
            if set(row.value) - {"code", "title", "place", "free"}:
                raise DecodeError("a field that is not known")
        return rows


class TakesErrorsForTheEnd(DepotSource):
    """Takes whatever is no page for the end of the list."""

    def rows_of(self, answer: Response) -> list[Wire]:
        return super().rows_of(answer) if answer.status in {200, 401} else []


class Guesses(DepotSource):
    """Takes text for a number, and fractions."""

    def units(self, row: Wire) -> int:
        return int(float(row.field("free").value)) + 1 - type(row.field("free").value).__name__.count("int")


class NamesNothing(DepotSource):
    """Says that something is wrong, and not what."""

    def units(self, row: Wire) -> int:
        if type(row.field("free").value) is not int:
            raise DecodeError("the answer is wrong")
        return super().units(row)


class GivesUpAtOnce(DepotSource):
    """Does not try again."""

    def __init__(self, handler: Handler, key: str = KEY) -> None:
        super().__init__(handler, key)
        self.retry = RetryPolicy(attempts=1)


class CallsItRefused(DepotSource):
    """Does not tell wrong credentials from other refusals."""

    def rows_of(self, answer: Response) -> list[Wire]:
        if answer.status == 401:
            raise RefusedError("the depot says 401")
        return super().rows_of(answer)


class StopsInTime(DepotSource):
    """Gives what it has when the time is up."""

    def read_steps(self, request: ReadRequest) -> Steps[InventorySnapshot]:
        if request.deadline is not None and request.deadline < request.now:
            return self.snapshot([], [], request)
        return (yield from super().read_steps(request))


class MarksBeforeItReads(DepotSource):
    """Notes that it has read before it has, and goes on from there."""

    def read_steps(self, request: ReadRequest) -> Steps[InventorySnapshot]:
        assert request.memory is not None
        done = request.memory.recall("depot")
        request.memory.remember("depot", {"read": "yes"})
        if done and request.previous is None:
            return self.snapshot([], [], request)
        return (yield from super().read_steps(request))


class ShowsItsKey(DepotSource):
    """Has the repr that a dataclass would have."""

    def __repr__(self) -> str:
        return f"DepotSource(key={self._key!r})"


class LogsItsKey(DepotSource):
    """Logs what it sends."""

    def request(self, path: str, page: int) -> Request:
        request = super().request(path, page)
        logging.getLogger("depot").info("%s %s", request.place, dict(request.headers))
        return request


class Future(DepotSource):
    """Goes by a clock that is wrong."""

    def snapshot(self, products: list[Wire], rows: list[Wire], request: ReadRequest) -> InventorySnapshot:
        return evolve(super().snapshot(products, rows, request), taken_at=request.now + timedelta(days=1))


BROKEN: tuple[tuple[type[DepotSource], str], ...] = (
    (LosesTheLastPage, "the_snapshot_is_whole"),
    (LeavesProductsOut, "the_snapshot_is_whole"),
    (LeavesProductsOut, "the_snapshot_agrees_with_itself"),
    (Future, "the_snapshot_agrees_with_itself"),
    (CountsItsReadings, "read_twice_is_equal"),
    (Takes, "reading_changes_no_figure"),
    (Remembers, "a_change_shows_in_the_next_reading"),
    (RefusesMore, "unknown_fields_are_ignored"),
    (CountsItsReadings, "blocking_and_awaiting_read_the_same"),
    (TakesErrorsForTheEnd, "a_reading_that_breaks_gives_no_snapshot"),
    (Guesses, "what_is_wrong_is_named"),
    (NamesNothing, "what_is_wrong_is_named"),
    (GivesUpAtOnce, "a_throttled_reading_waits_as_it_is_told"),
    (CallsItRefused, "wrong_credentials_are_unauthorized"),
    (StopsInTime, "a_deadline_gives_no_part"),
    (MarksBeforeItReads, "a_killed_reading_is_made_whole_by_the_next"),
    (ShowsItsKey, "secrets_stay_out_of_sight"),
    (LogsItsKey, "secrets_stay_out_of_sight"),
)
"""Sources that are wrong, each with the check that catches it."""


def bench_of(kind: type[DepotSource] = DepotSource, **options: Any) -> SourceBench:
    """Put a source of the depot on the bench."""
    depot = Depot()
    source = kind(depot.handle)
    if isinstance(source, Takes):
        source.depot = depot
    return SourceBench(
        **{
            "source": source,
            "merchant": MerchantSettings(mode=PerWarehouse()),
            "available": depot.figures,
            "products": lambda: frozenset(depot.stock),
            "listings": dict,
            "change": lambda: depot.stock.update(MUG=depot.stock["MUG"] + 1),
            "server": lambda: Depot().handle,
            "over": kind,
            "unauthorized": kind(depot.handle, "wrong-key-987"),
            "secrets": [KEY, "wrong-key-987"],
            **options,
        }
    )
