"""Fixtures of the end-to-end tests: real commands, each test on a data home of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
RUN_SECONDS = 240
"""A run takes about ten seconds; on a busy machine several times that."""


@dataclass
class Home:
    """A data home and the commands a user would type in it."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)

    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
        return kept | {"AGENTLEDGER_HOME": str(self.path), "TZ": "UTC"} | self.environment

    def start(self, *arguments: str, prefix: Sequence[str] = ()) -> "subprocess.Popen[str]":
        """Start a command and do not wait; it leads a process group of its own."""
        return subprocess.Popen(
            [*prefix, sys.executable, "-m", "agentledger.cli.main", *arguments],
            env=self.env(), text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def call(self, *arguments: str, exit_code: int = 0, prefix: Sequence[str] = ()) -> str:
        """Run a command to its end; its output, after its exit code was checked."""
        process = self.start(*arguments, prefix=prefix)
        output, _ = process.communicate(timeout=RUN_SECONDS)
        assert process.returncode == exit_code, output
        return output

    def ask(self, *arguments: str) -> Any:
        """Run a reader with --json."""
        completed = subprocess.run(
            [sys.executable, "-m", "agentledger.cli.main", *arguments, "--json"],
            env=self.env(), text=True, capture_output=True, check=False, timeout=RUN_SECONDS,
        )  # fmt: skip
        assert completed.returncode == 0, completed.stderr
        return json.loads(completed.stdout)

    def register(self, *folders: Path) -> None:
        for folder in folders:
            self.call("register", str(folder), "--zone", "UTC")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse itself."""
        with duckdb.connect(str(self.path / "warehouse.duckdb"), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(sql).fetchall()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def make_home(tmp_path: Path) -> Callable[[str], Home]:
    """Homes that share one key, so that their keyed hashes can be compared."""

    def make(name: str) -> Home:
        path = tmp_path / name
        path.mkdir(mode=0o700)
        (path / "key").write_text("5a" * 32)
        return Home(path, {"AGENTLEDGER_AS_OF": "2026-11-21T00:00:00Z"})

    return make


@pytest.fixture
def metrics_samples() -> list[Path]:
    """The reference files of five real writers."""
    folder = SHARED_DATA / "skill-metrics" / "writer-output"
    if not folder.is_dir():
        pytest.skip("the shared reference data is not beside this checkout")
    return sorted(folder.glob("*.json"))


def place(source: Path, project: Path, name: str = "skill_metrics.json") -> Path:
    """Put a metrics file where its tracker would write it."""
    target = project / ".session-buddy" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target


@pytest.fixture(name="place")
def place_fixture() -> Callable[..., Path]:
    return place
