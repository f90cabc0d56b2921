"""Lines that all have the same members are read without a list of their names; nobody notices."""

import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agentledger import privacy, warehouse
from agentledger.ingest import event_lines, event_staging_tables
from agentledger.settings import Settings
from tests.unit.conftest import Ledger
from tests.unit.test_ingest_events import Logs, intent

_NAME = re.compile(privacy.PLAIN_NAME_PATTERN)
_BLANKS = "".join(
    letter for letter in map(chr, range(sys.maxunicode)) if unicodedata.category(letter) == "Zs"
)
"""What DuckDB's `trim` takes off."""


@pytest.fixture
def logs(ledger: Ledger, tmp_path: Path) -> Logs:
    return Logs(ledger, tmp_path / "logs")


@contextmanager
def statements_seen(patch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Whether each statement over lines took them for uniform."""
    seen: list[bool] = []
    build = event_staging_tables.projection_sql

    def spy(*arguments: Any, **options: Any) -> str:
        seen.append(options["is_uniform"])
        return build(*arguments, **options)

    patch.setattr(event_staging_tables, "projection_sql", spy)
    yield seen


def test_lines_with_the_same_names_are_read_as_uniform(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.write("a.jsonl", *(intent(number) for number in range(1, 50)))
    with statements_seen(monkeypatch) as seen:
        assert logs.counts()["accepted"] == 49
    assert seen == [True]


@pytest.mark.parametrize(
    "odd",
    [
        json.dumps(intent(2, novel="SECRET")),
        json.dumps(intent(2, novel=1)).replace('"novel":', '"novel" :'),
        json.dumps({name: value for name, value in intent(2).items() if name != "missing_args"}),
        json.dumps({
            name if name != "missing_args" else "novel": value for name, value in intent(2).items()
        }),
        json.dumps(intent(2))[:-1] + ', "outcome": "ready"}',
        json.dumps(intent(2)).replace('"prompt_version"', '"outcome"'),
        json.dumps(intent(2, outcome=None)),
        json.dumps(intent(2, chosen_verb_fqn="a\x00b")),
        json.dumps(intent(2, chosen_verb_fqn='say ":')),
        json.dumps(intent(2))[:-1],
        "",
        "null",
        "[]",
    ],
    ids=[
        "new name", "new name before a blank", "name missing", "name in the place of another",
        "name twice", "name twice in the place of another", "no outcome", "NUL", "colon in a text",
        "broken", "empty", "null", "list",
    ],
)  # fmt: skip
def test_one_line_that_differs_is_read_as_if_it_stood_alone(
    logs: Logs, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    logs.write("a.jsonl", json.dumps(intent(1)), odd, json.dumps(intent(3)))
    landed = _landed(logs)
    # The tolerant way is the measure of the fast one; the same secret makes the same keys.
    settings = Settings(home=logs.folder.parent / "other", host_zone="UTC")
    warehouse.prepare_home(settings)
    settings.key_path.write_text(logs.ledger.settings.key_path.read_text())
    other = Logs(Ledger(settings, logs.ledger.projects), logs.folder.parent / "copy")
    monkeypatch.setattr(event_lines, "has_only", lambda data, names: False)
    other.write("a.jsonl", json.dumps(intent(1)), odd, json.dumps(intent(3)))
    assert landed == _landed(other)


def _landed(logs: Logs) -> tuple[Any, ...]:
    counts = logs.counts()
    rows = logs.ledger.rows(
        "select * exclude (source_id, project_id, host_id, run_id, ingested_at) "
        "from raw.intent_events order by line_no, ordinal"
    )
    rejected = logs.ledger.rows("select line_no, reason from raw.rejects order by all")
    unknown = logs.ledger.rows(
        "select field_name, occurrences from raw.unknown_fields order by all"
    )
    return counts, rows, rejected, unknown


@given(sentence=st.text(min_size=1, max_size=30), separator=st.characters(max_codepoint=127))
@example(sentence="\xa0", separator="0")
@hypothesis_settings(max_examples=200, deadline=None)
def test_no_sentence_passes_for_two_names_side_by_side(sentence: str, separator: str) -> None:
    """Fields are looked at together; whatever stands between two words, they are no name."""
    import duckdb

    from agentledger.ingest import event_columns

    text = f"drop{separator}{sentence}"
    sql = event_columns.short_name("f").replace(
        "x.are_short", f"({event_columns.short_texts(['f', 'g'])})"
    )
    with duckdb.connect() as connection:
        [(kept,)] = connection.execute(
            f"select {sql} from (select ?::varchar as f, 'ready' as g) as x", [text]
        ).fetchall()
    # A line with a NUL of its own never gets here (`has_nul`).
    assert (
        "\0" in text or kept == "other" or (kept == text.strip(_BLANKS) and _NAME.fullmatch(kept))
    )
