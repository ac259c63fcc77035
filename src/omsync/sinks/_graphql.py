"""GraphQL over HTTP, as far as carts share it: one operation a request, and the ``errors`` of an answer."""

from __future__ import annotations

from attrs import field, frozen

from omsync.http.messages import Response
from omsync.sinks._http import Wire

__all__ = ["Fault", "body_of", "faults_of", "was_carried_out"]

_LONG = 300


@frozen(kw_only=True)
class Fault:
    """One member of GraphQL's ``errors``.

    Args:
        message: What the server says, cut where it gets long.
        code: ``extensions.code``, or ``extensions.exception.code``; empty when there is none.
        path: Where in the answer it belongs; longer than one step means that the operation itself went on.
        extensions: Everything else that it says, unchecked.
    """

    message: str
    code: str = ""
    path: tuple[str | int, ...] = ()
    extensions: Wire | None = field(default=None, repr=False)

    @property
    def depth(self) -> int:
        """How deep in the answer it belongs: a refused operation has at most one step."""
        return len(self.path)


def body_of(response: Response) -> Wire:
    """Give the decoded answer, not yet trusted."""
    return Wire(value=response.json(), path="answer", place=response.place)


def faults_of(response: Response) -> list[Fault]:
    """Give the answer's errors; none when it has none."""
    if b'"errors"' not in response.content:
        return []
    errors = body_of(response).get("errors")
    return [_fault(row) for row in errors.rows()] if errors else []


def was_carried_out(response: Response) -> bool:
    """Tell whether an answer with errors shows a result as well: then the operation itself went on."""
    data = body_of(response).get("data")
    return data is not None and isinstance(data.value, dict) and any(data.value.values())


def _fault(row: Wire) -> Fault:
    extensions, path = row.get("extensions"), row.get("path")
    message = row.field("message").text()
    return Fault(
        message=message if len(message) <= _LONG else message[:_LONG] + "...",
        code=_code(extensions),
        path=tuple(step.value for step in path.rows()) if path else (),
        extensions=extensions,
    )


def _code(extensions: Wire | None) -> str:
    if extensions is None:
        return ""
    code = extensions.get("code")
    if code is None:
        exception = extensions.get("exception")
        code = exception.get("code") if exception else None
    return code.text() if code else ""
