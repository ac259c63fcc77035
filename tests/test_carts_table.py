"""The docs' table of carts: written from the capabilities in the code, and complete."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import omsync.sinks

ROOT = Path(__file__).parents[1]
SINKS = {
    path.stem
    for path in Path(omsync.sinks.__file__).parent.iterdir()
    if not path.stem.startswith("_") and path.stem != "writing"
}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("carts_table", ROOT / "docs" / "carts_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_in_the_docs_is_what_the_code_says(script: ModuleType) -> None:
    text = (ROOT / "docs" / "carts" / "index.md").read_text()
    assert script.page_with_table(text) == text, "run: python docs/carts_table.py"


def test_every_cart_is_in_the_table_and_has_its_page(script: ModuleType) -> None:
    assert {page for _, page in script.CARTS} == SINKS
    assert all((ROOT / "docs" / "carts" / f"{page}.md").is_file() for page in SINKS)
