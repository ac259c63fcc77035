"""A conformance kit for sinks: put yours on a bench, and see which of omsync's expectations it meets.

    bench = SinkBench(sink=MyCart(...), shown=look_into_the_database, listings=["MUG", "CUP"])

    @pytest.mark.parametrize("check", SINK_CHECKS)
    def test_my_cart_conforms(check: str) -> None:
        assert_conforms(bench, checks=[check])

Blocking sinks, async ones and those in steps are all called as omsync calls them. The kit writes: put test
listings on the bench, not those of a shop in use. Call it from blocking code, also for an async sink. Each
check asks nothing of those before it, so they can be run one by one, in any order, on one bench.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import field, frozen

from omsync import checks
from omsync.errors import LostAnswerError, SettingsError
from omsync.hints import suggestion
from omsync.http.messages import Handler, Request, Response
from omsync.testing._sink_bench import Key, SinkBench
from omsync.testing._sink_codes import CODES, STRANGE_SKUS
from omsync.testing._sink_pushing import PUSHING
from omsync.testing._sink_reading import READING
from omsync.testing._sink_syncing import SYNCING
from omsync.testing._sink_trial import NotApplicable, Trial
from omsync.testing._sink_trouble import TROUBLE

__all__ = [
    "SINK_CHECKS",
    "STRANGE_SKUS",
    "CheckResult",
    "Key",
    "SinkBench",
    "SinkCheck",
    "SinkReport",
    "assert_conforms",
    "check_sink",
    "losing_answers",
]


@frozen(kw_only=True)
class SinkCheck:
    """One thing that is expected of every sink.

    Args:
        name: Its stable name.
        check: Called with the sink at work; raises ``AssertionError`` in words.
    """

    name: str
    check: Callable[[Trial], None] = field(repr=False)

    @property
    def statement(self) -> str:
        """What is expected, in one line."""
        return (self.check.__doc__ or "").partition("\n")[0]


SINK_CHECKS: Mapping[str, SinkCheck] = checks.as_mapping(
    {
        check.__name__: SinkCheck(name=check.__name__, check=check)
        for check in (*READING, *CODES, *PUSHING, *SYNCING, *TROUBLE)
    }
)
"""Every check, by name, in the order in which they are run."""


@frozen(kw_only=True)
class CheckResult:
    """How one check went.

    Args:
        name: The check's name.
        statement: What was expected.
        outcome: ``"passed"``, ``"failed"`` or ``"not_applicable"``.
        seen: What was seen when it failed; the reason when it is not applicable.
    """

    name: str = field(validator=checks.text)
    statement: str = field(validator=checks.text)
    outcome: str = field(validator=checks.one_of("passed", "failed", "not_applicable"))
    seen: str = field(default="", validator=checks.any_text)

    def __str__(self) -> str:
        if self.outcome == "failed":
            return f"FAILED {self.name}: {self.statement}\n       {self.seen}"
        return f"{self.outcome.replace('_', ' ')}: {self.name}" + (f" ({self.seen})" if self.seen else "")


@frozen(kw_only=True)
class SinkReport:
    """How a sink did.

    Args:
        destination: Which cart, as the sink calls it.
        results: One for each check.
    """

    destination: str = field(validator=checks.any_text)
    results: tuple[CheckResult, ...] = field(converter=checks.as_tuple)

    def named(self, outcome: str) -> tuple[str, ...]:
        """Give the names of the checks that ended so."""
        return tuple(one.name for one in self.results if one.outcome == outcome)

    @property
    def conforms(self) -> bool:
        """Whether no check failed."""
        return not self.named("failed")

    def __str__(self) -> str:
        numbers = ", ".join(
            f"{len(self.named(outcome))} {outcome.replace('_', ' ')}"
            for outcome in ("passed", "failed", "not_applicable")
            if self.named(outcome)
        )
        telling = [str(one) for one in self.results if one.outcome != "passed"]
        return "\n".join([f"{self.destination}: {numbers or 'no checks'}", *telling])


def check_sink(bench: SinkBench, *, checks: Iterable[str] | None = None) -> SinkReport:
    """Hold a sink to what omsync expects of one.

    Args:
        bench: The sink, and how to look into its cart. Quantities of its listings are overwritten.
        checks: The names of the checks; None for all.

    Raises:
        SettingsError: A name is none of ``SINK_CHECKS``.
    """
    names = list(SINK_CHECKS) if checks is None else list(checks)
    for name in names:
        if name not in SINK_CHECKS:
            raise SettingsError(
                f"There is no check {name!r}", code="unknown_check", remedy=suggestion(name, SINK_CHECKS)
            )
    results = [_carried_out(SINK_CHECKS[name], bench) for name in names]
    return SinkReport(destination=_destination(bench), results=results)


def assert_conforms(bench: SinkBench, *, checks: Iterable[str] | None = None) -> SinkReport:
    """Hold a sink to the checks, and fail with the report where it does not conform.

    Args:
        bench: As for ``check_sink``.
        checks: As for ``check_sink``.

    Returns:
        The report; look at ``named("not_applicable")`` for what the bench left open.

    Raises:
        AssertionError: A check failed; says which, and what was seen.
    """
    report = check_sink(bench, checks=checks)
    if not report.conforms:
        raise AssertionError(str(report))
    return report


def losing_answers(send: Handler, *, of: Callable[[Request], bool]) -> Handler:
    """Make a handler that carries requests out and loses the answers of some: for ``SinkBench.losing``.

    Args:
        send: Carries a request out: a fake, or ``omsync.http.client.Http().send``.
        of: Whether the answer to this request is lost, such as ``lambda request: request.method == "PUT"``.
    """

    def handler(request: Request) -> Response:
        response = send(request)
        if of(request):
            raise LostAnswerError(f"{request.place}: sent, and the answer was lost on purpose")
        return response

    return handler


def _carried_out(check: SinkCheck, bench: SinkBench) -> CheckResult:
    outcome, seen = "passed", ""
    try:
        with Trial(bench) as trial:
            check.check(trial)
    except NotApplicable as reason:
        outcome, seen = "not_applicable", str(reason)
    except AssertionError as broken:
        outcome, seen = "failed", str(broken)
    except Exception as error:  # noqa: BLE001  a sink under test may raise anything, and the other checks go on
        outcome, seen = "failed", f"{type(error).__name__}: {error}"
    for secret in bench.secrets:
        seen = seen.replace(secret, "***")
    return CheckResult(name=check.name, statement=check.statement, outcome=outcome, seen=seen)


def _destination(bench: SinkBench) -> str:
    said = getattr(bench.sink, "capabilities", None)
    return str(getattr(said, "destination", type(bench.sink).__name__))
