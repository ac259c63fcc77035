"""What Tryton's answers mean: results, refusals, and failures of its own code."""

from __future__ import annotations

from omsync.errors import OmsyncError, RefusedError, ServerFaultError, SettingsError, UnauthorizedError
from omsync.http.messages import Response
from omsync.sinks._http import Wire

__all__ = ["refusal", "rest_result", "rpc_result"]

_LONGEST = 300
"""Letters of an error that are quoted; Tryton's own may bring along the description of a whole form."""
_ACCESS = (
    "Check the address, and that the user may read products, units of measure, locations and stock moves "
    "(the group Stock)."
)


def rest_result(response: Response, path: str) -> Wire:
    """Give what a call over REST returned, called ``path`` in messages.

    Raises:
        DecodeError: The answer is HTML, cut off, or otherwise no JSON.
    """
    return Wire(value=response.json(), path=path, place=response.place)


def rpc_result(response: Response, path: str) -> Wire:
    """Give what a call over JSON-RPC returned, called ``path`` in messages.

    Raises:
        RefusedError: Tryton understood and said no. Its words are in the user's language, so they cannot tell
            a missing permission from anything else.
        ServerFaultError: Tryton's own code failed.
        DecodeError: The answer is HTML, cut off, or otherwise not what was agreed.
    """
    whole = rest_result(response, "answer")
    if whole.get("error") is not None:
        raise _said(whole.field("error"))
    return Wire(value=whole.field("result").value, path=path, place=response.place)


def refusal(response: Response, *, database: str, by_key: bool) -> OmsyncError:
    """Make an error of an answer that is no success.

    Args:
        response: The answer.
        database: Which database was asked.
        by_key: Whether by a key, or by a session.

    Returns:
        ``UnauthorizedError`` (``session_ended`` for a session), ``SettingsError`` (``unknown_database``) or
        ``RefusedError``.
    """
    place, status = response.place, response.status
    if status == 401:  # noqa: PLR2004  the status code's own name
        if by_key:
            return UnauthorizedError(
                f"{place}: Tryton does not accept the user application key (HTTP 401)",
                remedy="Check that the key is of the application 'rest', of this database, and validated.",
            )
        return UnauthorizedError(
            f"{place}: Tryton does not accept the session (HTTP 401)",
            code="session_ended",
            remedy="It ended again right after a login: check the server's session settings.",
        )
    if status == 404:  # noqa: PLR2004  the status code's own name
        return SettingsError(
            f"{place}: there is no Tryton database {database!r} here (HTTP 404)",
            code="unknown_database",
            remedy="Check url and database; letter case matters.",
        )
    return RefusedError(f"{place}: HTTP {status}: {response.excerpt}", remedy=_ACCESS)


def _said(error: Wire) -> OmsyncError:
    """Make an error of what Tryton wrote instead of a result: its kind first, then what it says."""
    parts = error.value if isinstance(error.value, list) else [error.value]
    if parts[:1] == ["UserError"]:
        said = parts[1] if len(parts) > 1 else ""
        words = said[0] if isinstance(said, list) and said else said
        return RefusedError(f"{error.place}: Tryton refused: {str(words)[:_LONGEST]}", remedy=_ACCESS)
    return ServerFaultError(
        f"{error.place}: Tryton failed: {str(parts)[:_LONGEST]}",
        remedy="Try again later; if it stays, look into the server's log, and check that the module stock is "
        "activated.",
    )
