"""Checks of what a source does when something goes wrong: no snapshot, an error that says why, no secret."""

from __future__ import annotations

import json
import logging
import pickle
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from omsync.checks import shown
from omsync.errors import DeadlineError, LostAnswerError, OmsyncError, ThrottledError, UnauthorizedError
from omsync.http.messages import Handler, Request, Response
from omsync.model import InventorySnapshot
from omsync.serial import snapshot_to_json
from omsync.testing._sink_trial import NotApplicable, want
from omsync.testing._source_bench import SourceBench, StandingClock
from omsync.testing._source_trial import (
    Breaking,
    a_ledger,
    attempt,
    changed_json,
    fresh,
    need_server,
    read,
    some_of,
    want_same,
)

__all__ = ["TROUBLE"]

_PAGE = b"<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>"
Path = tuple[str | int, ...]
Question = tuple[str, str, tuple[tuple[str, str], ...], bytes | None]
Answer = Callable[[Request, Callable[[], Response]], Response]


class _Killed(BaseException):
    """The process ends here; nothing may catch it."""


def _status(status: int) -> Answer:
    return lambda request, _: Response(status=status, content=b'{"message": "no"}', place=request.place)


def _html(request: Request, _: Callable[[], Response]) -> Response:
    return Response(status=200, headers={"content-type": "text/html"}, content=_PAGE, place=request.place)


