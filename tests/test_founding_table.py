"""The table in ``docs/founding-document.md``: complete, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from attrs import frozen

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "founding-document.md"

# Sentences of the founding document, counted by hand: list entries and the two field names of step 4 count
# as sentences, headings do not. The document itself is not ours to publish.
SENTENCES = {
    "How to enable inventory sync": 19,
    "How to view inventory sync data": 6,
    "Bundles": 10,
    "Inventory sync mode": 2,
    "Inventory by sales channel": 21,
    "Inventory by warehouse": 11,
}

HEADING = re.compile(r"## (?P<number>\d+)\. (?P<title>.+)")
NUMBER = re.compile(r"(?P<section>\d+)\.(?P<sentence>\d+)(?P<clause>[a-z]?)")
NAMED_TEST = re.compile(r"`(?P<path>[^`:]+)::(?P<names>[^`]+)`")


@frozen(kw_only=True)
class Row:
    """One row of the table: a sentence, or a clause of one."""

    section: str
    number: str
    cells: tuple[str, ...]

    @property
    def tests(self) -> tuple[str, ...]:
        """Give the tests that the row names."""
        return tuple(f"{found['path']}::{found['names']}" for found in NAMED_TEST.finditer(self.cells[-1]))

    @property
    def sentence(self) -> str:
        """Give the number without the letter of a clause."""
        return self.number.rstrip("abcdefghij")


def rows_of(page: str) -> Iterator[Row]:
    """Give every row under a numbered heading, without the tables' heads."""
    section = ""
    for line in page.splitlines():
        if heading := HEADING.fullmatch(line):
            section = heading["title"]
        elif line.startswith("|") and not line.startswith(("| # |", "|---")):
            number, *cells = (cell.strip() for cell in line.strip("|").split(" | "))
            yield Row(section=section, number=number, cells=tuple(cell.rstrip(" |") for cell in cells))


@cache
def names_of_tests(path: Path) -> frozenset[str]:
    """Give the names of a module's tests, ``Class::name`` inside classes, without importing it."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}::{inner.name}"
                for inner in node.body
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return frozenset(name for name in names if name.rpartition("::")[2].startswith("test_"))


def findings(page: str) -> list[str]:
    """Say what is wrong with the table: incomplete rows, missing sentences, tests that are not there."""
    rows = list(rows_of(page))
    found: list[str] = []
    for row in rows:
        if len(row.cells) != 3 or not all(row.cells):
            found.append(f"{row.number} has not four filled cells")
        if not row.tests:
            found.append(f"{row.number} names no test")
        found += [
            f"{row.number} names {test}, which is not there" for test in row.tests if not resolves(test)
        ]
    for index, (title, sentences) in enumerate(SENTENCES.items(), start=1):
        numbers = [row.sentence for row in rows if row.section == title]
        expected = [f"{index}.{sentence}" for sentence in range(1, sentences + 1)]
        if list(dict.fromkeys(numbers)) != expected:
            found.append(f"{title!r} has the sentences {numbers}, and not {expected}")
    return found


def resolves(test: str) -> bool:
    """Tell whether a test such as ``tests/test_x.py::test_name`` is there."""
    path, _, name = test.partition("::")
    return (ROOT / path).is_file() and name in names_of_tests(ROOT / path)


def test_every_sentence_has_its_row_and_every_row_a_test_that_is_there() -> None:
    assert findings(PAGE.read_text(encoding="utf-8")) == []


def test_every_row_is_under_one_of_the_documents_sections_and_numbered() -> None:
    rows = list(rows_of(PAGE.read_text(encoding="utf-8")))
    assert {row.section for row in rows} == set(SENTENCES)
    assert all(NUMBER.fullmatch(row.number) for row in rows)
    assert len({row.number for row in rows}) == len(rows) >= sum(SENTENCES.values())


def test_every_test_of_the_founding_document_has_its_row() -> None:
    named = {test for row in rows_of(PAGE.read_text(encoding="utf-8")) for test in row.tests}
    module = "tests/test_founding_document.py"
    assert {f"{module}::{name}" for name in names_of_tests(ROOT / module)} <= named


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("::test_a_read_says_how_far_it_is`", "::test_renamed`", "test_renamed, which is not there"),
        ("tests/test_sqlite_ledger.py::", "tests/test_gone.py::", "which is not there"),
        ("| 4.2 |", "| 4.3 |", "'Inventory sync mode' has the sentences"),
        ("`tests/test_founding_document.py::test_by_channel_no_warehouse_is_seen`", "tests", "names no test"),
        ("| Mostly EDI. |", "|  |", "5.21 has not four filled cells"),
    ],
)
def test_a_table_with_a_gap_is_found_out(old: str, new: str, finding: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert old in page
    assert any(finding in one for one in findings(page.replace(old, new)))


def test_a_table_without_a_row_or_a_section_is_found_out() -> None:
    lines: Sequence[str] = PAGE.read_text(encoding="utf-8").splitlines()
    for gone in ("| 1.7 |", "| 6.11 |", "## 3. Bundles"):
        assert findings("\n".join(line for line in lines if not line.startswith(gone)))


def test_tests_are_found_by_reading_and_helpers_are_none(tmp_path: Path) -> None:
    module = tmp_path / "test_x.py"
    module.write_text(
        "raise SystemExit\n"
        "def helper(): ...\n"
        "def test_plain(): ...\n"
        "async def test_awaiting(): ...\n"
        "class TestGroup:\n"
        "    def test_inside(self): ...\n"
        "    def helper(self): ...\n"
    )
    assert names_of_tests(module) == {"test_plain", "test_awaiting", "TestGroup::test_inside"}
