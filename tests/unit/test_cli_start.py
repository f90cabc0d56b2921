"""Starting the command line: fast, silent, importing nothing heavy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import agentledger
from agentledger.settings import HOME_VARIABLE
from tests.unit.published_ledger import publish_ledger, settings_of

HEAVY = {
    "duckdb", "pandas", "numpy", "pyarrow", "rich", "tomlkit", "msgspec", "filelock",
    "dagster", "dbt", "orchestration",
}  # fmt: skip


def imported_by(code: str, home: Path) -> set[str]:
    """Top-level names that a fresh interpreter has loaded after some code."""
    finished = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules, file=sys.stderr)"],
        env={HOME_VARIABLE: str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in finished.stderr.split()}


def test_the_command_line_starts_without_anything_heavy(tmp_path: Path) -> None:
    """One import at the top of a command module would cost every command, --help included."""
    loaded = imported_by(
        "from agentledger.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        tmp_path,
    )
    assert loaded & HEAVY == set()


def test_the_read_api_imports_without_pandas_and_duckdb(tmp_path: Path) -> None:
    assert imported_by("import agentledger.query", tmp_path) & HEAVY == set()


def test_answers_of_the_command_line_do_without_pandas(tmp_path: Path) -> None:
    """Pandas takes a second to import; rows go straight from DuckDB to the terminal."""
    publish_ledger(settings_of(tmp_path))
    loaded = imported_by(
        "from agentledger.cli.main import main\n"
        "try: main(['skills', 'top', '--json'])\n"
        "except SystemExit: pass",
        tmp_path,
    )
    assert "duckdb" in loaded
    assert "pandas" not in loaded


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
