"""Fixtures that several kinds of tests share: the dbt project built on a warehouse of their own.

Belongs here: running dbt as users do, in a process of its own. Does not belong here: rows (see
`factories.py`) and expectations.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentledger.settings import Settings, process_environment

REPO_ROOT = Path(__file__).resolve().parents[1]
DBT_PROJECT = REPO_ROOT / "dbt_project"
DBT_TIMEOUT_SECONDS = 300  # a build on fixtures takes about 10; a hang must not hold up the suite

DbtCommand = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> DbtCommand:
    """A function that runs dbt: `dbt(warehouse, "build", ..., check=True)`.

    All calls of a session share one target folder, so the project is parsed once.
    """
    target = tmp_path_factory.mktemp("dbt-target")

    def run(
        warehouse: Path, *arguments: str, check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        extra = {
            "AGENTLEDGER_WAREHOUSE": str(warehouse),
            "AGENTLEDGER_SPILL": str(target / "spill"),
            "DBT_PROFILES_DIR": str(DBT_PROJECT),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(target),
        }
        done = subprocess.run(
            [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", *arguments],
            cwd=DBT_PROJECT,
            env=process_environment(Settings(home=target, host_zone="UTC"), extra),
            capture_output=True,
            text=True,
            timeout=DBT_TIMEOUT_SECONDS,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        return done

    run.target = target  # type: ignore[attr-defined]
    return run


@pytest.fixture(scope="session")
def dbt_build(dbt: DbtCommand) -> Callable[..., None]:
    """`dbt_build(warehouse, *arguments)`: models and data tests, as a scheduled run does."""

    def build(warehouse: Path, *arguments: str) -> None:
        dbt(warehouse, "build", "--exclude-resource-type", "unit_test", *arguments)

    return build


@pytest.fixture(scope="session")
def manifest(dbt: DbtCommand, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The parsed manifest of the dbt project."""
    dbt(tmp_path_factory.mktemp("manifest") / "warehouse.duckdb", "parse")
    return json.loads((dbt.target / "manifest.json").read_text("utf-8"))  # type: ignore[attr-defined]
