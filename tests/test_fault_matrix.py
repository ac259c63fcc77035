"""Each fault, at each stage, blocking and awaiting: afterwards the cart shows exactly what it should."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fault_matrix import FAULTS, STAGES, WAITED_OUT, WAYS, Trouble, World, happens, healthy_runs, survived

from omsync.testing import CartFault, FaultyCart

DOCS = Path(__file__).parents[1] / "docs"
CELLS = [(fault, stage) for fault in FAULTS for stage in STAGES if happens(fault, stage)]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("promises_table", DOCS / "promises_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("fault", "stage"), CELLS, ids=lambda one: str(one).replace(" ", "_"))
def test_a_fault_is_survived(fault: str, stage: str, way: str) -> None:
    assert max(survived(fault, stage, way)) <= 2


@pytest.mark.parametrize("lasts", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("fault", "stage"), [one for one in CELLS if one[0] in WAITED_OUT], ids=str)
def test_a_fault_that_is_waited_out_over_http_is_survived(
    fault: str, stage: str, way: str, lasts: bool
) -> None:
    assert healthy_runs(Trouble(fault=fault, stage=stage, lasts=lasts), way) <= 1


@pytest.mark.parametrize(("fault", "stage"), [one for one in CELLS if one[1] != "ledger"], ids=str)
def test_blocking_and_awaiting_need_the_same_runs(fault: str, stage: str) -> None:
    assert survived(fault, stage, "blocking") == survived(fault, stage, "awaiting")


def test_the_table_in_the_docs_is_what_happened(script: ModuleType) -> None:
    text = (DOCS / "promises.md").read_text()
    assert script.page_with_table(text) == text, "run: python docs/promises_table.py"


# The matrix notices what it is for.


def test_a_cart_that_is_never_told_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FaultyCart, "add_faults", _for_ever(FaultyCart.add_faults))
    monkeypatch.setattr(FaultyCart, "clear_faults", lambda _: None)
    with pytest.raises(AssertionError, match="after 3 healthy runs"):
        healthy_runs(Trouble(fault="not_applied", stage="push"), "blocking", served=False)


def test_a_row_that_is_written_twice_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    run = World.run

    def run_and_sell_back(self: World, *args: Any, **options: Any) -> Any:
        report = run(self, *args, **options)
        self.cart.platform.effects.extend(self.cart.effects[-1:])
        return report

    monkeypatch.setattr(World, "run", run_and_sell_back)
    with pytest.raises(AssertionError, match="twice"):
        healthy_runs(Trouble(fault="reordered", stage="push"), "blocking", served=False)


def _for_ever(add: Callable[..., None]) -> Callable[..., None]:
    def add_all(self: FaultyCart, *faults: CartFault) -> None:
        add(self, *(CartFault(kind=fault.kind, on=fault.on, times=None) for fault in faults))

    return add_all
