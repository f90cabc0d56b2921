"""A throw-away ledger to measure on: registering, running, reading how long its steps took.

Belongs here: everything a benchmark does with a data home. Does not belong here: the order of the
measurements (`measurements.py`).
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentledger import registry, status, warehouse
from agentledger.settings import Settings, process_environment
from benchmarks.processes import Measured, run_measured

REPO_ROOT = Path(__file__).resolve().parent.parent
LIMIT_SECONDS = 3600.0
"""A measured process that takes longer hangs."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Where the time of a whole run went, seconds."""

    ingest: float
    models: float
    tests: float
    slowest_models: tuple[tuple[str, float], ...]

    @property
    def ingest_and_models(self) -> float:
        """What grows with the data; start-up of the tools and tests do not count."""
        return self.ingest + self.models


@dataclass(frozen=True, slots=True)
class Ledger:
    """One data home with its projects registered."""

    settings: Settings

    @classmethod
    def fresh(cls, home: Path, projects: Sequence[Path]) -> "Ledger":
        """Make an empty data home, whatever was there, and register the projects."""
        shutil.rmtree(home, ignore_errors=True)
        ledger = cls(Settings(home=home, host_zone="UTC"))
        warehouse.prepare_home(ledger.settings)
        for project in projects:
            registry.register_project(ledger.settings, str(project), zone="UTC")
        return ledger

    def python(self, module: str, *arguments: str) -> Measured:
        """Run a module of ours in a process of its own."""
        return self._measured([sys.executable, "-m", module, *arguments], {})

    def command(self, *arguments: str, extra: Mapping[str, str] | None = None) -> Measured:
        """Run the command `agentledger`."""
        program = str(Path(sys.executable).with_name("agentledger"))
        return self._measured([program, *arguments], extra or {})

    def _measured(self, command: list[str], extra: Mapping[str, str]) -> Measured:
        return run_measured(
            command,
            process_environment(self.settings, extra),
            limit_seconds=LIMIT_SECONDS,
            cwd=REPO_ROOT,
        )

    def last_run(self) -> dict[str, Any]:
        """What status.json says of the last run."""
        return status.read_status(self.settings).last_run or {}

    def steps_of_last_run(self) -> Steps:
        """Read where the last run spent its time: status.json, and dbt's own log of that run."""
        run = self.last_run()
        models: dict[str, float] = {}
        tests = 0.0
        for kind, name, seconds in self.dbt_results(str(run["run_id"])):
            if kind == "LogModelResult":
                models[name] = models.get(name, 0.0) + seconds
            else:
                tests += seconds
        if not models:
            raise LookupError("dbt's log of the run names no model: was anything built?")
        slowest = sorted(models.items(), key=lambda item: -item[1])[:5]
        return Steps(float(run["collect_seconds"]), sum(models.values()), tests, tuple(slowest))

    def dbt_results(self, run_id: str) -> list[tuple[str, str, float]]:
        """Kind of result, name and seconds of all that dbt did in a run."""
        results = []
        for log in self.settings.dbt_target_dir.glob(f"{run_id[:8]}*/dbt.log"):
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
                if '"LogModelResult"' not in line and '"LogTestResult"' not in line:
                    continue
                event = json.loads(line)
                data = event["data"]
                name = data.get("node_info", {}).get("node_name", "")
                results.append((event["info"]["name"], name, float(data["execution_time"])))
        return results
