"""The feeds of the Amazon in memory: documents behind signed addresses, processing, reports."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

from attrs import define, field

from omsync.http.messages import Response
from omsync.testing.carts.platform import Asked, json_answer

__all__ = ["Feeds"]

_MOST_MESSAGES = 25_000
_MOST_BYTES = 10 * 1024 * 1024
_SIGNATURE = "X-Amz-Signature"

Patch = Callable[[str, Any], tuple[str, list[dict[str, Any]]]]


@define(kw_only=True)
class _Document:
    content_type: str
    content: bytes = b""
    packed: bool = False


@define(kw_only=True)
class _Feed:
    id: str
    document_id: str
    looks_left: int
    status: str = "IN_QUEUE"
    result_id: str | None = None


@define
class Feeds:
    """Takes documents and feeds, and works feeds through when they are asked about.

    Args:
        patch: Carries one message out as a single write would; gives its status and its issues.
        seller_id: Whose feeds they are.
    """

    patch: Patch
    seller_id: str
    looks: int = 1
    gzipped: bool = True
    end: str = "DONE"
    documents: dict[str, _Document] = field(factory=dict)
    feeds: dict[str, _Feed] = field(factory=dict)

    def new_document(self, asked: Asked) -> Response:
        """Give a place for a document, behind an address that is signed and good for this one use."""
        key = f"amzn1.tortuga.4.na.{len(self.documents) + 1}"
        self.documents[key] = _Document(content_type=str(asked.json().get("contentType", "")))
        return json_answer({"feedDocumentId": key, "url": _signed(asked, key)}, 201)

    def new_feed(self, asked: Asked) -> Response:
        """Take a feed for a document that is there."""
        body = asked.json()
        if body.get("feedType") != "JSON_LISTINGS_FEED":
            return error(
                400, "InvalidInput", "The feed type is not supported (XML and flat files ended in 2025)."
            )
        if body.get("inputFeedDocumentId") not in self.documents:
            return error(400, "InvalidInput", "The input feed document does not exist.")
        key = str(50_000 + len(self.feeds) + 1)
        self.feeds[key] = _Feed(id=key, document_id=body["inputFeedDocumentId"], looks_left=self.looks)
        return json_answer({"feedId": key}, 202)

    def status_of(self, _: Asked, feed_id: str) -> Response:
        """Tell how far a feed is; each look lets it go on."""
        feed = self.feeds.get(feed_id)
        if feed is None:
            return error(404, "NotFound", "The feed does not exist.")
        if feed.status in {"IN_QUEUE", "IN_PROGRESS"}:
            if feed.looks_left > 0:
                feed.looks_left -= 1
                feed.status = "IN_PROGRESS"
            else:
                self._work_through(feed)
        told = {"feedId": feed.id, "feedType": "JSON_LISTINGS_FEED", "processingStatus": feed.status}
        if feed.result_id is not None:
            told["resultFeedDocumentId"] = feed.result_id
        return json_answer(told)

    def document(self, asked: Asked, key: str) -> Response:
        """Tell where a document can be read."""
        document = self.documents.get(key)
        if document is None:
            return error(404, "NotFound", "The feed document does not exist.")
        packed = {"compressionAlgorithm": "GZIP"} if document.packed else {}
        return json_answer({"feedDocumentId": key, "url": _signed(asked, key), **packed})

    def store(self, asked: Asked, key: str) -> Response:
        """Be the document store: no token, the signature in the address, the kind that was announced."""
        document = self.documents.get(key)
        if (
            document is None
            or asked.first(_SIGNATURE) != _signature(key)
            or "x-amz-access-token" in asked.headers
        ):
            return _store_error(asked)
        if asked.method == "PUT":
            if asked.headers.get("content-type") != document.content_type:
                return _store_error(asked)
            document.content = asked.content
            return Response(status=200)
        return Response(status=200, headers={"content-type": document.content_type}, content=document.content)

    def finish(self) -> None:
        """Work through every feed that is under way, whether or not anybody asks."""
        for feed in self.feeds.values():
            if feed.status in {"IN_QUEUE", "IN_PROGRESS"}:
                self._work_through(feed)

    def _work_through(self, feed: _Feed) -> None:
        document = self.documents[feed.document_id]
        feed.status = self.end
        if self.end == "CANCELLED":
            return
        issues: list[dict[str, Any]] = []
        invalid = processed = 0
        try:
            sent = json.loads(document.content)
            messages = sent["messages"]
        except (ValueError, KeyError):
            messages, feed.status = [], "FATAL"
        if len(messages) > _MOST_MESSAGES or len(document.content) > _MOST_BYTES:
            messages, feed.status = [], "FATAL"
        if feed.status == "FATAL":
            messages = []
            issues = [
                {"messageId": 0, "code": "4000001", "severity": "ERROR", "message": "The feed is invalid."}
            ]
        for message in messages:
            processed += 1
            status, found = self._carry_out(message)
            invalid += status == "INVALID"
            issues += [{"messageId": message["messageId"], "sku": message["sku"], **issue} for issue in found]
        report = {
            "header": {"sellerId": self.seller_id, "version": "2.0", "feedId": feed.id},
            "issues": issues,
            "summary": {
                "errors": sum(issue["severity"] == "ERROR" for issue in issues),
                "warnings": sum(issue["severity"] == "WARNING" for issue in issues),
                "messagesProcessed": processed,
                "messagesAccepted": processed - invalid,
                "messagesInvalid": invalid,
            },
        }
        content = json.dumps(report).encode()
        feed.result_id = f"report.{feed.id}"
        self.documents[feed.result_id] = _Document(
            content_type="application/json",
            content=gzip.compress(content) if self.gzipped else content,
            packed=self.gzipped,
        )

    def _carry_out(self, message: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        if message.get("operationType") != "PATCH":
            issue = {
                "code": "4000003",
                "severity": "ERROR",
                "message": "This seller's feeds only patch here.",
            }
            return "INVALID", [issue]
        return self.patch(message["sku"], message)


def error(status: int, code: str, message: str, details: str = "") -> Response:
    """Give an error as the Selling Partner API words it."""
    return json_answer({"errors": [{"code": code, "message": message, "details": details}]}, status)


def _signed(asked: Asked, key: str) -> str:
    host = asked.headers.get("host")
    base = f"http://{host}" if host else "https://documents.example"
    return f"{base}/documents/{key}?X-Amz-Expires=300&{_SIGNATURE}={_signature(key)}"


def _signature(key: str) -> str:
    return f"signed-for-{key}"


def _store_error(asked: Asked) -> Response:
    """Be as talkative as the real store, which quotes the signature that it was given."""
    given = asked.first(_SIGNATURE)
    said = f"<Error><Code>AccessDenied</Code><SignatureProvided>{given}</SignatureProvided></Error>"
    return Response(status=403, headers={"content-type": "application/xml"}, content=said.encode())
