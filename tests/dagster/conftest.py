"""Fixtures of the orchestration tests.

Belongs here: fixtures alone. Does not belong here: how a data home is made (`data_home.py`).
"""

from pathlib import Path

import pytest

from agentledger.settings import Settings
from orchestration.manifest import prepare_manifest
from tests.dagster.data_home import HeadlessRun, make_home, run_headless


@pytest.fixture(scope="session", autouse=True)
def prepared_manifest(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What `make manifest` does; nothing when it is up to date."""
    prepare_manifest(Settings(home=tmp_path_factory.mktemp("manifest"), host_zone="UTC"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data home of its own."""
    return make_home(tmp_path)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> HeadlessRun:
    """One headless run that several tests look at; they change nothing."""
    folder = tmp_path_factory.mktemp("finished")
    return run_headless(folder, make_home(folder), "--json", "--trigger", "test")
