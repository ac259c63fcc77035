"""Jobs and calls with a token, driven by hand: what every sink that hands documents in relies on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve
from fake_memory import DictMemory, FakeClock
from two_runners import RUNNERS, run_blocking

from omsync.errors import (
    DecodeError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps
from omsync.http.tokens import Token, TokenKeeper
from omsync.ports import QuantityChange
from omsync.sinks._granted import Ask, Granted
from omsync.sinks._jobs import Job, Jobs, Report, carry_out
from omsync.sinks._rows import Row, Verdict, failed


def row(sku: str, quantity: int, place: str = "") -> Row:
    return Row(change=QuantityChange(listing_sku=sku, quantity=quantity, available=quantity), place=place)


class Platform:
    """Takes documents; what is in ``ends`` is done, or goes wrong when asked after."""

    def __init__(self, **ends: Report | OmsyncError) -> None:
        self.ends = ends
        self.taken: list[Sequence[Row]] = []
        self.looks: list[str] = []
        self.fails: OmsyncError | None = None

    def submit(self, rows: Sequence[Row]) -> Steps[str]:
        yield from ()
        if self.fails is not None and self.taken:
            raise self.fails
        self.taken.append(rows)
        return f"job{len(self.taken)}"

    def look(self, job: Job) -> Steps[Report | None]:
        yield from ()
        self.looks.append(job.id)
        end = self.ends.get(job.id)
        if isinstance(end, OmsyncError):
            raise end
        return end


def carried(
    jobs: Jobs, platform: Platform, *documents: Sequence[Row], looks: int = 0
) -> dict[str, tuple[str, str]]:
    steps = carry_out(jobs, documents, platform.submit, platform.look, looks=looks)
    return {one.listing_sku: (one.status, one.reason) for one in run_blocking(steps)}


def settled(jobs: Jobs, platform: Platform, patience: int = 24) -> None:
    run_blocking(jobs.settle(platform.look, patience=patience))


def test_jobs_are_waited_for_in_turn_and_each_only_until_it_is_done() -> None:
    platform = Platform(job2=Report())
    result = carried(Jobs(), platform, [row("A", 1)], [row("B", 2)], looks=5)
    assert result == {"A": ("pending", "job_pending"), "B": ("accepted", "")}
    assert platform.looks == ["job1", "job2", "job1", "job1", "job1"]


def test_a_job_is_kept_before_it_is_asked_after_so_that_a_crash_does_not_lose_it() -> None:
    memory = DictMemory()
    platform = Platform()

    def look(job: Job) -> Steps[Report | None]:
        assert list(memory.namespaces["jobs of x"]) == [job.id]
        return platform.look(job)

    jobs = Jobs().of_run(memory, "jobs of x")
    run_blocking(carry_out(jobs, [[row("A", 1, "src")]], platform.submit, look, looks=1))
    assert memory.namespaces["jobs of x"] == {"job1": '{"runs":0,"rows":[["A","src",1]]}'}


def test_a_settled_job_leaves_the_memory_and_the_last_one_leaves_it_empty() -> None:
    memory = DictMemory()
    platform = Platform()
    carried(Jobs(memory), platform, [row("A", 1)], [row("B", 2)])
    platform.ends["job1"] = Report()
    settled(Jobs(memory), platform)
    assert memory.namespaces["jobs"]["job1"] == ""
    platform.ends["job2"] = Report()
    settled(Jobs(memory), platform)
    assert memory.namespaces == {}
    assert platform.looks == ["job1", "job2", "job2"]


def test_of_a_job_that_carries_one_sku_twice_each_place_is_its_own_row() -> None:
    memory = DictMemory()
    carried(Jobs(memory), Platform(), [row("A", 1, "east"), row("A", 2, "west")])
    later = Jobs(memory)
    settled(later, Platform())
    free, held = later.sort_out([row("A", 1, "east"), row("A", 9, "west"), row("A", 5, "north")])
    assert [one.place for one in free] == ["north"]
    assert [one.reason for one in held] == ["job_pending", "job_in_progress"]
    assert Job(id="1", rows={("A", "east"): 1, ("B", ""): 1, ("A", "west"): 2}).skus == ("A", "B")


def test_an_answer_counts_once_and_only_for_the_very_quantity() -> None:
    memory = DictMemory()
    refusal = Verdict(status="rejected", reason="row_refused", message="no")
    carried(Jobs(memory), Platform(), [row("A", 1), row("B", 2), row("C", 3)])
    later = Jobs(memory)
    settled(later, Platform(job1=Report(rows={"A": refusal, "B": refusal})))
    free, answered = later.sort_out([row("A", 1), row("B", 7), row("C", 3)])
    assert [one.change.listing_sku for one in free] == ["B"]
    assert [(one.listing_sku, one.status) for one in answered] == [("A", "rejected"), ("C", "accepted")]
    assert len(later.sort_out([row("A", 1)])[0]) == 1


def test_a_job_that_was_refused_as_a_whole_is_told_once_and_one_that_broke_off_is_sent_again() -> None:
    memory = DictMemory()
    carried(Jobs(memory), Platform(), [row("A", 1)], [row("B", 2)])
    refusal = Verdict(status="rejected", reason="job_cancelled", message="no")
    broken = Verdict(status="pending", reason="job_failed", message="broke")
    later = Jobs(memory)
    settled(later, Platform(job1=Report(others=refusal), job2=Report(others=broken)))
    free, told = later.sort_out([row("A", 1), row("B", 2)])
    assert [one.change.listing_sku for one in free] == ["B"]
    assert [(one.listing_sku, one.reason) for one in told] == [("A", "job_cancelled")]


@pytest.mark.parametrize("end", [RefusedError("gone"), DecodeError("odd")])
def test_a_job_that_cannot_be_read_any_more_answers_nothing_and_is_dropped(end: OmsyncError) -> None:
    platform = Platform(job1=end)
    assert carried(Jobs(), platform, [row("A", 1)], looks=1) == {"A": ("pending", "job_unclear")}
    memory = DictMemory()
    carried(Jobs(memory), Platform(), [row("A", 1)])
    later = Jobs(memory)
    settled(later, platform)
    assert len(later.sort_out([row("A", 1)])[0]) == 1


def test_a_missing_permission_ends_the_wait_and_stops_a_later_run() -> None:
    platform = Platform(job1=UnauthorizedError("no"))
    memory = DictMemory()
    assert carried(Jobs(memory), platform, [row("A", 1)], looks=3) == {"A": ("pending", "job_pending")}
    with pytest.raises(UnauthorizedError):
        settled(Jobs(memory), platform)


def test_once_a_document_is_handed_in_nothing_is_raised() -> None:
    platform = Platform()
    platform.fails = LostAnswerError("lost")
    assert carried(Jobs(), platform, [row("A", 1)], [row("B", 2)], [row("C", 3)]) == {
        "A": ("pending", "job_pending"),
        "B": ("pending", "answer_unknown"),
        "C": ("skipped", "not_sent"),
    }


def test_runs_are_counted_once_however_often_a_run_asks() -> None:
    memory = DictMemory()
    platform = Platform()
    carried(Jobs(memory), platform, [row("A", 1)])
    for runs in range(1, 3):
        jobs = Jobs(memory)
        for _ in range(5):
            settled(jobs, platform, patience=3)
        assert f'"runs":{runs},' in memory.namespaces["jobs"]["job1"]
    settled(Jobs(memory), platform, patience=3)
    assert memory.namespaces == {}


def test_a_run_without_a_ledger_begins_with_no_jobs_of_a_ledger_that_was_never_asked() -> None:
    memory = DictMemory()
    carried(Jobs(memory), Platform(), [row("A", 1)])
    alone = Jobs(memory).of_run(None, "jobs")
    settled(alone, Platform())
    assert len(alone.sort_out([row("A", 1)])[0]) == 1


def test_what_is_kept_is_read_strictly() -> None:
    memory = DictMemory()
    memory.namespaces["jobs"] = {"job1": '{"runs":0,"rows":[["A","",true]]}'}
    with pytest.raises(DecodeError, match="whole number"):
        settled(Jobs(memory), Platform())


def test_a_rows_own_error_says_whether_it_may_be_done() -> None:
    change = row("A", 1).change
    found = {
        type(error).__name__: (failed(change, error).status, failed(change, error).reason)
        for error in (
            RefusedError("no", code="row_refused"),
            UnreachableError("no"),
            LostAnswerError("lost"),
            ServerFaultError("broke"),
            DecodeError("odd"),
        )
    }
    assert found == {
        "RefusedError": ("rejected", "row_refused"),
        "UnreachableError": ("skipped", "not_sent"),
        "LostAnswerError": ("pending", "answer_unknown"),
        "ServerFaultError": ("pending", "answer_unknown"),
        "DecodeError": ("pending", "answer_unknown"),
    }


# --- calls with a token -------------------------------------------------------------------------------


class Account:
    """Grants tokens t1, t2, ...; only the newest is good, and each may be ended after some calls."""

    def __init__(self, *, ends_after: int = 10_000) -> None:
        self.granted = 0
        self.ends_after = ends_after
        self.calls: list[str] = []
        self.served = 0

    def handle(self, request: Request) -> Response:
        if request.url.endswith("/token"):
            self.granted += 1
            self.served = 0
            return Response(status=200, content=f'"t{self.granted}"'.encode())
        self.calls.append(request.url)
        self.served += 1
        good = request.headers["token"] == f"t{self.granted}" and self.served <= self.ends_after
        return Response(status=200 if good else 403)

    def granted_line(self, keeper: TokenKeeper) -> Granted:
        line = Line(account="a", max_in_flight=1, handler=self.handle, retry=RetryPolicy(attempts=1))
        return Granted(line=line, keeper=keeper, grant=self.grant)

    @staticmethod
    def grant() -> Conversation[Token]:
        answer = yield Request(method="POST", url="https://a.example/token")
        return Token(value=answer.json(), seconds=3600)


def get(number: int) -> Ask[int]:
    def conversation(token: str) -> Conversation[int]:
        answer = yield Request(method="GET", url=f"https://a.example/{number}", headers={"token": token})
        if answer.status != 200:
            raise UnauthorizedError("refused")
        return number

    return conversation


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_only_the_calls_that_a_token_was_too_old_for_are_made_again(run: Any) -> None:
    clock = FakeClock()
    account = Account()
    granted = account.granted_line(TokenKeeper(clock))
    assert run(granted.ask(get(0)), clock=clock) == 0
    account.ends_after = 4
    assert run(granted.ask_all([get(number) for number in range(6)]), clock=clock) == [0, 1, 2, 3, 4, 5]
    assert account.granted == 2
    assert len(account.calls) == 1 + 6 + 3


def test_a_fresh_token_that_is_refused_is_not_asked_for_again() -> None:
    account = Account(ends_after=0)
    with pytest.raises(UnauthorizedError):
        run_blocking(account.granted_line(TokenKeeper()).ask(get(0)))
    assert account.granted == 1


def test_a_token_that_was_refused_is_not_kept_where_no_other_is_granted() -> None:
    clock = FakeClock()
    account = Account()
    keeper = TokenKeeper(clock)
    granted = account.granted_line(keeper)
    run_blocking(granted.ask(get(0)), clock=clock)
    account.granted += 1

    def grant() -> Conversation[Token]:
        yield Request(method="POST", url="https://a.example/token")
        raise UnauthorizedError("taken back")

    with pytest.raises(UnauthorizedError, match="taken back"):
        run_blocking(evolve(granted, grant=grant).ask(get(1)), clock=clock)
    assert keeper.current() is None


def test_where_a_whole_round_comes_to_nothing_the_rest_is_not_tried() -> None:
    account = Account(ends_after=0)
    outcomes = run_blocking(
        account.granted_line(TokenKeeper()).ask_all([get(number) for number in range(250)])
    )
    assert len(outcomes) == 250
    assert {type(one) for one in outcomes} == {UnauthorizedError}
    assert len(account.calls) == 100


def test_a_round_that_went_through_in_part_is_followed_by_the_next() -> None:
    account = Account(ends_after=60)
    outcomes = run_blocking(
        account.granted_line(TokenKeeper()).ask_all([get(number) for number in range(150)])
    )
    assert sum(isinstance(one, int) for one in outcomes) == 60 + 50
    assert account.granted == 2


def test_no_calls_need_no_token() -> None:
    account = Account()
    assert run_blocking(account.granted_line(TokenKeeper()).ask_all([])) == []
    assert account.granted == 0
