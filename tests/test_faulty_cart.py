"""The cart that goes wrong by script: each fault is what its name says, in the process and over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from fake_memory import FakeClock
from fake_ports import stock
from two_runners import RUNNERS

from omsync import CartSettings, MerchantSettings, PerWarehouse, QuantityChange, aio
from omsync.errors import (
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    ThrottledError,
    UnauthorizedError,
)
from omsync.flows import push_batch
from omsync.http.client import Http
from omsync.http.messages import Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.ports import AsyncCartSink, CartSink
from omsync.testing import CART_FAULTS, AsyncFaultyCart, CartFault, Fault, FaultyCart, OrderManagerSandbox

ONCE = RetryPolicy(attempts=1)
CHANGES = [
    QuantityChange(listing_sku="MUG", quantity=0, available=0, shown=3, version="1", key="run:MUG"),
    QuantityChange(listing_sku="CUP", quantity=9, available=9, shown=5, version="1", key="run:CUP"),
]
WRITTEN = {("MUG", None): 0, ("CUP", None): 9}
AS_BEFORE = {("MUG", None): 3, ("CUP", None): 5}

OUTCOMES: dict[str, tuple[Any, dict[Any, int]]] = {
    "throttled": (ThrottledError, AS_BEFORE),
    "throttled_with_hint": (ThrottledError, AS_BEFORE),
    "error_before": (ServerFaultError, AS_BEFORE),
    "error_after": (ServerFaultError, WRITTEN),
    "timeout_before": (LostAnswerError, AS_BEFORE),
    "timeout_after": (LostAnswerError, WRITTEN),
    "reset": (LostAnswerError, WRITTEN),
    "truncated": (DecodeError, WRITTEN),
    "html": (DecodeError, AS_BEFORE),
    "not_applied": ([("MUG", "accepted", 0), ("CUP", "accepted", 9)], AS_BEFORE),
    "applied_twice": ([("MUG", "accepted", 0), ("CUP", "accepted", 9)], WRITTEN),
    "clamped": ([("MUG", "accepted", 0), ("CUP", "accepted", 1)], {("MUG", None): 0, ("CUP", None): 1}),
    "refuses_zero": ([("MUG", "rejected", None), ("CUP", "accepted", 9)], {**WRITTEN, ("MUG", None): 3}),
    "reordered": ([("CUP", "accepted", 9), ("MUG", "accepted", 0)], WRITTEN),
    "slow_drip": ([("MUG", "accepted", 0), ("CUP", "accepted", 9)], WRITTEN),
    "clock_skew": ([("MUG", "accepted", 0), ("CUP", "accepted", 9)], WRITTEN),
}
"""What a push comes to, and what the cart shows then."""


def cart(*faults: CartFault, **options: Any) -> FaultyCart:
    return FaultyCart({"MUG": 3, "CUP": 5}, faults=faults, **{"retry": ONCE, "timeout": 0.3, **options})


def came_to(work: Any) -> Any:
    """Do the work; give the rows, or the kind of the error."""
    try:
        return [(one.listing_sku, one.status, one.echo) for one in work()]
    except OmsyncError as error:
        return type(error)


@pytest.mark.parametrize("served", [False, True], ids=["in the process", "over HTTP"])
@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
@pytest.mark.parametrize("kind", CART_FAULTS)
def test_a_push_that_meets_a_fault_comes_to(kind: str, run: Any, served: bool) -> None:
    faulty = cart(CartFault(kind=kind))
    with faulty.serve() if served else nullcontext():
        came = came_to(lambda: run(push_batch(faulty, CHANGES), clock=FakeClock()))
    assert (came, faulty.shown()) == OUTCOMES[kind]


@pytest.mark.parametrize("kind", [kind for kind in CART_FAULTS if isinstance(OUTCOMES[kind][0], type)])
def test_a_read_that_meets_a_fault_raises_and_the_next_one_does_not(kind: str) -> None:
    faulty = cart(CartFault(kind=kind, on="read"))
    with pytest.raises(OUTCOMES[kind][0]):
        faulty.read(["MUG"])
    (listing,) = faulty.read(["MUG"])
    assert (listing.quantity, listing.version) == (3, "1")


def test_rows_of_a_read_may_come_in_another_order() -> None:
    plain, reordered = (
        [one.listing_sku for one in faulty.read(["MUG", "CUP"])]
        for faulty in (cart(), cart(CartFault(kind="reordered", on="read")))
    )
    assert plain == reordered[::-1]


def test_the_server_says_for_how_long_to_wait_and_it_is_waited() -> None:
    faulty = cart(CartFault(kind="throttled_with_hint", seconds=40), retry=RetryPolicy(attempts=2))
    clock = FakeClock()
    RUNNERS["blocking"](push_batch(faulty, CHANGES), clock=clock)
    assert faulty.shown() == WRITTEN
    assert clock.waited == 40


def test_faults_are_counted_and_can_be_dropped() -> None:
    faulty = cart(CartFault(kind="error_before", nth=2, times=2, status=500))
    came = [came_to(lambda: faulty.push(CHANGES[:1])) for _ in range(4)]
    assert [one is ServerFaultError for one in came] == [False, True, True, False]
    faulty.add_faults(CartFault(kind="html", times=None), CartFault(kind="throttled"))
    assert came_to(lambda: faulty.push(CHANGES)) is DecodeError
    faulty.clear_faults()
    faulty.push(CHANGES)


def test_what_is_repeated_late_comes_after_the_next_write() -> None:
    faulty = cart(CartFault(kind="applied_twice"))
    faulty.push(CHANGES[:1])
    faulty.push([evolve(CHANGES[0], quantity=7, key="next run:MUG")])
    assert [(one.before, one.after, one.key) for one in faulty.effects] == [
        (3, 0, "run:MUG"),
        (0, 7, "next run:MUG"),
        (7, 0, "run:MUG"),
    ]


def test_a_cart_that_compares_refuses_what_is_repeated_late() -> None:
    faulty = cart(CartFault(kind="applied_twice"), compare_and_set="version")
    faulty.push(CHANGES[:1])
    (listing,) = faulty.read(["MUG"])
    faulty.push([evolve(CHANGES[0], quantity=7, version=listing.version)])
    assert faulty.shown()["MUG", None] == 7
    (late,) = faulty.push(CHANGES[:1])
    assert (late.status, late.reason) == ("conflict", "version_moved")


def test_a_clock_that_is_wrong_dates_an_answer() -> None:
    now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    faulty = cart(CartFault(kind="clock_skew", on="read", seconds=-3600), clock=lambda: now)
    told = []

    def ask() -> None:
        request = Request(
            method="POST",
            url="http://any.invalid/stock/read",
            headers={"authorization": "Bearer faulty-cart-token"},
            body={"skus": ["MUG"]},
        )
        answer = faulty.platform.handle(request)
        told.append((answer.headers["x-cart-time"], answer.json()["rows"][0]["updated_at"]))

    ask()
    early = (now - timedelta(hours=1)).isoformat()
    assert told == [(early, early)]


def test_a_cart_that_is_served_and_one_that_is_not() -> None:
    faulty = cart()
    assert repr(faulty) == "<FaultyCart in the process: 2 listings>"
    with faulty.serve() as server:
        assert server.base_url in repr(faulty)
        assert "twin of <FaultyCart at" in repr(faulty.awaiting)
        assert len(faulty.read(["MUG", "CUP", "NONE"])) == 2
    assert [(asked.method, asked.path) for asked in faulty.requests] == [("POST", "/stock/read")]


def test_a_token_that_is_refused_is_no_empty_cart() -> None:
    faulty = cart(accepts="another-token")
    for work in (lambda: faulty.read(["MUG"]), lambda: faulty.push(CHANGES)):
        with pytest.raises(UnauthorizedError):
            work()
    assert faulty.shown() == AS_BEFORE


def test_other_answers_are_refusals() -> None:
    faulty = cart(handler=lambda request: Response(status=418, content=b"teapot", place=request.place))
    with pytest.raises(RefusedError, match="HTTP 418: 'teapot'"):
        faulty.read(["MUG"])
    request = Request(
        method="DELETE", url="http://any.invalid/", headers={"authorization": "Bearer faulty-cart-token"}
    )
    assert faulty.platform.handle(request).status == 405


def test_locations_and_unknown_listings() -> None:
    faulty = FaultyCart({("MUG", "east"): 1, ("MUG", None): 2})
    (result, other) = faulty.push(
        [
            QuantityChange(listing_sku="MUG", location_id="east", quantity=8, available=8),
            QuantityChange(listing_sku="NONE", quantity=8, available=8),
        ]
    )
    assert (result.location_id, result.echo) == ("east", 8)
    assert (other.status, other.reason) == ("rejected", "not_in_cart")
    assert {one.location_id: one.quantity for one in faulty.read(["MUG"])} == {"east": 8, None: 2}


def test_the_async_twin_is_the_same_cart() -> None:
    faulty = cart(CartFault(kind="not_applied"))
    twin = AsyncFaultyCart(faulty, clock=FakeClock())
    assert isinstance(faulty, CartSink)
    assert isinstance(twin, AsyncCartSink)
    report = asyncio.run(
        aio.sync_cart(
            stock({"MUG": 1}),
            twin,
            CartSettings(name="shop"),
            merchant=MerchantSettings(mode=PerWarehouse()),
            clock=FakeClock(),
        )
    )
    assert report.counts == {"applied": 1}
    assert faulty.shown() == AS_BEFORE


def test_scripts_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="cannot happen to a read"):
        CartFault(kind="clamped", on="read")
    with pytest.raises(InvalidValueError, match="'blind' or 'version'"):
        cart(compare_and_set="maybe")


# The same troubles of the order manager


TOTALS = "GET /v1/productstocks/total"


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http()
    yield client
    client.close()


@pytest.mark.parametrize("served", [False, True], ids=["in the process", "over HTTP"])
@pytest.mark.parametrize(
    ("kind", "came"),
    [
        ("hang_before_processing", LostAnswerError),
        ("hang_after_processing", LostAnswerError),
        ("reset_connection", LostAnswerError),
        ("status_after_processing", 500),
        ("slow_drip", 200),
    ],
)
def test_the_sandbox_hangs_resets_and_drips(kind: str, came: Any, served: bool, http: Http) -> None:
    sandbox = OrderManagerSandbox(faults=[Fault(on=TOTALS, kind=kind)])
    with sandbox.serve() if served else nullcontext() as server:
        base = "http://any.invalid" if server is None else server.base_url
        send = sandbox.handle if server is None else http.send
        request = Request(
            method="GET",
            url=f"{base}/v1/productstocks/total",
            headers={"Authorization": "Bearer sandbox-token"},
            timeout=0.3 if came is LostAnswerError else 30.0,
        )
        if came is LostAnswerError:
            with pytest.raises(LostAnswerError):
                send(request)
        else:
            assert send(request).status == came
        assert send(request).status == 200


def test_the_sandbox_answers_the_last_row_first() -> None:
    plain, reordered = (
        OrderManagerSandbox(faults=faults).handle(
            Request(
                method="GET",
                url="http://any.invalid/v1/warehouses",
                headers={"Authorization": "Bearer sandbox-token"},
            )
        )
        for faults in ((), (Fault(on="GET /v1/warehouses", kind="reordered"),))
    )
    assert plain.json() == reordered.json()[::-1]
    assert len(plain.json()) > 1


def test_acknowledge_that_breaks_after_it_was_carried_out_has_forgotten() -> None:
    lane = "POST /v1.2/inventory/acknowledge"
    sandbox = OrderManagerSandbox(faults=[Fault(on=lane, kind="status_after_processing", status=502)])
    request = Request(
        method="POST",
        url="http://any.invalid/v1.2/inventory/acknowledge",
        query=(("salesChannelId", "45"),),
        headers={"Authorization": "Bearer sandbox-token"},
    )
    assert sandbox.handle(request).status == 502
    assert sandbox.handle(request).json()[0]["productAggregatedQuantities"] == []
