"""In this project only the SDK emits intent events, and only ingest writes their raw table."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentledger.emit import guard

REPOSITORY = Path(__file__).parents[2]

WRITES = re.compile(
    r"(insert\s+(or\s+\w+\s+)?into|merge\s+into|update|copy"
    r"|create(\s+or\s+replace)?\s+table)\s+([\w\"?]+\.)*(\"?intent_events\"?|(?<=raw\.)\?)(?![\w\"])",
    re.IGNORECASE,
)
"""SQL that adds or changes rows of `raw.intent_events`, however it is quoted or qualified, and of a
raw table whose name is computed. Deleting is retention's business and making it the schema's."""


def test_only_the_sdk_emits() -> None:
    """A second emission point would break "exactly one event per utterance"."""
    for folder in ("agentledger", "orchestration"):
        assert guard.scan(REPOSITORY / folder, "agentledger.emit") == []


def texts_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Texts of a module, f-strings with their expressions as `?`; docstrings are no code."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in docstrings:
                yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else "?" for p in node.values]
            yield node.lineno, "".join(map(str, parts))


def writers_of_the_raw_table(folder: Path) -> set[str]:
    """Files whose SQL writes the table, or that name it outside the schema of the raw tables."""
    found = set()
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_bytes())
        if any(WRITES.search(text) for _, text in texts_of(tree)):
            found.add(path.relative_to(REPOSITORY).as_posix())
    return found


@pytest.mark.parametrize(
    ("statement", "writes"),
    [
        ("insert into raw.intent_events select 1", True),
        ('INSERT OR IGNORE INTO "raw"."intent_events" values (1)', True),
        ("insert into raw.? by name select * from batch", True),
        ("update warehouse.raw.intent_events set outcome = null", True),
        ("insert into snapshot.?", False),
        ("create table if not exists raw.intent_events (a int)", False),
        ("create or replace table raw.intent_events as from x", True),
        ("select * from raw.intent_events", False),
        ("insert into raw.intent_events_daily select 1", False),
    ],
)
def test_the_pattern_knows_a_write_from_a_read(statement: str, writes: bool) -> None:
    assert bool(WRITES.search(statement)) is writes


def test_only_ingest_writes_the_raw_table() -> None:
    """The tempting change is a shortcut from a command straight into the table."""
    writers = {
        name
        for folder in ("agentledger", "orchestration", "examples")
        for name in writers_of_the_raw_table(REPOSITORY / folder)
    }
    assert {name for name in writers if not name.startswith("agentledger/ingest/")} == set()


def test_no_model_writes_the_raw_table() -> None:
    """Should leave raw to ingest: models read it through their source, hooks included."""
    for path in [*(REPOSITORY / "models").rglob("*.sql"), *(REPOSITORY / "dbt_project").rglob("*")]:
        if path.suffix in (".sql", ".yml") and "target" not in path.parts:
            assert not WRITES.search(path.read_text()), path
