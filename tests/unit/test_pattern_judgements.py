"""What people think of patterns: written once, kept as text in raw, never the note."""

import json
from datetime import UTC, datetime

import pytest

from agentledger import pattern_judgements
from agentledger.errors import UsageError
from agentledger.settings import Settings
from tests.unit.conftest import Ledger

NOW = datetime(2026, 3, 10, 12, 7, 31, 5, tzinfo=UTC)


def test_a_judgement_holds_from_the_last_five_minutes_on(ledger: Ledger) -> None:
    """The tempting change is to write the clock.

    A run at once, whose instant is floored to five minutes, would not count the judgement yet.
    """
    record = pattern_judgements.judge(ledger.settings, " nats ", 0.92, note="good", now=NOW)
    assert record["judged_at"] == "2026-03-10T12:05:00Z"
    assert record["declared_at"] == "2026-03-10T12:07:31.000005Z"
    assert (record["pattern"], record["quality"]) == ("nats", 0.92)
    path = pattern_judgements.judgements_path(ledger.settings)
    assert path.stat().st_mode & 0o077 == 0
    pattern_judgements.judge(ledger.settings, "nats", 1, at=NOW.replace(day=9), now=NOW)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert lines[0] == record
    assert [line["judged_at"][:10] for line in lines] == ["2026-03-10", "2026-03-09"]


@pytest.mark.parametrize("quality", [-0.01, 1.01, float("nan"), float("inf"), 92.0])
def test_a_figure_that_is_no_quality_is_refused(settings: Settings, quality: float) -> None:
    with pytest.raises(UsageError, match="from 0 to 1"):
        pattern_judgements.judge(settings, "nats", quality, now=NOW)
    assert not settings.home.exists()


@pytest.mark.parametrize("pattern", ["", "two words", "other", "a\x1bb", "x" * 129, "é"])
def test_a_name_that_no_task_can_have_is_refused(settings: Settings, pattern: str) -> None:
    with pytest.raises(UsageError, match="no name of a pattern"):
        pattern_judgements.judge(settings, pattern, 0.5, now=NOW)


def test_judgements_land_once_and_their_notes_never(ledger: Ledger) -> None:
    """Should land as written, and twice as once; a name that ingest does not keep is withheld."""
    ledger.project()
    for pattern, quality in (("nats", 0.92), ("retry", 0.4)):
        pattern_judgements.judge(ledger.settings, pattern, quality, note="SECRET note", now=NOW)
    path = pattern_judgements.judgements_path(ledger.settings)
    odd = {"judgement_id": "j-3", "pattern": "a whole sentence", "quality": "high",
           "judged_at": "2026-03-01T00:00:00Z"}  # fmt: skip
    path.write_text(path.read_text("utf-8") + json.dumps(odd) + "\n", encoding="utf-8")
    for _ in range(2):
        ledger.collect()
    assert ledger.rows(
        "select pattern, quality, note_length, ts from raw.pattern_judgements order by pattern"
    ) == [
        ("nats", "0.92", 11, "2026-03-10T12:05:00Z"),
        ("other", "NaN", None, "2026-03-01T00:00:00Z"),
        ("retry", "0.4", 11, "2026-03-10T12:05:00Z"),
    ]
    assert ledger.rows(
        "select count(*) from raw.pattern_judgements where withheld is not null"
    ) == [(1,)]
    assert b"SECRET" not in ledger.settings.warehouse_path.read_bytes()
