"""What the package promises: its names, equal signatures in both kinds, docstrings, a quiet import."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import omsync
from omsync import aio, flows, sync

PROMISED = """
sync_cart sync_carts plan_cart push_plan read_inventory compare allocate product_view load_settings
Sku Alias Warehouse SalesChannel Bundle Component StockLevel InventorySnapshot
MerchantSettings CartSettings QuantityRules SkuOverride Frequency PerWarehouse PerSalesChannel
OrderManagerSource CartSink Ledger SyncPlan SyncReport Comparison Difference OmsyncError
"""

MODULES = sorted(name for _, name, _ in pkgutil.walk_packages(omsync.__path__, "omsync."))


def public(module: Any) -> Iterator[tuple[str, Any]]:
    for name in module.__all__:
        yield name, getattr(module, name)


def test_the_names_that_other_people_s_code_calls_are_there() -> None:
    assert set(PROMISED.split()) <= set(omsync.__all__)


def test_the_public_names_are_sorted_and_all_of_them() -> None:
    tree = ast.parse(Path(omsync.__file__).read_text())
    # What type checkers are told is what there is, each name from the room that it comes from.
    told = {
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("omsync.")
        for alias in node.names
    }

    assert list(omsync.__all__) == sorted(omsync.__all__)
    assert set(omsync.__all__) == {name for _, name in told}
    for module, name in told:
        assert getattr(omsync, name) is getattr(importlib.import_module(str(module)), name)
    assert set(omsync.__all__) <= set(dir(omsync))
    with pytest.raises(AttributeError, match="module 'omsync' has no attribute 'sink'"):
        omsync.sink  # type: ignore[attr-defined]  # noqa: B018  that is what is tried


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_for_and_names_only_what_it_has(name: str) -> None:
    module = importlib.import_module(name)

    assert (module.__doc__ or "").strip()
    assert all(hasattr(module, each) for each in getattr(module, "__all__", ()))


@pytest.mark.parametrize(("name", "value"), list(public(omsync)), ids=lambda value: str(value)[:40])
def test_every_public_thing_and_its_methods_have_a_docstring(name: str, value: Any) -> None:
    if not inspect.isclass(value):
        assert inspect.getdoc(value) or not callable(value), name
        return
    assert value.__doc__, name
    for attribute, member in vars(value).items():
        inner = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if not attribute.startswith("_") and inspect.isfunction(inner):
            assert inspect.getdoc(inner), f"{name}.{attribute}"


@pytest.mark.parametrize("name", sync.__all__)
def test_blocking_and_awaiting_functions_have_equal_signatures(name: str) -> None:
    blocking, awaiting = getattr(sync, name), getattr(aio, name)

    assert inspect.iscoroutinefunction(awaiting)
    assert not inspect.iscoroutinefunction(blocking)
    assert getattr(omsync, name) is blocking
    ours, theirs = (inspect.signature(each).parameters.values() for each in (blocking, awaiting))
    assert [(one.name, one.kind, one.default) for one in ours] == [
        (one.name, one.kind, one.default) for one in theirs
    ]


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("omsync.views")])
def test_what_is_looked_at_is_told_the_moment_by_its_name(name: str) -> None:
    module = importlib.import_module(name)
    functions = [value for _, value in public(module) if inspect.isfunction(value)]
    moments = [each for one in functions if (each := inspect.signature(one).parameters.get("now"))]

    assert {one.kind for one in moments} <= {inspect.Parameter.KEYWORD_ONLY}


def test_the_awaiting_names_are_those_of_the_blocking_ones() -> None:
    assert aio.__all__ == sync.__all__
    assert set(flows.__all__) >= {"read_flow", "plan_flow", "push_flow", "sync_flow", "sync_many_flow"}


def test_importing_does_nothing() -> None:
    program = """
import logging, os, socket, sys, threading, warnings
warnings.simplefilter("error")
before = set(os.environ.items()), os.listdir("."), list(sys.path)
def refuse(*_, **__): raise AssertionError("a socket at import")
socket.socket.connect = refuse
import omsync, omsync.aio
assert threading.active_count() == 1, threading.enumerate()
assert logging.getLogger().handlers == [], logging.getLogger().handlers
handlers = logging.getLogger("omsync").handlers
assert handlers == [], handlers
assert logging.getLogger("omsync").level == logging.NOTSET
assert (set(os.environ.items()), os.listdir("."), list(sys.path)) == before
print("quiet")
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (result.stdout, result.stderr) == ("quiet\n", "")


def test_importing_omsync_imports_none_of_its_dependencies_yet() -> None:
    program = "import omsync, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert {"attrs", "cattrs", "httpx", "tenacity", "asyncio"} & set(done.stdout.split()) == set()


def test_the_core_needs_neither_sources_nor_sinks_nor_the_testing_tools() -> None:
    program = "from omsync import *; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    apart = {f"omsync.{part}" for part in ("sources", "sinks", "ledgers", "testing")} | {
        "hypothesis",
        "sqlalchemy",
        "sqlite3",
    }

    assert apart & set(done.stdout.split()) == set()
