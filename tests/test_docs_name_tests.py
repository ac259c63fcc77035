"""A page that says which test holds something names a test that there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import omsync.testing

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"
KITS = Path(omsync.testing.__file__).parent
PAGES = sorted({*DOCS.rglob("*.md"), *TESTS.parent.glob("*.md")} - {DOCS / "testing.md"})
"""All but the one that shows how to write a test."""
_NAME = re.compile(r"\btest_\w+(?:\.py)?")


def names_in(text: str) -> set[str]:
    """Give what looks like a test, or like a file of tests."""
    return set(_NAME.findall(text))


def functions_of(path: Path) -> set[str]:
    """Give the names of all functions of a file, those of its classes too."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, kinds)}


@pytest.fixture(scope="module")
def there() -> set[str]:
    found: set[str] = set()
    for path in TESTS.rglob("*.py"):
        if "node_modules" not in path.parts:
            found |= {path.name, *functions_of(path)}
    # The conformance kits make a test of each of their checks.
    return found.union(*({f"test_{name}" for name in functions_of(path)} for path in KITS.glob("*.py")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_that_a_page_names_is_there(page: Path, there: set[str]) -> None:
    assert sorted(names_in(page.read_text()) - there) == []


def test_names_are_found_in_prose_and_in_paths() -> None:
    text = "(`test_one_a`, *`test_two`): in `tests/test_three.py`; `shpat_test_four` is a token.\ntest_five"
    assert names_in(text) == {"test_one_a", "test_two", "test_three.py", "test_five"}


def test_functions_of_classes_count_and_words_of_a_comment_do_not(tmp_path: Path) -> None:
    path = tmp_path / "some.py"
    path.write_text("class Cases:\n    async def test_a(self): ...\n    def test_b(self): ...  # test_c\n")
    assert functions_of(path) == {"test_a", "test_b"}
