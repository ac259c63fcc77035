"""What you need to write a sink that speaks HTTP: the public door to what omsync's own sinks are made of.

A sink made of these is a class with ``read_steps`` and ``push_steps``; ``SteppedSink`` adds the blocking
``read`` and ``push``, and ``omsync.aio`` awaits the same steps. ``docs/writing-adapters.md`` builds one.

- ``Request``, ``Response``, ``Conversation``: a conversation yields requests, receives responses and returns
  what it learned; ``Wire`` reads a decoded answer strictly.
- ``Line``, ``Pace``, ``Quota``, ``RetryPolicy``, ``Network``, ``judge``: the connection to one account, what
  accounts share, when to try again, and what may go over the network. ``Allowance`` is what ``Line.foresee``
  makes of headers that say what is left.
- ``Steps``, ``talk``, ``talk_all``: hold conversations; ``one_by_one`` writes row by row.
- ``accepted``, ``refused``, ``result_of_error``: the answer for one row.
- ``packed``, ``encoded_size``, ``results_of``: batches by weight, and results or the first error.
- ``address``, ``secret``, ``basic``: validators of what people hand in, and HTTP's basic authorization;
  ``Secret`` with its converters ``as_secret`` and ``as_optional_secret`` hides what nobody may see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from omsync.errors import (
    DeadlineError,
    OmsyncError,
    RefusedError,
    SettingsError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.http.foresight import Allowance
from omsync.http.messages import Conversation, Handler, Request, Response
from omsync.http.network import Network
from omsync.http.pacing import Pace, Quota
from omsync.http.retrying import RetryPolicy, Verdict, judge
from omsync.http.steps import Line, Steps, talk, talk_all
from omsync.ports import PushResult, QuantityChange
from omsync.secrets import Secret, as_optional_secret, as_secret
from omsync.sinks._credentials import address, basic, secret
from omsync.sinks._http import (
    SteppedSink,
    Wire,
    accepted,
    encoded_size,
    packed,
    refused,
    results_of,
)

__all__ = [
    "Allowance",
    "Conversation",
    "Handler",
    "Line",
    "Network",
    "Pace",
    "Quota",
    "Request",
    "Response",
    "RetryPolicy",
    "Secret",
    "SteppedSink",
    "Steps",
    "Verdict",
    "Wire",
    "accepted",
    "address",
    "as_optional_secret",
    "as_secret",
    "basic",
    "encoded_size",
    "judge",
    "one_by_one",
    "packed",
    "refused",
    "result_of_error",
    "results_of",
    "secret",
    "talk",
    "talk_all",
]

_NOT_SENT = (UnauthorizedError, UnreachableError, ThrottledError, DeadlineError, SettingsError)
"""After these the row was surely not written, and the next one would fare no better."""


def result_of_error(change: QuantityChange, error: OmsyncError) -> PushResult:
    """Say what an error means for the one row that it met.

    Args:
        change: The row.
        error: What sending it raised.

    Returns:
        ``"skipped"`` where it was surely not sent, ``"rejected"`` where the cart said no, and ``"pending"``
        where nobody knows.
    """
    if isinstance(error, _NOT_SENT):
        reason = "deadline" if isinstance(error, DeadlineError) else "not_sent"
        return refused(change, reason, str(error), status="skipped")
    if isinstance(error, RefusedError):
        return refused(change, error.code, error.message)
    return refused(change, "answer_unknown", error.message, status="pending")


def one_by_one(
    line: Line,
    changes: Iterable[QuantityChange],
    write: Callable[[QuantityChange], Conversation[PushResult]],
) -> Steps[list[PushResult]]:
    """Write rows one after the other, for a cart without batches; give one result for every row.

    A row that the cart refuses costs only itself. After any other error nothing more is sent: each of the
    rows left would wait for its own retries, only to fail like the last.

    Args:
        line: The connection.
        changes: The rows, in the order in which they are to be written.
        write: Makes the conversation that writes one row; it may return a result without asking anything.

    Raises:
        OmsyncError: The very first row could surely not be sent, so nothing was written at all.
    """
    results: list[PushResult] = []
    stopped = ""
    for change in changes:
        if stopped:
            results.append(refused(change, "not_sent", stopped, status="skipped"))
            continue
        try:
            results.append((yield from talk(line, write(change))))
        except OmsyncError as error:
            result = result_of_error(change, error)
            if result.status == "skipped" and not any(_may_be_done(one) for one in results):
                raise
            results.append(result)
            if result.status != "rejected":
                stopped = f"Not sent, since a row before it came to nothing: {error.message}"
    return results


def _may_be_done(result: PushResult) -> bool:
    return result.status in {"accepted", "pending"}
