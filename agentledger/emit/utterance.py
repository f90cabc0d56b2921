"""Exactly one event per utterance, whichever way the code leaves.

Belongs here: the context manager and decorator around an orchestrator's entry point. Does not
belong here: what is written (`recorder.py`).
"""

import functools
import inspect
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from agentledger.emit.trace import IntentTrace

Function = TypeVar("Function", bound=Callable[..., Any])


class Utterance:
    """Yield a trace and record it at the end: return, exception or cancellation.

    As a decorator it opens a trace per call and passes it as the keyword `trace`; functions,
    coroutines, generators and asynchronous generators keep their kind. As a context manager it
    serves one block: ask the recorder for another one to nest.
    """

    __slots__ = ("_fields", "_pid", "_record", "_text", "_trace")

    def __init__(
        self,
        record: Callable[[IntentTrace], str],
        text: str | None,
        fields: dict[str, Any],
    ) -> None:
        self._record = record
        self._text = text
        self._fields = fields
        self._trace: IntentTrace | None = None
        self._pid = 0

    def __enter__(self) -> IntentTrace:
        """Open the trace."""
        trace = IntentTrace(self._text, **self._fields)
        self._text = None
        self._trace = trace
        self._pid = os.getpid()
        return trace

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Record the trace; the exception goes on."""
        trace = self._trace
        if trace is None or self._pid != os.getpid():
            return  # a forked child leaves through here too: the event is its parent's
        # A consumer that stops reading a generator is not an error of the generator.
        if kind is not None and kind is not GeneratorExit:
            trace.outcome = "error"
            trace.error_code = kind.__name__
        self._record(trace)

    async def __aenter__(self) -> IntentTrace:
        """Open the trace."""
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Record the trace; waits for nothing, so cancellation cannot interrupt it."""
        self.__exit__(kind, error, traceback)

    def __call__(self, function: Function) -> Function:
        """Decorate an orchestrator's entry point."""
        wrapped: Any
        if inspect.isasyncgenfunction(function):
            wrapped = self._async_generator(function)
        elif inspect.iscoroutinefunction(function):
            wrapped = self._coroutine(function)
        elif inspect.isgeneratorfunction(function):
            wrapped = self._generator(function)
        else:
            wrapped = self._plain(function)
        return wrapped

    def _fresh(self) -> "Utterance":
        return Utterance(self._record, self._text, self._fields)

    def _plain(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._fresh() as trace:
                return function(*args, **kwargs, trace=trace)

        return call

    def _coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def call(*args: Any, **kwargs: Any) -> Any:
            with self._fresh() as trace:
                return await function(*args, **kwargs, trace=trace)

        return call

    def _generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._fresh() as trace:
                return (yield from function(*args, **kwargs, trace=trace))

        return call

    def _async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def call(*args: Any, **kwargs: Any) -> Any:
            with self._fresh() as trace:
                items = function(*args, **kwargs, trace=trace)
                try:
                    async for item in items:
                        yield item
                finally:
                    await items.aclose()

        return call
