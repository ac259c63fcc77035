"""Jobs: documents of many rows that a platform works through in its own time, and then reports on.

Accepted is not applied: what a job took is shown by a later read. A job that is not done in time is kept in
the ledger, and while it is under way none of its rows is sent again, since the order in which a platform
carries out two jobs is not defined.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import evolve, field, frozen

from omsync.errors import (
    DeadlineError,
    DecodeError,
    OmsyncError,
    RefusedError,
    TransientError,
    UnauthorizedError,
)
from omsync.http.steps import Steps, call
from omsync.ports import PushResult, SourceMemory
from omsync.sinks._http import Wire, refused
from omsync.sinks._rows import Key, Row, Verdict, failed

__all__ = ["Job", "Jobs", "Look", "Report", "carry_out"]

_DONE = ""
"""What stands in the memory for a job that is settled: entries can be replaced there, not taken out."""


@frozen(kw_only=True)
class Job:
    """A document that was handed in.

    Args:
        id: The platform's name for it.
        rows: The quantity of each (SKU, place) in it, in the order of the document.
        runs: In how many earlier runs it was found under way.
        shown: What the cart showed at each place when the job was handed in, where that is known.
    """

    id: str
    rows: Mapping[Key, int]
    runs: int = 0
    shown: Mapping[Key, int] = field(factory=dict)

    @property
    def skus(self) -> tuple[str, ...]:
        """The SKUs in the order in which they first appear."""
        return tuple(dict.fromkeys(sku for sku, _ in self.rows))


@frozen(kw_only=True)
class Report:
    """What came of a job.

    Args:
        rows: By SKU, where the platform spoke of it.
        others: For the SKUs that it did not name.
    """

    rows: Mapping[str, Verdict] = field(factory=dict)
    others: Verdict = field(factory=Verdict)

    def of(self, sku: str) -> Verdict:
        """Give what was said of a SKU."""
        return self.rows.get(sku, self.others)


Submit = Callable[[Sequence[Row]], Steps[str]]
"""Hands a document in; gives the job's id."""

Look = Callable[[Job], Steps["Report | None"]]
"""Asks after a job; gives its report, or None while it is under way."""


class Jobs:
    """The jobs of one cart that are under way, in the ledger's memory or, without one, in this object.

    Args:
        memory: Where they outlive the process; None to keep them here.
        namespace: The cart's place in that memory.
    """

    def __init__(self, memory: SourceMemory | None = None, namespace: str = "jobs") -> None:
        self._memory = memory
        self._namespace = namespace
        self._open: dict[str, Job] | None = None if memory is not None else {}
        self._answers: dict[Key, tuple[Job, Verdict]] = {}
        self._asked: set[str] = set()

    def of_run(self, memory: SourceMemory | None, namespace: str) -> Jobs:
        """Begin a run: with a memory its jobs count, without one those of this object go on."""
        jobs = Jobs(memory, namespace)
        if memory is None:
            jobs._open = self._open
        return jobs

    def settle(self, look: Look, *, patience: int) -> Steps[None]:
        """Ask after every open job once; what the finished ones said answers the rows of this run.

        Args:
            look: Asks after a job.
            patience: A job that was under way in so many runs is given up, and its rows are sent again: one
                stuck job must not stop its SKUs for ever.
        """
        for job in list((yield from self._load()).values()):
            report = yield from _asked_after(look, job)
            if report is None:
                yield from self._found_under_way(job, patience)
                continue
            for sku, place in job.rows:
                verdict = report.of(sku)
                if verdict.status != "pending":
                    self._answers[sku, place] = job, verdict
            yield from self.close(job)

    def sort_out(self, rows: Iterable[Row]) -> tuple[list[Row], list[PushResult]]:
        """Give the rows that are to be sent, and the results of those that a job carries or has answered."""
        carried = {key: job for job in (self._open or {}).values() for key in job.rows}
        free: list[Row] = []
        results: list[PushResult] = []
        for row in rows:
            job = carried.get(row.key)
            done, verdict = self._answers.pop(row.key, (None, Verdict()))
            if job is not None:
                results.append(_held(row, job))
            elif done is not None and _still_answers(done, verdict, row):
                results.append(verdict.result(row.change))
            else:
                free.append(row)
        return free, results

    def keep(self, job: Job) -> Steps[None]:
        """Keep a job that is under way."""
        (yield from self._load())[job.id] = job
        yield from self._remember({job.id: _written(job)})

    def close(self, job: Job) -> Steps[None]:
        """Drop a job that is settled."""
        left = yield from self._load()
        left.pop(job.id, None)
        if left or self._memory is None:
            yield from self._remember({job.id: _DONE})
        else:
            yield from call(self._memory.forget, self._namespace)

    def _found_under_way(self, job: Job, patience: int) -> Steps[None]:
        if job.id in self._asked:
            return
        self._asked.add(job.id)
        if job.runs + 1 >= patience:
            yield from self.close(job)
        else:
            yield from self.keep(evolve(job, runs=job.runs + 1))

    def _load(self) -> Steps[dict[str, Job]]:
        if self._open is None:
            recalled: Mapping[str, str] = {}
            if self._memory is not None:
                recalled = yield from call(self._memory.recall, self._namespace)
            self._open = {key: _read(key, text) for key, text in recalled.items() if text != _DONE}
        return self._open

    def _remember(self, entries: Mapping[str, str]) -> Steps[None]:
        if self._memory is not None:
            yield from call(self._memory.remember, self._namespace, entries)

    def __repr__(self) -> str:
        return f"Jobs({len(self._open or {})} under way)"


