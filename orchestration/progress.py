"""What a run tells the person who waits for it, while it runs.

Belongs here: the listener that the assets talk to, and counting dbt's events. Does not belong here:
how it is shown (`terminal.py`), what is kept of it (`agentledger/status.py`).

The listener is the process's, not a resource's: a run started from the UI has nobody to talk to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agentledger.ingest.reports import CollectionReport
from agentledger.publish import PublishReport


class Listener:
    """Hears what a run does; this one is deaf, and every method may be overridden."""

    def step(self, name: str) -> None:
        """A step begins: `collect`, `check`, `build`, `publish`, `docs`."""

    def collecting(self, what: str, done_bytes: int, total_bytes: int) -> None:
        """The collection went on."""

    def collected(self, report: CollectionReport) -> None:
        """The collection is complete."""

    def published(self, report: PublishReport) -> None:
        """Readers see this build now."""

    def node_done(self, build: "BuildCounts", name: str, status: str, seconds: float) -> None:
        """Dbt finished a model or a test."""

    def say(self, message: str) -> None:
        """Something a person should know."""


_listener: list[Listener] = [Listener()]


def listener() -> Listener:
    """Whoever listens to the run of this process."""
    return _listener[0]


def listen(new: Listener) -> None:
    """Let someone listen to the run of this process."""
    _listener[0] = new


@dataclass(slots=True)
class BuildCounts:
    """What dbt did so far."""

    done: int = 0
    total: int = 0
    models: int = 0
    models_failed: list[str] = field(default_factory=list)
    tests: int = 0
    tests_failed: list[str] = field(default_factory=list)
    tests_warned: list[str] = field(default_factory=list)
    tests_broken: list[str] = field(default_factory=list)
    skipped: int = 0
    kept: int = 0
    """Models that stay as they are, because nothing that they read changed."""
    errors: list[str] = field(default_factory=list)

    def see(self, event: Mapping[str, Any]) -> tuple[str, str, float] | None:
        """Count one event of dbt's log.

        Returns:
            Name, status and seconds when the event is the end of a model or a test.
        """
        kind, data = event["info"]["name"], event["data"]
        if event["info"]["level"] == "error":
            self.errors.append(str(event["info"]["msg"]))
        if kind not in ("LogModelResult", "LogSeedResult", "LogTestResult", "SkippingDetails"):
            return None
        node = data.get("node_info", {})
        name = str(node.get("node_name", ""))
        status = str(node.get("node_status") or data.get("status", "")).lower()
        self.done = int(data.get("index", self.done))
        self.total = int(data.get("total", data.get("num_models", self.total)))
        if kind == "SkippingDetails":
            self.skipped += 1
            status = "skipped"
        elif kind == "LogTestResult":
            self._see_test(name, status)
        else:
            self.models += 1
            if status == "error":
                self.models_failed.append(name)
        return name, status, float(data.get("execution_time") or 0.0)

    def _see_test(self, name: str, status: str) -> None:
        self.tests += 1
        lists = {
            "fail": self.tests_failed,
            "warn": self.tests_warned,
            "error": self.tests_broken,
            "runtime error": self.tests_broken,
        }
        if status in lists:
            lists[status].append(name)

    @property
    def only_tests_failed(self) -> bool:
        """Whether nothing but data tests failed: the same data fails them again."""
        broken = self.models_failed or self.tests_broken
        return bool(self.tests_failed) and not broken
