"""Logs of events as their writers make them, for tests.

Belongs here: one record of each format, a folder of logs that is collected. Does not belong here:
expectations.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentledger import registry

if TYPE_CHECKING:
    from tests.unit.conftest import Ledger

NIL = "00000000-0000-0000-0000-000000000000"


def intent(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An event as formats.md section 5 writes it."""
    return {
        "event_id": f"7f000000-0000-4000-8000-{number:012d}",
        "ts": "2026-06-18T09:30:00.123456Z",
        "session_id": "3c000000-0000-4000-8000-000000000001",
        "actor_id": "analyst-1",
        "entrypoint": "chat",
        "utterance_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "utterance_preview": None,
        "semreg_mode": "strict",
        "semreg_denied_verbs": ["cbu.delete"],
        "verb_candidates_pre": [["cbu.assign-role", 0.705], ["cbu.create", 0.663]],
        "verb_candidates_post": [["cbu.assign-role", 0.705]],
        "chosen_verb_fqn": "cbu.assign-role",
        "selection_source": "discovery",
        "outcome": "needs_user_input",
        "missing_args": ["role"],
        "prompt_version": "2026-06-01",
    } | changes


def workflow(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A run as formats.md section 2 writes it."""
    return {
        "workflow_id": f"6f1c2b7e-0d0f-4f0e-9c57-{number:012d}",
        "project_id": "p-01",
        "workflow_name": "feature-dev",
        "started_at": "2026-02-10T10:00:00",
        "completed_at": "2026-02-10T10:14:09",
        "status": "completed",
        "skills_used": ["analyze", "design", "implement", "implement", "test"],
        "total_duration_ms": 849000.0,
        "metadata": {},
    } | changes


class Logs:
    """A folder of event logs that is registered as a source."""

    def __init__(self, ledger: "Ledger", folder: Path) -> None:
        self.ledger = ledger
        self.folder = folder
        folder.mkdir()
        registry.add_source(ledger.settings, "events", str(folder), zone="UTC")

    def write(self, name: str, *records: Any, end: str = "\n") -> Path:
        path = self.folder / name
        path.write_text("\n".join(_line(record) for record in records) + end, encoding="utf-8")
        return path

    def append(self, name: str, *records: Any, end: str = "\n") -> None:
        with (self.folder / name).open("a", encoding="utf-8") as stream:
            stream.write("\n".join(_line(record) for record in records) + end)

    def counts(self) -> dict[str, int]:
        return self.ledger.collect().totals()

    def intents(self, columns: str = "event_id", order: str = "line_no, ordinal") -> list[Any]:
        return self.ledger.rows(
            f"select {columns} from raw.intent_events order by file_id, {order}"
        )


def _line(record: Any) -> str:
    return record if isinstance(record, str) else json.dumps(record)
