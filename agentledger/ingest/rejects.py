"""What could not be read: where it stands, why, how long it is; never what it says.

Belongs here: turning refused parts into rows of `raw.rejects` and writing them. Does not belong
here: deciding what is refused (the readers).
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from agentledger import privacy

if TYPE_CHECKING:
    from agentledger.ingest.event_records import RefusedPart
    from agentledger.ingest.load import RunFacts
    from agentledger.ingest.skill_metrics_records import Rejected
    from agentledger.ingest.staged_file import StagedFile

QUARANTINE_STATES = frozenset(
    {"unreadable", "unrecognised_format", "decompression_failed", "too_large", "vanished"}
)
"""States of a file from which no record could be taken."""


def locate(
    text: str, rejected: "Iterable[Rejected | RefusedPart]", key: bytes
) -> list[dict[str, Any]]:
    """Turn positions in the decoded text into line numbers and byte offsets, in one pass.

    Returns:
        What `write` needs of each: length and keyed hash of what was refused, never the text.
    """
    rows = []
    position, line, offset = 0, 1, 0
    for reject in sorted(rejected, key=lambda item: item.start):
        between = text[position : reject.start]
        line += between.count("\n")
        offset += len(between.encode("utf-8", "replace"))
        position = reject.start
        refused = text[reject.start : reject.end]
        rows.append(
            {
                "ordinal": reject.ordinal,
                "line_no": line,
                "byte_offset": offset,
                "reason": reject.reason,
                "detail": reject.detail,
                "length_bytes": len(refused.encode("utf-8", "replace")),
                "bytes_hash": privacy.keyed_hash(key, refused),
            }
        )
    return rows


def write(
    connection: duckdb.DuckDBPyConnection,
    files: "Sequence[StagedFile]",
    facts: "RunFacts",
    load_seq: int,
) -> None:
    """Keep what could not be read; the same bad bytes of a file stand there once."""
    rows: list[list[Any]] = []
    for file in files:
        root = file.load.file.root
        refused = list(file.rejected)
        if file.state in QUARANTINE_STATES:
            refused.append({"reason": file.state, "detail": file.message})
        rows += [
            [
                load_seq, facts.run_id, file.file_id, root.source_id, root.project_id,
                reject.get("ordinal"), reject.get("line_no"), reject.get("byte_offset"),
                reject["reason"], reject.get("detail"), reject.get("length_bytes"),
                reject.get("bytes_hash"), facts.ingested_at,
            ]
            for reject in refused
        ]  # fmt: skip
    if rows:
        connection.executemany(
            "insert into raw.rejects select cast(md5_number(concat_ws(chr(31), $3, $9, "
            "coalesce($6, -1), coalesce($12, ''))) as uuid), "
            + ", ".join(f"${number}" for number in range(1, 14))
            + " on conflict do nothing",
            rows,
        )
