"""What an event costs the thread that emits it, beside what the same thread pays for a log line.

Belongs here: threads that emit at a pace, the yardsticks measured in the same loop. Does not belong
here: what the background thread costs (it is not the host's time), goals (`figures.py`).

An orchestrator emits a few events per second, so its caches are cold each time: the paced figures
are the honest ones. Each turn of the loop measures the event and the yardsticks one after the
other, in an order that changes, so that a machine that slows down slows all of them.
"""

import logging
import logging.handlers
import queue
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agentledger.emit import EventWriter, IntentRecorder
from benchmarks.figures import Figure

THREADS = 8
EVENTS_PER_THREAD = 500
PACE_SECONDS = 0.004
"""Each thread waits this long between events: 2,000 per second together."""

CANDIDATES = [(f"cbu.verb-{number}", 0.9 - number / 20) for number in range(10)]


@dataclass(frozen=True, slots=True)
class Overhead:
    """Times of one thing on the caller's thread, in microseconds."""

    name: str
    p50: float
    p99: float


def measure(folder: Path, threads: int = THREADS, pace: float = PACE_SECONDS) -> list[Overhead]:
    """Measure a whole event, `queue.put` and `logging.info`, interleaved.

    Args:
        folder: Where a data home is made and removed again.
        threads: Threads that emit side by side.
        pace: Seconds that each waits between turns; 0 is a tight loop.

    Raises:
        RuntimeError: When an event was lost: its time would mean nothing.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="emit-") as home:
        writer = EventWriter(home, queue_events=2 * threads * EVENTS_PER_THREAD)
        recorder = IntentRecorder(writer=writer)
        cases = _cases(recorder)
        times: dict[str, list[int]] = {name: [] for name in cases}
        gate = threading.Barrier(threads)

        def work(shift: int) -> None:
            turn = list(cases.items())
            mine: dict[str, list[int]] = {name: [] for name in cases}
            gate.wait()
            for number in range(EVENTS_PER_THREAD):
                if pace:
                    time.sleep(pace)
                # Whatever comes first after a sleep pays for the wake-up: nobody's cost here.
                time.perf_counter_ns()
                for position in range(len(turn)):
                    name, call = turn[(number + shift + position) % len(turn)]
                    start = time.perf_counter_ns()
                    call()
                    mine[name].append(time.perf_counter_ns() - start)
            for name, found in mine.items():
                times[name].extend(found)

        workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        writer.close()
        if writer.stats()["written"] != threads * EVENTS_PER_THREAD:
            raise RuntimeError(f"events were lost: {writer.stats()}")
    return [_overhead(name, found) for name, found in times.items()]


def figures(folder: Path) -> list[Figure]:
    """The lines of `make bench`: paced (the goal), and the same in a tight loop."""
    lines = []
    for label, pace in (("paced", PACE_SECONDS), ("tight loop", 0.0)):
        event, *yardsticks = measure(folder, pace=pace)
        beside = ", ".join(
            f"{event.p50 / other.p50:.2f} x {other.name} ({other.p50:.1f} / {other.p99:.0f} µs)"
            for other in yardsticks
        )
        lines.append(
            Figure(
                f"emit, {THREADS} threads, {label}, p50",
                value=event.p50,
                unit="µs",
                goal="emit" if pace else None,
                note=f"p99 {event.p99:.0f} µs; {beside}",
            )
        )
    return lines


def _cases(recorder: IntentRecorder) -> dict[str, Callable[[], None]]:
    """What is measured; the event first."""
    logger = logging.Logger("benchmark", logging.INFO)  # noqa: LOG001 - of its own, no root handlers
    logger.addHandler(logging.handlers.QueueHandler(queue.SimpleQueue()))
    sink: queue.Queue[dict[str, str]] = queue.Queue()

    def event() -> None:
        with recorder.utterance("please create the fund", session_id="s-1") as trace:
            trace.entrypoint, trace.semreg_mode = "chat", "strict"
            trace.verb_candidates_pre = trace.verb_candidates_post = CANDIDATES
            trace.semreg_denied_verbs, trace.chosen_verb_fqn = [], "cbu.verb-0"
            trace.selection_source, trace.prompt_version = "discovery", "2026-06-01"
            trace.outcome = "ready"

    return {
        "a whole event": event,
        "queue.put": lambda: sink.put({"outcome": "ready"}),
        "logging.info into a queue": lambda: logger.info("outcome %s of %s", "ready", "s-1"),
    }


def _overhead(name: str, nanoseconds: list[int]) -> Overhead:
    cuts = statistics.quantiles(nanoseconds, n=100)
    return Overhead(name, cuts[49] / 1000, cuts[98] / 1000)


if __name__ == "__main__":
    for found in figures(Path(tempfile.gettempdir())):
        print(f"{found.name}: {found.value:.1f} {found.unit}\n    {found.note}")