def _cut(request: Request, true: Callable[[], Response]) -> Response:
    response = true()
    half = response.content[: len(response.content) // 2]
    return Response(status=response.status, headers=response.headers, content=half, place=request.place)


def _lost(request: Request, true: Callable[[], Response]) -> Response:
    true()
    raise LostAnswerError(f"{request.place}: the answer was lost (by the kit)")


def _killed(_: Request, __: Callable[[], Response]) -> Response:
    raise _Killed


_BREAKS: Mapping[str, Answer] = {
    "HTTP 500": _status(500),
    "HTTP 404": _status(404),
    "a web page": _html,
    "half of the JSON": _cut,
    "no answer": _lost,
}


def a_reading_that_breaks_gives_no_snapshot(bench: SourceBench) -> None:
    """Wherever a reading breaks, it raises, or it was whole all the same; it never gives a part."""
    for name, source in bench.broken.items():
        with a_ledger() as ledger:
            came = attempt(lambda: read(bench, source, ledger))  # noqa: B023  called at once
        want(isinstance(came, OmsyncError), f"a reading with {name} wrong gives {came!r}")
    if bench.server is None and bench.broken:
        return
    server, over = need_server(bench)
    wanted, calls = fresh(bench)
    for number in some_of(calls):
        for words, answer in _BREAKS.items():
            breaking = Breaking(server(), answer, first=number)
            came = attempt(lambda: read(bench, over(breaking)))  # noqa: B023  called at once
            if isinstance(came, InventorySnapshot):
                want_same(bench, came, wanted, f"with {words} at call {number + 1} of {calls},")


def what_is_wrong_is_named(bench: SourceBench) -> None:
    """A field of a wrong type raises an error that names it or shows its value, or it does not matter."""
    for name, source in bench.broken.items():
        with a_ledger() as ledger:
            came = attempt(lambda: read(bench, source, ledger))  # noqa: B023  called at once
        want(name in str(came), f"the error does not name {name!r}: {came}")
    if bench.server is None and bench.broken:
        return
    server, over = need_server(bench)
    wanted, _ = fresh(bench)
    for turn, (question, path, value) in enumerate(_fields(bench)):
        wrong = _wrong(value, turn)
        source = over(_edited(server(), question, path, wrong))
        came = attempt(lambda: read(bench, source))  # noqa: B023  called at once
        told = f"with {'.'.join(map(str, path))} = {wrong!r} in the answer to {question[0]} {question[1]}"
        if isinstance(came, InventorySnapshot):
            want_same(bench, came, wanted, f"{told}, which is no error,")
        elif isinstance(path[-1], str):
            # A member of a list has no name of its own.
            named = path[-1] in str(came) or shown(wrong) in str(came)
            want(named, f"{told} the error names neither field nor value: {came}")


def a_throttled_reading_waits_as_it_is_told(bench: SourceBench) -> None:
    """Told to wait, it waits and reads whole; told so for ever, it gives up with ``ThrottledError``."""
    server, over = need_server(bench)
    wanted, calls = fresh(bench)
    throttled: Answer = lambda request, _: bench.throttled(request)  # noqa: E731  an answer like the others
    for number in some_of(calls):
        before = bench.clock.monotonic()
        came = read(bench, over(Breaking(server(), throttled, first=number, times=1)))
        want_same(bench, came, wanted, f"throttled at call {number + 1},")
        want(bench.clock.monotonic() > before, f"throttled at call {number + 1}, it does not wait")
    for_ever = attempt(lambda: read(bench, over(Breaking(server(), throttled))))
    want(isinstance(for_ever, ThrottledError), f"throttled for ever, it gives {for_ever!r}")


def wrong_credentials_are_unauthorized(bench: SourceBench) -> None:
    """With wrong credentials a reading raises ``UnauthorizedError``."""
    if bench.unauthorized is None:
        raise NotApplicable("the bench gives no source with wrong credentials")
    source = bench.unauthorized
    came = attempt(lambda: read(bench, source))
    want(isinstance(came, UnauthorizedError), f"with wrong credentials it gives {came!r}")


def a_deadline_gives_no_part(bench: SourceBench) -> None:
    """When the time is up, a reading raises ``DeadlineError``, or it was whole all the same."""
    with a_ledger() as ledger:
        whole = read(bench, ledger=ledger)
        came = attempt(lambda: read(bench, ledger=ledger, deadline=timedelta(seconds=-1)))
        _want_in_time(bench, came, whole, "with a deadline that has passed")
    if bench.server is None or not isinstance(bench.clock, StandingClock):
        return
    server, over = need_server(bench)
    wanted, calls = fresh(bench)

    def slow(_: Request, true: Callable[[], Response]) -> Response:
        bench.clock.sleep(10)
        return true()

    for number in some_of(calls):
        until = timedelta(seconds=10 * number + 5)
        came = attempt(lambda: read(bench, over(Breaking(server(), slow)), deadline=until))  # noqa: B023  at once
        _want_in_time(bench, came, wanted, f"with time for {number + 1} of {calls} slow calls")


def a_killed_reading_is_made_whole_by_the_next(bench: SourceBench) -> None:
    """After a process was killed in a reading, wherever, the next one with its ledger is whole."""
    server, over = need_server(bench)
    wanted, calls = fresh(bench)
    for number in some_of(calls):
        handler = server()
        with a_ledger() as ledger:
            try:
                read(bench, over(Breaking(handler, _killed, first=number)), ledger)
            except _Killed:
                pass
            else:
                want(False, f"a reading went on although its process was killed at call {number + 1}")
            want_same(bench, read(bench, over(handler), ledger), wanted, f"killed at call {number + 1},")


def secrets_stay_out_of_sight(bench: SourceBench) -> None:
    """No secret is in a repr, a log, a snapshot, an error, or what an order manager echoes of a request."""
    if not bench.secrets:
        raise NotApplicable("the bench gives no secrets")
    sources = [bench.source, *([bench.unauthorized] if bench.unauthorized else [])]
    seen: list[str] = [repr(source) for source in sources]
    with _logged(seen), a_ledger() as ledger:
        seen.append(snapshot_to_json(read(bench, ledger=ledger)))
        readings = [lambda one=source: read(bench, one) for source in sources[1:]]
        if bench.server is not None and bench.over is not None:
            over, server = bench.over, bench.server
            for status in (400, 401, 403, 500):
                breaking = Breaking(server(), _echo(status))
                readings.append(lambda one=breaking: read(bench, over(one)))
        for reading in readings:
            came = attempt(reading)
            if isinstance(came, OmsyncError):
                seen += ["".join(traceback.format_exception(came)), repr(came), str(pickle.dumps(came))]
    for text in seen:
        for number, secret in enumerate(bench.secrets):
            # Where it stands is told with the secret taken out.
            around = re.split(re.escape(secret), text, maxsplit=1)
            want(len(around) == 1, f"secret {number + 1} is shown: ...{around[0][-60:]}***")


def _want_in_time(
    bench: SourceBench, came: InventorySnapshot | OmsyncError, whole: InventorySnapshot, when: str
) -> None:
    if isinstance(came, InventorySnapshot):
        want_same(bench, came, whole, f"{when},")
    else:
        want(isinstance(came, DeadlineError), f"{when} it raises {type(came).__name__}: {came.message}")


def _question(request: Request) -> Question:
    return request.method, urlsplit(request.url).path, request.query, request.content


def _fields(bench: SourceBench) -> list[tuple[Question, Path, Any]]:
    """Give the fields of all answers of a reading, each with its question: of lists, of the first row.

    A field that the answer to a like question has too, such as the next page, is given once.
    """
    server, over = need_server(bench)
    found: dict[tuple[str, Path], tuple[Question, Path, Any]] = {}

    def note(request: Request, true: Callable[[], Response]) -> Response:
        response, question = true(), _question(request)
        alike = f"{question[0]} {re.sub('[0-9]+', '', question[1])}"
        for path, value in _leaves(json.loads(response.content), ()):
            found.setdefault((alike, path), (question, path, value))
        return response

    read(bench, over(Breaking(server(), note)))
    return [one for one in found.values() if isinstance(one[2], bool | int | str)]


def _edited(inner: Handler, question: Question, path: Path, wrong: Any) -> Handler:
    """Make a handler that answers one question with one field replaced."""
    edit = changed_json(lambda answer: _replaced(answer, path, wrong))

    def handler(request: Request) -> Response:
        if _question(request) != question:
            return inner(request)
        return edit(request, lambda: inner(request))

    return handler


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(one, (*path, name))
    elif isinstance(value, list):
        if value:
            yield from _leaves(value[0], (*path, 0))
    elif any(isinstance(part, str) for part in path):
        yield path, value


def _wrong(value: Any, turn: int) -> Any:
    """Give something that is not the value and could be taken for it; for numbers by turns."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return (str(value), value + 0.5, True)[turn % 3]
    return 12345


def _replaced(value: Any, path: Path, wrong: Any) -> Any:
    if not path:
        return wrong
    first, *rest = path
    if isinstance(value, list):
        return [
            _replaced(one, tuple(rest), wrong) if place == first else one for place, one in enumerate(value)
        ]
    return {**value, first: _replaced(value[first], tuple(rest), wrong)}


def _echo(status: int) -> Answer:
    def answer(request: Request, _: Callable[[], Response]) -> Response:
        said = {
            "message": f"What is {dict(request.headers)} with {request.content!r}?",
            "error": str(request.query),
        }
        return Response(status=status, content=json.dumps(said).encode(), place=request.place)

    return answer


@contextmanager
def _logged(seen: list[str]) -> Iterator[None]:
    """Collect all that is logged meanwhile."""

    class Collecting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(self.format(record))

    root, handler = logging.getLogger(), Collecting()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


TROUBLE = (
    a_reading_that_breaks_gives_no_snapshot,
    what_is_wrong_is_named,
    a_throttled_reading_waits_as_it_is_told,
    wrong_credentials_are_unauthorized,
    a_deadline_gives_no_part,
    a_killed_reading_is_made_whole_by_the_next,
    secrets_stay_out_of_sight,
)
