"""Real shapes made wrong, for every decoder: whatever comes, only errors with a name come out.

``nox -s fuzz`` tries many more. An answer that is changed and still makes sense may of course be believed.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import pytest
from conformance_benches import BENCHES
from edi846_partner import acknowledgement, envelope
from extensiv_desk import order_manager
from fake_memory import FakeClock
from fake_ports import DictLedger, stock
from fuzzing import FUZZ, Changing, only_named_errors, tryton_of_the_tests
from hypothesis import given
from hypothesis import strategies as st

from omsync import (
    CartSettings,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    SyncPlan,
    allocate,
    load_plan,
    plan_cart,
    read_inventory,
    sync_cart,
)
from omsync.config import parse_settings
from omsync.config.loading import read_units
from omsync.http.messages import Handler, Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import ReadRequest
from omsync.sinks.edi846.acknowledgement import read_interchanges
from omsync.sources.files import CsvExports, CsvFolder, Dialect, Export, JsonSnapshot, write_folder
from omsync.sources.integration_manager import IntegrationManager
from omsync.testing import OrderManagerSandbox, demo_merchant
from omsync.testing.integration_manager import IntegrationManagerSandbox
from omsync.testing.mutations import mutated, mutated_bytes

SEEDS = st.integers(min_value=0, max_value=2**64 - 1)
CARTS = [name for name in BENCHES if not name.startswith(("csv", "jsonl"))]
ONCE = RetryPolicy(attempts=2, first_wait=0.0)
CART = CartSettings(name="shop")
WAREHOUSES, CHANNELS = MerchantSettings(mode=PerWarehouse()), MerchantSettings(mode=PerSalesChannel())
FIGURES = {"MUG": 5, "CUP": 6, "JUG": 0}


# Order managers.


def extensiv(handler: Handler) -> Any:
    return order_manager(handler, retry=ONCE, acknowledge="exclusive")


def integration_manager(handler: Handler) -> Any:
    return IntegrationManager(api_user="u", api_key="k", retry=ONCE, handler=handler)


def an_extensiv() -> Handler:
    return OrderManagerSandbox(demo_merchant()).handle


def an_integration_manager() -> Handler:
    return IntegrationManagerSandbox(demo_merchant()).handle


def a_tryton() -> Handler:
    fake: Handler = tryton_of_the_tests().small()
    return fake


def tryton(kind: str, handler: Handler) -> Any:
    return getattr(tryton_of_the_tests(), kind)(handler, retry=ONCE)


SOURCES: dict[str, tuple[Callable[[], Handler], Callable[[Handler], Any], MerchantSettings]] = {
    "extensiv, warehouses": (an_extensiv, extensiv, WAREHOUSES),
    "extensiv, channels": (an_extensiv, extensiv, CHANNELS),
    "integration manager": (an_integration_manager, integration_manager, WAREHOUSES),
    "tryton, login": (a_tryton, functools.partial(tryton, "by_login"), WAREHOUSES),
}


@pytest.mark.parametrize("name", SOURCES)
@FUZZ
@given(seed=SEEDS)
def test_an_order_manager_that_answers_nonsense_gives_a_named_error(name: str, seed: int) -> None:
    there, make, merchant = SOURCES[name]
    changing = Changing(there(), Random(seed))
    source, ledger = make(changing.handle), DictLedger()

    def work() -> None:
        for _ in range(2):
            snapshot = read_inventory(source, merchant, ledger=ledger, clock=FakeClock())
            allocate(snapshot, merchant, attrs.evolve(CART, location=_a_channel(snapshot, merchant)))

    only_named_errors(work, given=changing.log)


def _a_channel(snapshot: Any, merchant: MerchantSettings) -> str | None:
    channels = snapshot.sales_channels
    return channels[0].id if merchant is CHANNELS and channels else None


# Carts.


@pytest.mark.parametrize("name", [one for one in CARTS if not one.startswith("edi")])
@FUZZ
@given(seed=SEEDS)
def test_a_cart_that_answers_nonsense_gives_a_named_error(name: str, seed: int) -> None:
    with TemporaryDirectory() as folder:
        bench = BENCHES[name](Path(folder), 0)
        sink: Any = bench.sink
        changing = Changing(sink.handler, Random(seed))
        sink = attrs.evolve(sink, handler=changing.handle, retry=ONCE)
        ledger = SqliteLedger(Path(folder) / "omsync.db")

        def work() -> None:
            for figures in (FIGURES, {"MUG": 3, "CUP": 8}):
                sync_cart(stock(figures), sink, CART, merchant=WAREHOUSES, ledger=ledger, clock=FakeClock())

        with ledger:
            only_named_errors(work, given=changing.log)


# Files.


@FUZZ
@given(seed=SEEDS)
def test_a_partner_s_acknowledgement_of_nonsense_gives_a_named_error(seed: int) -> None:
    chance = Random(seed)
    kind, code = chance.choice(("997", "999")), chance.choice("AEPR")
    text = envelope(acknowledgement(7, {1: "A", 2: code}, code, kind=kind, because="AK3*LIN*3**8"))
    for _ in range(chance.randint(1, 3)):
        text = mutated_bytes(text.encode(), chance).decode("latin-1")

    only_named_errors(lambda: read_interchanges(text), given=text)


def _changed_folder(folder: Path, chance: Random) -> None:
    path = chance.choice(sorted(folder.iterdir()))
    path.write_bytes(mutated_bytes(path.read_bytes(), chance))


def _a_read(source: Any) -> Callable[[], object]:
    now = FakeClock().now()
    return lambda: source.read(ReadRequest(merchant=WAREHOUSES, now=now))


def _a_snapshot() -> Any:
    return read_inventory(order_manager(an_extensiv()), WAREHOUSES, clock=FakeClock())


SNAPSHOT = functools.cache(_a_snapshot)


@FUZZ
@given(seed=SEEDS)
def test_a_folder_of_nonsense_gives_a_named_error(seed: int) -> None:
    chance = Random(seed)
    with TemporaryDirectory() as name:
        write_folder(SNAPSHOT(), name)
        _changed_folder(Path(name), chance)

        only_named_errors(_a_read(CsvFolder(name)), given=seed)


@FUZZ
@given(seed=SEEDS)
def test_an_export_of_nonsense_gives_a_named_error(seed: int) -> None:
    chance = Random(seed)
    with TemporaryDirectory() as name:
        path = Path(name) / "stock.csv"
        path.write_bytes(mutated_bytes(b"Code;Lager;Menge\r\nMUG;Reno;5\r\n'CUP';Ohio;1.200\r\n", chance))
        columns = {"master_sku": "Code", "location_id": "Lager", "on_hand": "Menge"}
        source = CsvExports(name, stock=Export("stock.csv", columns=columns), dialect=Dialect(delimiter=";"))

        only_named_errors(_a_read(source), given=seed)


@FUZZ
@given(seed=SEEDS)
def test_a_snapshot_file_of_nonsense_gives_a_named_error(seed: int) -> None:
    chance = Random(seed)
    with TemporaryDirectory() as name:
        path = Path(name) / "snapshot.json"
        value = json.loads(_written())
        path.write_text(json.dumps(mutated(value, chance, changes=chance.randint(1, 3))))

        only_named_errors(_a_read(JsonSnapshot(path)), given=seed)


@functools.cache
def _written() -> str:
    from omsync.serial.values import to_json

    return to_json(SNAPSHOT())


@FUZZ
@given(seed=SEEDS)
def test_units_of_nonsense_give_a_named_error(seed: int) -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / "units.csv"
        path.write_bytes(mutated_bytes(b'listing_sku,units\nsix-pack,6\n"a, b",12\n', Random(seed)))

        only_named_errors(lambda: read_units(path), given=seed)


# What people and omsync itself wrote down.

SETTINGS = """
[merchant]
name = "acme"
mode = { per = "warehouse", disabled = ["Amazon FBA US"] }
frequency = "every 1 hour"
[merchant.source]
token = { env = "ORDER_MANAGER_TOKEN" }
[[cart]]
name = "acme-us"
only = ["MUG-01", "MUG-02"]
units = { "six-pack" = 6 }
frequency = "daily at 06:00, 18:00 in America/New_York"
[cart.rules]
percent = 90
[cart.overrides."MUG-01".rules]
max_quantity = 10
[cart.sink]
retries = [1, 2]
"""


@FUZZ
@given(seed=SEEDS)
def test_settings_of_nonsense_give_a_named_error(seed: int) -> None:
    chance = Random(seed)
    text = SETTINGS
    for _ in range(chance.randint(1, 3)):
        text = mutated_bytes(text.encode(), chance).decode(errors="replace")

    only_named_errors(lambda: parse_settings(text), given=text)


@functools.cache
def _plan() -> str:
    with TemporaryDirectory() as name:
        sink: Any = BENCHES["saleor"](Path(name), 0).sink
        plan: SyncPlan = plan_cart(stock(FIGURES), sink, CART, merchant=WAREHOUSES, clock=FakeClock())
        return plan.to_json()


@FUZZ
@given(seed=SEEDS)
def test_a_saved_plan_of_nonsense_gives_a_named_error(seed: int) -> None:
    chance = Random(seed)
    text = json.dumps(mutated(json.loads(_plan()), chance, changes=chance.randint(1, 3)))

    only_named_errors(lambda: load_plan(text), given=text)


def test_a_response_of_any_bytes_is_json_or_a_named_error() -> None:
    for seed in range(200):
        content = mutated_bytes(b'{"data": [1, {"a": "b"}]}', Random(seed))
        response = Response(status=200, content=content, place=Request(method="GET", url="u").place)

        only_named_errors(response.json, given=content)
