"""The pages of a read that has not finished, kept so that a first read of hours goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen

from omsync.http.steps import Steps, call
from omsync.ports import SourceMemory
from omsync.sources.extensiv.rows import pack_page
from omsync.sources.extensiv.stock import StockPage

__all__ = ["Journal", "digest_of", "open_journal"]

NAMESPACE = "extensiv/read"
_HEAD = "head"


def digest_of(*facts: Any) -> str:
    """Give a short fingerprint of settings, so that a change of them is noticed."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@frozen(kw_only=True)
class Journal:
    """One read's pages.

    Args:
        memory: Where they are kept; None: nowhere.
        started_at: When the read began, perhaps in an earlier run that did not finish.
        since: Products and listings are asked for from this moment on; None: for all.
    """

    memory: SourceMemory | None
    started_at: datetime
    since: datetime | None
    _kept: dict[str, str] = field(factory=dict, repr=False)

    def pages(self, stream: str) -> Iterator[str]:
        """Give the pages that are kept of a stream, from the first on, without a gap; each once.

        A page that was given is let go, since the read goes on for hours; the memory keeps it.
        """
        number = 1
        while (text := self._kept.pop(_page_key(stream, number), None)) is not None:
            yield text
            number += 1

    def keep(self, pages: Mapping[tuple[str, int], StockPage | list[Any]]) -> Steps[None]:
        """Keep pages, by stream and number, durably."""
        if self.memory is not None and pages:
            entries = {
                _page_key(stream, number): page.pack() if isinstance(page, StockPage) else pack_page(page)
                for (stream, number), page in pages.items()
            }
            yield from call(self.memory.remember, NAMESPACE, entries)

    def drop(self) -> Steps[None]:
        """Drop all pages: the read has finished, or cannot be finished from them."""
        if self.memory is not None:
            yield from call(self.memory.forget, NAMESPACE)


def open_journal(
    memory: SourceMemory | None,
    *,
    now: datetime,
    digest: str,
    since: datetime | None,
    resume_within: timedelta,
) -> Steps[Journal]:
    """Go on with an unfinished read of the same settings that is young enough, or begin a new one."""
    if memory is None:
        return Journal(memory=None, started_at=now, since=since)
    kept = yield from call(memory.recall, NAMESPACE)
    head = json.loads(kept.get(_HEAD, "{}"))
    if head.get("digest") == digest:
        started_at = datetime.fromisoformat(head["started_at"])
        if timedelta(0) <= now - started_at <= resume_within:
            asked = head["since"]
            return Journal(
                memory=memory,
                started_at=started_at,
                since=datetime.fromisoformat(asked) if asked else None,
                kept=dict(kept),
            )
    if kept:
        yield from call(memory.forget, NAMESPACE)
    head = {
        "digest": digest,
        "started_at": now.isoformat(),
        "since": since.isoformat() if since else None,
    }
    yield from call(memory.remember, NAMESPACE, {_HEAD: json.dumps(head)})
    return Journal(memory=memory, started_at=now, since=since)


def _page_key(stream: str, number: int) -> str:
    return f"{stream}/{number:07d}"