def carry_out(
    jobs: Jobs, documents: Iterable[Sequence[Row]], submit: Submit, look: Look, *, looks: int
) -> Steps[list[PushResult]]:
    """Hand documents in, one after the other, and wait for all of them together; give one result a row.

    Args:
        jobs: Where open jobs are kept, each before it is asked about.
        documents: The rows of each document.
        submit: Hands a document in.
        look: Asks after a job, in a lane whose pace is the wait between two looks.
        looks: How often to ask in all; 0 to wait for none.

    Raises:
        OmsyncError: The first document could not be handed in; once one is, nothing is raised.
    """
    results: list[PushResult] = []
    waiting: deque[tuple[Job, Sequence[Row]]] = deque()
    stopped: OmsyncError | None = None
    for rows in documents:
        if stopped is not None:
            results += [refused(row.change, "not_sent", stopped.message, status="skipped") for row in rows]
            continue
        try:
            handle = yield from submit(rows)
        except OmsyncError as error:
            if not waiting:
                raise
            stopped = error
            results += [failed(row.change, error) for row in rows]
            continue
        job = Job(
            id=handle,
            rows={row.key: row.change.quantity for row in rows},
            shown={row.key: row.change.shown for row in rows if row.change.shown is not None},
        )
        yield from jobs.keep(job)
        waiting.append((job, rows))
    results += yield from _wait(jobs, waiting, look, looks)
    return results + [_held(row, job) for job, rows in waiting for row in rows]


def _wait(
    jobs: Jobs, waiting: deque[tuple[Job, Sequence[Row]]], look: Look, looks: int
) -> Steps[list[PushResult]]:
    """Ask after jobs in turn; those that are done leave the queue."""
    results: list[PushResult] = []
    for _ in range(looks):
        if not waiting:
            break
        job, rows = waiting[0]
        try:
            report = yield from _asked_after(look, job)
        except OmsyncError:  # No time or no permission to ask: the job goes on without us.
            break
        if report is None:
            waiting.rotate(-1)
            continue
        waiting.popleft()
        yield from jobs.close(job)
        results += [report.of(row.change.listing_sku).result(row.change, job.id) for row in rows]
    return results


def _asked_after(look: Look, job: Job) -> Steps[Report | None]:
    """Ask after a job; one that cannot be asked after now counts as under way, never again as unclear."""
    try:
        return (yield from look(job))
    except (UnauthorizedError, DeadlineError):
        raise
    except TransientError:
        return None
    except (RefusedError, DecodeError) as error:
        said = f"what came of the job cannot be read: {error.message}"
        return Report(others=Verdict(status="pending", reason="job_unclear", message=said))


def _still_answers(job: Job, verdict: Verdict, row: Row) -> bool:
    """Tell whether a finished job settles a row: it carried that very quantity, and nothing moved since.

    What a job took may show late. What shows neither that nor what showed before was changed by somebody.
    """
    moved = job.shown.get(row.key) != row.change.shown
    return job.rows[row.key] == row.change.quantity and not (verdict.status == "accepted" and moved)


def _held(row: Row, job: Job) -> PushResult:
    carried = job.rows[row.key]
    if carried == row.change.quantity:
        message = "the platform has not reported on the job yet; the next run asks again"
        return refused(row.change, "job_pending", message, status="pending", job=job.id)
    message = f"a job under way carries {carried} for this row; once it is done, the next run sends again"
    return refused(row.change, "job_in_progress", message, status="pending", job=job.id)


def _written(job: Job) -> str:
    rows = [
        [*key, quantity, *([job.shown[key]] if key in job.shown else [])]
        for key, quantity in job.rows.items()
    ]
    return json.dumps({"runs": job.runs, "rows": rows}, separators=(",", ":"), ensure_ascii=False)


def _read(key: str, text: str) -> Job:
    kept = Wire(value=json.loads(text), path=key, place="the ledger's open jobs")
    rows: dict[Key, int] = {}
    shown: dict[Key, int] = {}
    for row in kept.field("rows").rows():
        sku, place, quantity, *before = row.rows()
        rows[sku.text(), place.text()] = quantity.whole()
        shown.update({(sku.text(), place.text()): one.whole() for one in before})
    return Job(id=key, rows=rows, runs=kept.field("runs").whole(), shown=shown)
