"""Changes of agents that their owner declared: `changes/agent-changes.jsonl` in the data home.

Belongs here: writing a declaration, and reading the notes back for whoever looks at the decision.
Does not belong here: the decision itself (`models/`, agent_evolution), reading the file into the
ledger (`ingest/`, like any other source).

The file only grows, so that a decision can be made again. The note never leaves it.
"""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from agentledger import files
from agentledger.errors import UsageError
from agentledger.instants import iso
from agentledger.settings import Settings

Metric = Literal["success", "cost", "latency"]

METRICS: Final[tuple[Metric, ...]] = ("success", "cost", "latency")
"""What a change may be meant to improve."""

MAX_NAME: Final = 200
"""Characters of an agent's name."""


def declare(
    settings: Settings,
    agent: str,
    at: datetime,
    *,
    note: str,
    metric: str = "success",
    now: datetime | None = None,
) -> dict[str, Any]:
    """Write down that an agent was changed.

    Args:
        settings: Names the data home.
        agent: The agent, as its events name it.
        at: When the change took effect, aware.
        note: What was changed; stays in the file.
        metric: What it is meant to improve: 'success', 'cost' or 'latency'.
        now: The clock.

    Returns:
        The declaration as it was written.

    Raises:
        UsageError: When the agent has no name, the metric is unknown, or the instant is to come.
    """
    now = datetime.now(UTC) if now is None else now.astimezone(UTC)
    agent = agent.strip()
    if not agent or len(agent) > MAX_NAME or not agent.isprintable():
        raise UsageError("An agent needs a name of 1 to 200 printable characters.")
    if metric not in METRICS:
        raise UsageError(f"Unknown metric {metric!r}. Give one of {', '.join(METRICS)}.")
    if at.astimezone(UTC) > now:
        raise UsageError(f"{iso(at)} is still to come. Declare a change once it has taken effect.")
    record = {
        "change_id": str(uuid.uuid4()),
        "agent_id": agent,
        "changed_at": iso(at),
        "declared_at": iso(now),
        "metric": metric,
        "note": note,
    }
    files.append_record(changes_path(settings), record)
    return record


def changes_path(settings: Settings) -> Path:
    """The file of declarations."""
    return settings.changes_dir / "agent-changes.jsonl"


def read_notes(settings: Settings) -> dict[str, str]:
    """Change id → note; lines that are no declaration are passed over."""
    try:
        lines = changes_path(settings).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    notes = {}
    for line in lines:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue  # ingest counts it among the rejected lines
        if isinstance(record, dict) and isinstance(record.get("change_id"), str):
            notes[record["change_id"]] = str(record.get("note") or "")
    return notes
