"""The fake Medusa shop on the bench, with the stock of the real one's seed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from medusa_bench import Bench

from omsync.http.messages import Request, Response
from omsync.testing.carts.medusa import MedusaShop

__all__ = ["PARTS", "FakeBench"]

PARTS = [f"PART-{number:03d}" for number in range(1, 61)]


class FakeBench(Bench):
    """A fake shop with the stock of the real one's seed."""

    def __init__(self, *, early: bool = False) -> None:
        self.shop = shop = MedusaShop(locations=["West warehouse", "East warehouse"], early=early)
        for sku in ("TEE-S", "TEE-M", "TEE-L"):
            shop.add(sku, {"West warehouse": 10, "East warehouse": 5})
        for sku in (*PARTS, "OFF-1", "RENAMED-OLD"):
            shop.add(sku, 10)
        shop.add("ALONE-1", 10, sold=False)
        shop.add_kit("KIT-1", {"TEE-M": 1, "PART-001": 2})
        shop.add_untracked("NOTE-1")
        shop.stop_managing("OFF-1")
        shop.rename("RENAMED-OLD", "RENAMED-NEW")
        facts = {
            "api_key": shop.api_key,
            "email": shop.email,
            "password": shop.password,
            "west": shop.location("West warehouse"),
            "east": shop.location("East warehouse"),
            "items": {item.sku: item.id for item in shop.state.live_items()},
        }
        super().__init__("https://shop.example", facts, shop.handle)

    def send(self, request: Request) -> Response:
        return self.shop.handle(request)

    def buyable(self, sku: str) -> int:
        return int(self.shop.buyable(sku))

    @contextlib.contextmanager
    def without_database(self) -> Iterator[None]:
        self.shop.database_is_up = False
        try:
            yield
        finally:
            self.shop.database_is_up = True
