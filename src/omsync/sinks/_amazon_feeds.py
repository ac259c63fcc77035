"""Amazon's feeds as conversations: a document of many messages handed in, asked about, and reported on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from omsync.errors import RefusedError
from omsync.http.messages import Conversation, Request, Response
from omsync.http.unpacking import gunzipped
from omsync.sinks._amazon import Access, patches
from omsync.sinks._amazon_answers import Issue, data_of, issues_of, verdict_of, words
from omsync.sinks._http import Wire, encoded_size
from omsync.sinks._jobs import Job, Report
from omsync.sinks._rows import Verdict

__all__ = ["look", "message_of", "room_for_messages", "submit"]

JSON = "application/json; charset=UTF-8"
_FEEDS = "/feeds/2021-06-30"
_OK = 200
_GZIP = b"\x1f\x8b"
_SEVERAL = 3


def message_of(number: int, sku: str, product_type: str, units: Mapping[str, int]) -> dict[str, Any]:
    """Give one message of a feed; it changes quantities only, and makes no listing for an unknown SKU."""
    return {
        "messageId": number,
        "sku": sku,
        "operationType": "PATCH",
        "productType": product_type,
        "patches": patches(units),
    }


def document_of(access: Access, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give a whole feed document."""
    header = {"sellerId": access.seller_id, "version": "2.0", "issueLocale": access.issue_locale}
    return {"header": header, "messages": messages}


def room_for_messages(access: Access, most: int) -> int:
    """Give the bytes that are left for messages in a document of at most so many."""
    return most - encoded_size(document_of(access, []))


def submit(access: Access, messages: Sequence[Mapping[str, Any]]) -> Conversation[str]:
    """Hand a feed in: a place for the document, the document, the feed; give the feed's id.

    If the answer to the last step is lost, a second feed of the same absolute quantities is made: harmless.
    """
    response = yield access.ask("POST", f"{_FEEDS}/documents", "POST document", body={"contentType": JSON})
    place = data_of(response)
    document_id = place.field("feedDocumentId").text()
    response = yield Request(
        method="PUT",
        url=place.field("url").text(),
        headers={"content-type": JSON},
        body=document_of(access, messages),
        lane="document",
    )
    _check_stored(response)
    response = yield access.ask(
        "POST",
        f"{_FEEDS}/feeds",
        "POST feed",
        body={
            "feedType": "JSON_LISTINGS_FEED",
            "marketplaceIds": [access.marketplace_id],
            "inputFeedDocumentId": document_id,
        },
    )
    return data_of(response).field("feedId").text()


def look(access: Access, job: Job, lane: str) -> Conversation[Report | None]:
    """Ask after a feed; give its report, or None while it is under way."""
    response = yield access.ask("GET", f"{_FEEDS}/feeds/{quote(job.id, safe='')}", lane)
    feed = data_of(response)
    status = feed.field("processingStatus").one_of("IN_QUEUE", "IN_PROGRESS", "DONE", "FATAL", "CANCELLED")
    if status in {"IN_QUEUE", "IN_PROGRESS"}:
        return None
    document_id = feed.get("resultFeedDocumentId")
    answer = (yield from _report(access, document_id.text())) if document_id else None
    issues = issues_of(answer) if answer else []
    if status == "CANCELLED":
        message = "Amazon cancelled the feed before it began, so nothing of it was written"
        return Report(others=Verdict(status="rejected", reason="job_cancelled", message=message))
    if status == "FATAL":
        message = f"Amazon broke the feed off; some of it may be written. {words(issues[:_SEVERAL])}".strip()
        return Report(others=Verdict(status="pending", reason="job_failed", message=message))
    return _report_of(job, answer, issues)


def _report_of(job: Job, answer: Wire | None, issues: Sequence[Issue]) -> Report:
    """Read a report: rows without an error are accepted if the summary accounts for every message."""
    numbered = dict(enumerate(job.skus, start=1))
    stray = [issue for issue in issues if issue.message_id not in numbered]
    message = f"the feed's report does not account for this row. {words(stray[:_SEVERAL])}".strip()
    unclear = Verdict(status="pending", reason="job_unclear", message=message)
    if answer is None:
        return Report(others=unclear)
    by_sku: defaultdict[str, list[Issue]] = defaultdict(list)
    for issue in issues:
        sku = numbered.get(issue.message_id or 0)
        if sku is not None:
            by_sku[sku].append(issue)
    rows = {sku: verdict_of(several, refused=False) for sku, several in by_sku.items()}
    refused = sum(verdict.status == "rejected" for verdict in rows.values())
    summary = answer.field("summary")
    accepted = summary.field("messagesAccepted").whole()
    whole = accepted + refused == len(numbered) == summary.field("messagesProcessed").whole()
    return Report(rows=rows, others=Verdict() if whole else unclear)


def _report(access: Access, document_id: str) -> Conversation[Wire]:
    response = yield access.ask("GET", f"{_FEEDS}/documents/{quote(document_id, safe='')}", "GET document")
    response = yield Request(method="GET", url=data_of(response).field("url").text(), lane="document")
    _check_stored(response)
    content = response.content
    # An HTTP client may have unpacked it already, so its own first bytes decide.
    text = gunzipped(content, place=response.place) if content.startswith(_GZIP) else content
    whole = Response(status=response.status, content=text, place=response.place)
    return Wire(value=whole.json(), path="report", place=response.place)


def _check_stored(response: Response) -> None:
    """Check an answer of the document store; its errors quote the signature, so they are never shown."""
    if response.status != _OK:
        raise RefusedError(
            f"{response.place}: Amazon's document store answered HTTP {response.status}",
            code="document_store",
            remedy="Its addresses are good for some minutes only; run again.",
        )
