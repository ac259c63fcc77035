"""The fake Vendure shop passes the cases that a real one passes."""

from __future__ import annotations

from typing import Any

import pytest
from vendure_bench import Bench

from omsync.http.messages import Request, Response
from omsync.testing.carts.vendure import VendureShop

pytest.register_assert_rewrite("vendure_cases")
from vendure_cases import EAST, MAIN, PARTS, VendureCases  # noqa: E402  rewritten by the line above

URL = "https://shop.example"
ACTIVE = "{ activeChannel { code } }"


class FakeBench(Bench):
    """The fake, with the stock of the real one."""

    def __init__(self) -> None:
        self.shop = VendureShop(locations=[MAIN, EAST], username="superadmin", password="superadmin")
        super().__init__(self._stocked(), self.shop.handle)
        self.facts = {**self.facts, **self._with_an_outlet()}

    def send(self, request: Request) -> Response:
        return self.shop.handle(request)

    def order(self, sku: str, units: int) -> None:
        self.shop.sell(sku, units)

    def _stocked(self) -> dict[str, Any]:
        shop = self.shop
        ids = {f"TEE-{size}": shop.add(f"TEE-{size}", {MAIN: 10, EAST: 5}) for size in "SML"}
        ids |= {sku: shop.add(sku, number) for number, sku in enumerate(PARTS, start=1)}
        ids |= {"MUG-1": shop.add("MUG-1", 20), "SOON-GONE": shop.add("SOON-GONE", 1)}
        ids |= {sku: shop.add(sku, tracking="FALSE") for sku in ("NOTE-1", "NOTE-2")}
        for number in (1, 2):
            shop.add("TWIN-1", number)
            shop.add("TWIN-2", number, enabled=number == 2)
        shop.add_api_key("reader", permissions=("ReadCatalog", "ReadStockLocation"))
        return {
            "url": URL,
            "main": {"id": shop.location(MAIN)},
            "east": {"id": shop.location(EAST)},
            "variants": ids,
            "api_key": shop.api_key,
            "key_that_only_reads": "reader",
        }

    def _with_an_outlet(self) -> dict[str, Any]:
        stranger = self.admin.plus(vendure_token="no-such-channel")
        answering = self.ask(ACTIVE, stranger)["data"]["activeChannel"]["code"]
        outlets = [f"Outlet {number:02d}" for number in range(1, 21)]
        for name in outlets:
            self.shop.add_location(name)
        self.shop.add_channel("outlet-token", skus=PARTS, locations=outlets)
        return {
            "outlet_token": "outlet-token",
            "channel_that_answered_for_an_unknown_token": answering,
        }


@pytest.fixture
def bench() -> FakeBench:
    return FakeBench()


class TestTheFakeShop(VendureCases):
    """What a real shop does, the fake does."""
