"""Fixtures that several kinds of tests share: the dbt project built on a warehouse of their own.

Belongs here: which warehouse and folders a run of dbt gets. Does not belong here: the process it
runs in (`dbt_process.py`), rows (`factories.py`), expectations.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentledger.settings import Settings, process_environment
from orchestration.manifest import prepare_manifest, require_manifest
from tests.dbt_process import run_dbt

REPO_ROOT = Path(__file__).resolve().parents[1]
DBT_PROJECT = REPO_ROOT / "dbt_project"
DBT_TIMEOUT_SECONDS = 300  # a build on fixtures takes about 10; a hang must not hold up the suite

DbtCommand = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> DbtCommand:
    """A function that runs dbt: `dbt(warehouse, "build", ..., check=True)`.

    All calls of a session share one target folder and the parsed project (`dbt_parsed.py`).
    """
    target = tmp_path_factory.mktemp("dbt-target")
    settings = Settings(home=target, host_zone="UTC")
    prepare_manifest(settings)
    environment = process_environment(
        settings,
        {
            "AGENTLEDGER_SPILL": "spill",
            "DBT_PROFILES_DIR": str(DBT_PROJECT),
            "DBT_PROJECT_DIR": str(DBT_PROJECT),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(target),
        },
    )

    def run(
        warehouse: Path, *arguments: str, check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        done = run_dbt(
            ["--no-use-colors", "--no-write-json", *arguments],
            folder=warehouse.parent,
            environment=environment | {"AGENTLEDGER_WAREHOUSE": warehouse.name},
            timeout=DBT_TIMEOUT_SECONDS,
        )
        if check:
            assert done.returncode == 0, done.stdout[-6000:]
        return done

    return run


@pytest.fixture(scope="session")
def dbt_build(dbt: DbtCommand) -> Callable[..., None]:
    """`dbt_build(warehouse, *arguments)`: models and data tests, as a scheduled run does."""

    def build(warehouse: Path, *arguments: str) -> None:
        dbt(warehouse, "build", "--exclude-resource-type", "unit_test", *arguments)

    return build


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The parsed manifest of the dbt project."""
    prepare_manifest(Settings(home=tmp_path_factory.mktemp("manifest"), host_zone="UTC"))
    return json.loads(require_manifest().read_text("utf-8"))
