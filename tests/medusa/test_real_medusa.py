"""The Medusa sink against a running Medusa: the cases that the fake shop passes too."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from medusa_bench import Bench
from postgres import Postgres

from omsync.http.client import Http
from omsync.http.messages import Request, Response

pytest.register_assert_rewrite("medusa_cases")
from medusa_cases import MedusaCases  # noqa: E402  rewritten by the line above

pytestmark = pytest.mark.medusa


class RealBench(Bench):
    """The running shop; its store is asked with the publishable key."""

    def __init__(self, facts: Mapping[str, Any], database: Postgres, http: Http) -> None:
        super().__init__(facts["url"], facts, None)
        self._database = database
        self._http = http

    def send(self, request: Request) -> Response:
        return self._http.send(request)

    def buyable(self, sku: str) -> int:
        """Ask the store, which adds up all locations that are linked to its sales channel."""
        _, answer = self.ask(
            "GET",
            "/store/products",
            query=[("fields", "id,variants.sku,+variants.inventory_quantity"), ("limit", "200")],
            headers={"x-publishable-api-key": self.facts["publishable_key"]},
        )
        variants = (one for product in answer["products"] for one in product["variants"])
        return next(int(one["inventory_quantity"]) for one in variants if one["sku"] == sku)

    @contextlib.contextmanager
    def without_database(self) -> Iterator[None]:
        self._database.stop()
        try:
            yield
        finally:
            self._database.start()


@pytest.fixture(scope="session")
def bench(shop: dict[str, Any], database: Postgres) -> Iterator[RealBench]:
    http = Http()
    yield RealBench(shop, database, http)
    http.close()


class TestARealShop(MedusaCases):
    """What the fake does, a real shop does."""
