"""Writing source items at once: all rows of a call or none, so a bad one is found by halving."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from omsync.errors import OmsyncError, RefusedError, UnauthorizedError
from omsync.http.steps import Steps
from omsync.ports import PushResult
from omsync.sinks._adobe import Limits
from omsync.sinks._adobe_answers import TooManyError
from omsync.sinks._http import accepted, refused
from omsync.sinks._rows import Row, failed

__all__ = ["write"]


def write(
    rows: Sequence[Row], limits: Limits, save: Callable[[Sequence[Row]], Steps[None]]
) -> Steps[list[PushResult]]:
    """Write rows, one call after the other; give one result for every row.

    A call that was refused wrote nothing, so its halves are sent until the bad row stands alone: the shop
    does not say which one it is. After any other error nothing more is sent.

    Args:
        rows: What to write, each place once.
        limits: How many rows a call may hold, as far as the shop has said.
        save: Makes one call.

    Raises:
        OmsyncError: Nothing was written, or nobody knows, and more of the same would follow.
    """
    results: list[PushResult] = []
    queue = deque([rows] if rows else [])
    wrote = False
    while queue:
        batch = queue.popleft()
        most = limits.save or len(batch)
        if len(batch) > most:
            queue.extendleft(reversed([batch[at : at + most] for at in range(0, len(batch), most)]))
            continue
        try:
            yield from save(batch)
        except TooManyError as error:
            if error.most >= len(batch):
                results += [failed(row.change, error) for row in batch]
                continue
            limits.save = error.most
            queue.appendleft(batch)
        except UnauthorizedError as error:
            return _stopped(results, batch, queue, error, wrote=wrote)
        except RefusedError as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                queue.extendleft((batch[middle:], batch[:middle]))
            else:
                results += [failed(row.change, error) for row in batch]
        except OmsyncError as error:
            return _stopped(results, batch, queue, error, wrote=wrote)
        else:
            wrote = True
            results += [accepted(row.change) for row in batch]
    return results


def _stopped(
    results: list[PushResult],
    batch: Sequence[Row],
    left: deque[Sequence[Row]],
    error: OmsyncError,
    *,
    wrote: bool,
) -> list[PushResult]:
    if not wrote:
        raise error
    return [
        *results,
        *(failed(row.change, error) for row in batch),
        *(refused(row.change, "not_sent", error.message, status="skipped") for rows in left for row in rows),
    ]
