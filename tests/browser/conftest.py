"""One headless Chromium for all tests of this folder, which notes what it asks for and complains of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser, driver
from demo_page import demo_page, large_page

from omsync.views.html import to_fragment, to_html


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Start Chromium with a profile of its own; OMSYNC_PICTURES names a folder that keeps the pictures."""
    pictures = Path(os.environ.get("OMSYNC_PICTURES") or tmp_path_factory.mktemp("pictures"))
    pictures.mkdir(parents=True, exist_ok=True)
    driven = driver(tmp_path_factory.mktemp("profile"))
    try:
        yield Browser(driven, pictures)
    finally:
        driven.quit()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """Give the browser; afterwards the page must have asked for nothing and complained of nothing."""
    yield chromium
    assert chromium.complaints() == []
    assert chromium.requests() == []


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a plan of 300 rows, with hostile names."""
    path = tmp_path_factory.mktemp("plan") / "plan.html"
    path.write_text(to_html(demo_page()), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a plan of ten rows."""
    path = tmp_path_factory.mktemp("short") / "short.html"
    path.write_text(to_html(demo_page(10)), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 20,000 products, each explained."""
    path = tmp_path_factory.mktemp("catalogue") / "catalogue.html"
    path.write_text(to_html(large_page()), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a page with the fragment of a plan between other things, as in a notebook that is dark."""
    path = tmp_path_factory.mktemp("notebook") / "notebook.html"
    around = "<table id='other'><caption>theirs</caption><tr><th>other</th></tr></table>"
    inside = f"<body data-jp-theme-light='false'>{around}{to_fragment(demo_page())}"
    path.write_text(f"<!doctype html><meta charset='utf-8'><title>Notebook</title>{inside}", encoding="utf-8")
    return path
