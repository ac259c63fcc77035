"""HTML made so that nothing can be forgotten to be escaped: only what ``element`` made is markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from omsync.views.cells import visible

__all__ = ["Html", "element", "joined", "ready"]

_VOID = {"input", "link", "meta"}


class Html(str):
    """Markup; every other text is only text."""

    __slots__ = ()


def element(name: str, /, *inside: str, **attributes: str | int | bool | None) -> Html:
    """Make an element; text inside it and in its attributes is escaped, and hidden letters are shown.

    Args:
        name: Its name.
        inside: Texts and other elements.
        attributes: ``class_="a"`` is ``class="a"``, ``aria_label`` is ``aria-label``; True gives the bare
            name, None and False leave it out.
    """
    given = "".join(
        f" {_named(key)}" if value is True else f' {_named(key)}="{escape(visible(str(value)))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    opening = f"<{name}{given}>"
    return Html(opening if name in _VOID else f"{opening}{joined(inside)}</{name}>")


def joined(inside: Iterable[str]) -> Html:
    """Put texts and elements one after another."""
    return Html("".join(part if isinstance(part, Html) else escape(visible(part)) for part in inside))


def ready(markup: str) -> Html:
    """Take text for markup, because we wrote it or a library did that escapes by itself."""
    return Html(markup)


def _named(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
