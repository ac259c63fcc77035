"""Bad input, over a real socket: one clear error with code, place and remedy, and nothing is pushed."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_ports import Awaiting, Blocking, DictLedger, FakeCart, FakeClock, Shell

from omsync import CartSettings, MerchantSettings, OmsyncError, PerSalesChannel, PerWarehouse, load_settings
from omsync.errors import DecodeError, SettingsError, UnauthorizedError, UnreachableError
from omsync.http.retrying import RetryPolicy
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import Fault, OrderManagerSandbox

TOKEN = "tok-4711-secret"
BY_WAREHOUSE = MerchantSettings(mode=PerWarehouse())
BY_CHANNEL = MerchantSettings(mode=PerSalesChannel())
SHOP = CartSettings(name="shop")
TOTALS = "GET /v1/productstocks/total"


@pytest.fixture(params=[Blocking(), Awaiting(twins=False)], ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


@pytest.fixture
def sandbox() -> Iterator[OrderManagerSandbox]:
    sandbox = OrderManagerSandbox(token=TOKEN)
    yield sandbox
    sandbox.stop()


@pytest.fixture
def failure(
    shell: Shell, sandbox: OrderManagerSandbox, caplog: pytest.LogCaptureFixture
) -> Callable[..., OmsyncError]:
    """Give a way to sync that must fail: it checks what holds for every failure and gives the error."""

    def fail(
        cart: CartSettings = SHOP, *, merchant: MerchantSettings = BY_WAREHOUSE, **options: Any
    ) -> OmsyncError:
        given = {"token": TOKEN, "base_url": sandbox.start().base_url, "retry": RetryPolicy(attempts=3)}
        source = ExtensivOrderManager(**{**given, **options})
        sink, ledger = FakeCart(creates_listings=True), DictLedger()

        with pytest.raises(OmsyncError) as caught:
            shell.sync_cart(source, sink, cart, merchant=merchant, ledger=ledger, clock=FakeClock())

        error = caught.value
        run = ledger.runs(merchant.name, cart.name)[0]
        assert sink.pushes == []
        assert (run.status, run.code) == ("failed", error.code)
        assert run.message == "; ".join((error.message, *error.problems))
        assert error.remedy
        told = [str(error), repr(error), repr(source), caplog.text, run.message, str(run)]
        told += traceback.format_exception(error)
        assert str(options.get("token", TOKEN)) not in "\n".join(told)
        return error

    return fail


def test_a_wrong_token(failure: Callable[..., OmsyncError], sandbox: OrderManagerSandbox) -> None:
    error = failure(token="wrong-but-secret-all-the-same")

    assert isinstance(error, UnauthorizedError)
    assert error.code == "unauthorized"
    assert f"GET {sandbox.start().base_url}/v1/throttlelimits" in error.message
    assert "(HTTP 401)" in error.message
    assert "Check the token" in error.remedy
    assert len(sandbox.requests) == 1


def test_an_unreachable_host(failure: Callable[..., OmsyncError]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"

    error = failure(base_url=nowhere)

    assert isinstance(error, UnreachableError)
    assert error.code == "unreachable"
    assert f"GET {nowhere}/v1/throttlelimits: no connection" in error.message
    assert "Check the address, the network" in error.remedy


@pytest.mark.parametrize(
    ("kind", "what"),
    [("html", "it is HTML or XML"), ("truncated_json", "it begins like JSON and is broken or cut off")],
)
def test_an_answer_that_is_html_or_truncated_json(
    failure: Callable[..., OmsyncError], sandbox: OrderManagerSandbox, kind: str, what: str
) -> None:
    sandbox.add_faults(Fault(on="GET /v1.1/products", kind=kind, times=None))

    error = failure()

    assert isinstance(error, DecodeError)
    assert error.code == "not_json"
    assert "/v1.1/products?" in error.message
    assert what in error.message
    assert "maintenance page" in error.remedy


@pytest.mark.parametrize("wrong", ["12", 12.5, True])
def test_a_quantity_as_text(
    failure: Callable[..., OmsyncError], sandbox: OrderManagerSandbox, wrong: object
) -> None:
    def as_text(rows: Any) -> Any:
        rows[0]["onHandQuantity"] = wrong
        return rows

    sandbox.add_faults(Fault(on=TOTALS, kind="replace", edit=as_text, times=None))

    error = failure()

    assert isinstance(error, DecodeError)
    assert error.code == "bad_field"
    assert "/v1/productstocks/total?" in error.message
    (problem,) = error.problems
    assert "onHandQuantity" in problem
    assert repr(wrong) in problem


def test_an_unknown_warehouse_in_the_cart_s_or_in_the_merchant_s_settings(
    failure: Callable[..., OmsyncError],
) -> None:
    disabled = MerchantSettings(mode=PerWarehouse(disabled={"Amazon FBA UK"}))
    for error, name in (
        (
            failure(CartSettings(name="shop", location="Rneo DC")),
            "'Rneo DC' in the location of the cart 'shop'",
        ),
        (failure(merchant=disabled), "'Amazon FBA UK' in disabled"),
    ):
        assert isinstance(error, SettingsError)
        assert error.code == "unknown_location"
        assert name in error.message
        assert "'Reno DC' (701)" in error.remedy


def test_a_channel_mode_cart_without_a_channel_is_refused_before_anything_is_read(
    failure: Callable[..., OmsyncError], sandbox: OrderManagerSandbox
) -> None:
    error = failure(merchant=BY_CHANNEL, acknowledge="exclusive")

    assert isinstance(error, SettingsError)
    assert error.code == "choose_one_channel"
    assert "The cart 'shop' names no single location" in error.message
    assert "this merchant is in channel mode; choose one channel" in error.message
    assert "Set location= to a channel's id or exact name." in error.remedy
    assert not sandbox.requests


def test_a_settings_file_with_a_typo(tmp_path: Path) -> None:
    file = tmp_path / "omsync.toml"
    file.write_text(
        '[merchant]\nmode = { per = "warehouse" }\n\n[[cart]]\nname = "shop"\n[cart.rules]\npercnt = 90\n'
    )

    with pytest.raises(SettingsError) as caught:
        load_settings(file)

    assert caught.value.code == "settings_file"
    assert str(file) in str(caught.value)
    assert "percnt" in str(caught.value)
    assert "'percent'" in str(caught.value)
