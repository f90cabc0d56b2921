"""Starting the command line: fast, silent, importing nothing heavy."""

import importlib
import operator
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import typer
from typer.testing import CliRunner

import agentledger.query
from agentledger import engine
from agentledger.cli.main import FAMILIES, app
from agentledger.settings import HOME_VARIABLE, Settings
from tests.unit.fresh_start import HEAVY, modules_after, modules_of_answer, packages
from tests.unit.published_agents import publish_agents
from tests.unit.published_ledger import publish_ledger, settings_of
from tests.unit.published_workflows import publish_workflows

ENGINE = {"_duckdb"}
"""What a reader needs of the heavy packages: DuckDB's engine, without the rest of its package."""


def test_the_command_line_starts_without_anything_heavy(tmp_path: Path) -> None:
    """One import at the top of a command module would cost every command, --help included."""
    assert packages(modules_of_answer(["--help"], tmp_path)) & HEAVY == set()


def test_the_read_api_imports_without_pandas_and_duckdb(tmp_path: Path) -> None:
    loaded = modules_after("import agentledger.query", tmp_path)
    assert packages(loaded) & HEAVY == set()
    assert {name for name in loaded if name.startswith("agentledger.query.")} == set()


def test_the_read_api_gives_every_name_that_it_lists() -> None:
    """A name that a module shared would mean the module once somebody imported it."""
    modules = {module.name for module in pkgutil.iter_modules(agentledger.query.__path__)}
    assert modules & set(agentledger.query.__all__) == set()
    for name in agentledger.query.__all__:
        assert callable(getattr(agentledger.query, name)), name
    assert set(agentledger.query.__all__) <= set(dir(agentledger.query))
    with pytest.raises(AttributeError, match="no attribute 'get_nothing'"):
        operator.attrgetter("get_nothing")(agentledger.query)


def test_readers_meet_the_engine_that_everybody_has() -> None:
    """An error of the one is caught as an error of the other."""
    assert (engine.Error, engine.connect) == (duckdb.Error, duckdb.connect)


@pytest.mark.parametrize(
    ("arguments", "publish"),
    [
        (["skills", "top"], publish_ledger),
        (["reads", "questions"], publish_ledger),
        (["agents", "list"], publish_agents),
        (["workflows", "correlation"], publish_workflows),
    ],
)
def test_a_reader_imports_its_own_family_and_the_engine_alone(
    tmp_path: Path, arguments: list[str], publish: Callable[[Settings], Path]
) -> None:
    """A reader starts anew for each question, and imports take longer than most answers."""
    publish(settings_of(tmp_path))
    loaded = modules_of_answer([*arguments, "--json"], settings_of(tmp_path).home)
    assert packages(loaded) & HEAVY == ENGINE
    assert {name for name in FAMILIES if f"agentledger.cli.{name}" in loaded} == {arguments[0]}
    assert "agentledger.query.frames" not in loaded


def test_the_table_of_families_names_what_each_module_adds() -> None:
    """The help, near matches and what is imported when all follow this table."""
    for module, commands in FAMILIES.items():
        family = typer.Typer()
        importlib.import_module(f"agentledger.cli.{module}").add_commands(family)
        assert tuple(typer.main.get_group(family).commands) == commands


def test_a_misspelt_command_is_told_the_nearest() -> None:
    finished = CliRunner().invoke(app, ["usag", "daily"])
    assert finished.exit_code == 2
    assert "Did you mean 'usage'?" in finished.output


def test_readers_never_write() -> None:
    """No reader may make the data home, a key or a lock of its own."""
    folder = Path(agentledger.__file__).parent
    for path in [*(folder / "query").glob("*.py"), folder / "snapshot.py"]:
        text = path.read_text()
        for word in ("mkdir(", "write_text(", "write_bytes(", ".open(", "prepare_home"):
            assert word not in text, f"{path.name}: {word}"


def test_version() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "agentledger.cli.main", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout == f"agentledger {agentledger.__version__}\n"


@pytest.mark.parametrize("arguments", [["--version"], ["skills", "top"], ["sql", "select 1"]])
def test_a_reader_that_has_seen_enough_is_no_failure(tmp_path: Path, arguments: list[str]) -> None:
    """`agentledger … | head -1` ends quietly, whether the pipe closes before or after the write."""
    publish_ledger(settings_of(tmp_path))
    reader, writer = os.pipe()
    os.close(reader)
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "agentledger.cli.main", *arguments],
            env={HOME_VARIABLE: str(settings_of(tmp_path).home)},
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert finished.returncode == 0, finished.stderr
    assert "roken" not in finished.stderr
