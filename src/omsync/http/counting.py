"""Counting the requests of some steps, whoever else makes requests at the same time."""

from __future__ import annotations

import threading
from typing import Any, TypeVar

from attrs import evolve

from omsync.http.messages import Request
from omsync.http.steps import Line, Steps, Talk

__all__ = ["Tally"]

T = TypeVar("T")


class Tally:
    """How many requests some steps made, those that were tried again too."""

    def __init__(self) -> None:
        self.requests = 0
        self._turn = threading.Lock()

    def over(self, steps: Steps[T]) -> Steps[T]:
        """Carry out the steps, and count what they request."""
        try:
            effect: Any = next(steps)
            while True:
                if isinstance(effect, Talk):
                    effect = evolve(effect, line=self._counted(effect.line))
                try:
                    result = yield effect
                except BaseException as error:  # noqa: BLE001  an interrupt too: the steps tidy up and raise it on
                    effect = steps.throw(error)
                else:
                    effect = steps.send(result)
        except StopIteration as finished:
            return finished.value  # type: ignore[no-any-return]  # a generator's return value has no type here

    def _counted(self, line: Line) -> Line:
        # Before each try a request is signed, once.
        def sign(request: Request) -> Request:
            with self._turn:
                self.requests += 1
            return line.sign(request)

        return evolve(line, sign=sign)
