"""Which build answers come from.

Belongs here: the snapshot's own description. Does not belong here: the state of runs (`status.py`).
"""

from dataclasses import asdict
from typing import Any

from agentledger.query.answers import json_value, read_answer
from agentledger.reads import recorded
from agentledger.settings import Settings
from agentledger.snapshot import Build, open_snapshot


@recorded("build")
def get_build(*, settings: Settings | None = None) -> dict[str, Any]:
    """Describe the current build: its id, its `as_of`, and the rows of each published relation.

    Raises:
        NothingPublishedError: When no run has published yet.
        SnapshotUnreadableError: When the snapshot cannot be read.
    """
    with open_snapshot(settings) as snapshot:
        rows = read_answer(
            snapshot, "select relation_name, row_count from meta.relations order by relation_name"
        ).rows
        return {
            **build_values(snapshot.build),
            "relations": {str(name): count for name, count in rows},
        }


def build_values(build: Build) -> dict[str, Any]:
    """A build as JSON-serialisable values."""
    return {name: json_value(value) for name, value in asdict(build).items()}
