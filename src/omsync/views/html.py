"""A page as one HTML document that needs nothing else, or as a fragment for a notebook's cell."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from omsync.views._html_parts import Extent, body
from omsync.views._markup import element, joined, ready
from omsync.views.page import Page

__all__ = ["to_fragment", "to_html"]

_DOCUMENT = Extent(
    rows=200,
    with_data=True,
    heading=1,
    rest="They are in this file too: a browser of 2024 or later shows, searches and sorts them.",
)
_FRAGMENT = Extent(rows=50, with_data=False, heading=2, rest="to_html() writes a file with all of them.")


def to_html(page: Page) -> str:
    """Give a page as an HTML document in one piece; it asks no network for anything, and may not.

    The first rows of a table stand in it as they are, and all rows as data, from which the document's own
    script searches, sorts, filters and turns pages. No other script can run in it, whatever a SKU says.
    """
    head = (
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy()),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("link", rel="icon", href="data:,"),
        element("title", page.title),
        element("style", ready(_asset("page.css"))),
    )
    inside = (
        body(page, _DOCUMENT),
        element("footer", "Made by omsync. This file is complete: it loads nothing, and sends nothing."),
        element("script", ready(_asset("page.js"))),
    )
    document = element(
        "html",
        element("head", *head),
        element("body", element("div", *inside, class_="omsync"), class_="omsync-page"),
        lang="en",
    )
    return f"<!doctype html>\n{document}\n"


def to_fragment(page: Page) -> str:
    """Give a page as an element for a notebook's cell: no script, and a style that stays inside."""
    return joined(
        [element("div", element("style", ready(_asset("page.css"))), body(page, _FRAGMENT), class_="omsync")]
    )


def _policy() -> str:
    """Allow the one script by its hash. Styles may be inline: bars have widths, and no style can load."""
    digest = base64.b64encode(hashlib.sha256(_asset("page.js").encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _asset(name: str) -> str:
    return (files("omsync.views") / "assets" / name).read_text(encoding="utf-8")
