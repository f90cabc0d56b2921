"""Which names are those of telemetry, and which part of ingest reads a file of such a name.

Belongs here: beginnings and endings of names, folders that are searched or left alone. Does not
belong here: walking folders (`scan.py`), telling a format, which is done by content.
"""

import os
from pathlib import Path
from typing import Literal

from agentledger.ingest import skill_store_copy
from agentledger.ingest.scan_roots import TRANSCRIPT_KINDS

Reader = Literal["skill_metrics", "events", "transcripts", "langfuse", "mapped", "otlp"]
"""Which part of ingest reads a file; the format itself is told by its content."""

READER_OF_KIND: dict[str, Reader] = {
    "skill-metrics": "skill_metrics",
    "claude-code": "transcripts",
    "otlp": "otlp",
    "mapped": "mapped",
    "codex": "transcripts",
    "langfuse": "langfuse",
}
"""Which part reads a source that is one file, whatever its name; any other kind is events."""

PRUNED_FOLDERS = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "node_modules",
        "__pycache__",
        "site-packages",
        "target",
    }
)
"""Folders that hold other people's files by the ten thousand and never telemetry."""

SEARCHED_HIDDEN_FOLDERS = frozenset({".session-buddy", ".crackerjack"})
"""Hidden folders in which trackers write; every other hidden folder is left alone."""

SKILL_METRICS_PREFIX = "skill_metrics"

EVENT_PREFIXES = (
    "intent_events",
    "intent_executions",
    "chat_events",
    "workflow_executions",
    "skill_invocations",
    "usage_events",
    "agent_telemetry",
)
"""Beginnings of the names of event logs inside a project; a source of events has any name."""

LOG_SUFFIXES = (
    ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".copy", ".json.gz", ".jsonl.gz",
)  # fmt: skip

TABLE_SUFFIXES = (".csv", ".tsv", ".copy")
"""Exported tables: no form of skill metrics."""

MAPPED_SUFFIXES = (*LOG_SUFFIXES, ".parquet", ".csv.gz", ".tsv", ".log")
"""Endings of the files that a mapped source reads in a folder; a file by itself has any name."""

_TRANSCRIPT_SUFFIXES = {
    "claude-code": (".jsonl",),
    "codex": (".jsonl", ".jsonl.gz", ".jsonl.zst"),
}


def reader_of(kind: str, entry: "os.DirEntry[str]") -> Reader | None:
    """Which reader a file of this name is for, in a root of some kind; None leaves it alone."""
    lowered = entry.name.lower()
    if kind == "mapped":
        return "mapped" if lowered.endswith(MAPPED_SUFFIXES) else None
    if kind == "skill-metrics" and _is_store_name(entry):
        return "skill_metrics"
    if kind in TRANSCRIPT_KINDS:
        return "transcripts" if lowered.endswith(_TRANSCRIPT_SUFFIXES[kind]) else None
    if kind == "langfuse":
        return "langfuse" if lowered.endswith((*LOG_SUFFIXES, ".csv.gz", ".parquet")) else None
    if not lowered.endswith(LOG_SUFFIXES):
        return None
    if kind == "otlp":
        return None if lowered.endswith(TABLE_SUFFIXES) else "otlp"
    if kind != "skill-metrics":
        return "events"
    if lowered.startswith(EVENT_PREFIXES):
        return "events"
    is_metrics = lowered.startswith(SKILL_METRICS_PREFIX) and not lowered.endswith(TABLE_SUFFIXES)
    return "skill_metrics" if is_metrics else None


def _is_store_name(entry: "os.DirEntry[str]") -> bool:
    """A database in a tracker's folder; a folder may bear such a name and is searched instead."""
    if not entry.name.lower().endswith(skill_store_copy.SUFFIX):
        return False
    if SEARCHED_HIDDEN_FOLDERS.isdisjoint(Path(entry.path).parts[:-1]):
        return False
    try:
        return not entry.is_dir(follow_symlinks=False)
    except OSError:
        return False  # it vanished since the listing


def is_searched(entry: "os.DirEntry[str]") -> bool:
    """Whether a walk goes down here: a real folder in which telemetry may lie."""
    if entry.name in PRUNED_FOLDERS:
        return False
    if entry.name.startswith(".") and entry.name not in SEARCHED_HIDDEN_FOLDERS:
        return False
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False  # it vanished since the listing
