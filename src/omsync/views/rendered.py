"""What every view can be turned into: text, CSV, JSON, HTML, a notebook's cell, a terminal's page."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:  # a page is rendered itself
    from omsync.views.page import Page

__all__ = ["Rendered", "written"]


class Rendered(ABC):
    """A view that lays itself out as one ``Page``, and is rendered from that. Renderers are loaded late."""

    __slots__ = ()

    @abstractmethod
    def page(self) -> Page:
        """Lay the view out: facts, tables, trees and charts, in the order of reading."""
        ...

    def __str__(self) -> str:
        from omsync.views.text import to_text

        return to_text(self.page())

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """Give the first table as CSV text; a cell that a spreadsheet would run begins with an apostrophe.

        ``omsync.views.text.to_csv(view.page(), "its title")`` gives another part.

        Args:
            path: Where to write it as well, as UTF-8; what stands there is replaced.
        """
        from omsync.views.text import to_csv

        return written(to_csv(self.page()), path)

    def to_json(self, *, indent: int | None = None) -> str:
        """Give the whole page as JSON."""
        from omsync.views.text import to_json

        return to_json(self.page(), indent=indent)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Give one HTML document that needs nothing else, also offline.

        Args:
            path: Where to write it as well, as UTF-8; what stands there is replaced.
        """
        from omsync.views.html import to_html

        return written(to_html(self.page()), path)

    def _repr_html_(self) -> str:
        from omsync.views.html import to_fragment

        return to_fragment(self.page())

    def print(self, file: TextIO | None = None) -> None:
        """Print the page with colours and drawn tables, to the terminal or a file.

        Raises:
            OmsyncError: rich is not installed; names the extra. ``print(view)`` needs nothing.
        """
        from omsync.views.terminal import print_page

        print_page(self.page(), file)


def written(text: str, path: str | os.PathLike[str] | None) -> str:
    """Give the text; with a path write it there as well, as UTF-8 and with the line ends that it has."""
    if path is not None:
        Path(path).write_text(text, encoding="utf-8", newline="")
    return text
