"""The Vendure sink against a running Vendure: the cases that the fake shop passes too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from vendure_bench import Bench

from omsync.http.client import Http
from omsync.http.messages import Conversation, Request, Response
from omsync.sinks import _vendure as api

pytest.register_assert_rewrite("vendure_cases")
from vendure_cases import VendureCases  # noqa: E402  rewritten by the line above

pytestmark = pytest.mark.vendure

ADD = "mutation($v: ID!, $q: Int!) { addItemToOrder(productVariantId: $v, quantity: $q) { __typename } }"
CUSTOMER = """mutation { setCustomerForOrder(
  input: {firstName: "A", lastName: "B", emailAddress: "a@shop.example"}) { __typename } }"""
ADDRESS = """mutation { setOrderShippingAddress(
  input: {streetLine1: "1 Street", countryCode: "US"}) { __typename } }"""
SHIPPING = "mutation($i: [ID!]!) { setOrderShippingMethod(shippingMethodId: $i) { __typename } }"
READY = 'mutation { transitionOrderToState(state: "ArrangingPayment") { __typename } }'
PAY = """mutation { addPaymentToOrder(
  input: {method: "dummy", metadata: {}}) { ... on Order { state } } }"""


class RealBench(Bench):
    """The running shop; orders are placed in its store."""

    def __init__(self, facts: Mapping[str, Any], http: Http) -> None:
        super().__init__(facts, None)
        self._http = http

    def send(self, request: Request) -> Response:
        return self._http.send(request)

    def order(self, sku: str, units: int) -> None:
        store = api.Access(url=f"{self.facts['url']}/shop-api")
        assert self.hold(_buying(store, self.variants[sku], units)) == "PaymentSettled"


def _buying(store: api.Access, variant_id: str, units: int) -> Conversation[str]:
    """Buy as a guest, to the paid order; give its state."""
    added = yield store.ask(ADD, v=variant_id, q=units)
    buyer = store.plus(authorization=f"Bearer {added.headers['vendure-auth-token']}")
    yield buyer.ask(CUSTOMER)
    yield buyer.ask(ADDRESS)
    methods = yield buyer.ask("{ eligibleShippingMethods { id } }")
    yield buyer.ask(SHIPPING, i=[methods.json()["data"]["eligibleShippingMethods"][0]["id"]])
    yield buyer.ask(READY)
    paid = yield buyer.ask(PAY)
    return str(paid.json()["data"]["addPaymentToOrder"]["state"])


@pytest.fixture(scope="session")
def bench(shop: dict[str, Any]) -> Iterator[RealBench]:
    http = Http()
    yield RealBench(shop, http)
    http.close()


class TestTheRealShop(VendureCases):
    """What the sink does with a running Vendure."""
