"""The words of a replay, one below the other.

Belongs here: printing texts of records and what was said in a session. Does not belong here: the
command and its table (`cli/turns.py`), the question (`query/replays.py`).
"""

from typing import Any

from agentledger.cli import output

TEXT_FIELDS = (
    ("user_message", "user"),
    ("response_thoughts", "thoughts"),
    ("response_text", "answer"),
    ("tool_calls", "tool call"),
    ("tool_results", "tool result"),
    ("utterance", "user"),
    ("assistant_message", "assistant"),
    ("input", "user"),
    ("output", "assistant"),
    ("arguments", "tool call"),
    ("result", "tool result"),
)
"""Texts that a person reads, in this order; prompts and histories, which repeat, are in --json."""


def write_texts(row: dict[str, Any]) -> None:
    """Write the texts of a record below its number, each line escaped for terminals."""
    texts = row.get("texts") or {}
    for field, name in TEXT_FIELDS:
        for text in texts.get(field, ()):
            output.write_line("")
            output.write_line(f"[{row['seq']}] {name}:")
            for line in text.splitlines() or [""]:
                output.write_line(f"    {output.printable(line)}")


SPEAKERS = {
    "system": "system",
    "user": "user",
    "inserted": "inserted",
    "thoughts": "thoughts",
    "answer": "answer",
    "tool_call": "tool call",
    "tool_result": "tool result",
}


def write_messages(messages: list[dict[str, Any]]) -> None:
    """Write what was said, one utterance below the other; subagents after the session itself."""
    conversation = None
    for row in messages:
        if row["conversation"] != conversation:
            conversation = row["conversation"]
            output.write_line("")
            output.write_line(f"Subagent {output.text_of(conversation)}")
        turn = "" if row["turn_seq"] is None else f"{row['turn_seq']}."
        tool = f" {output.text_of(row['tool_name'])}" if row["tool_name"] else ""
        copy = " (told by another session, too)" if row["is_copy"] else ""
        output.write_line("")
        output.write_line(f"[{turn}{row['seq']}] {SPEAKERS[row['kind']]}{tool}{copy}:")
        for line in row["text"].splitlines() or [""]:
            output.write_line(f"    {output.printable(line)}")


def write_exchange(rows: list[dict[str, Any]]) -> None:
    """Write what a user asked, what came of it, and the words that are kept."""
    if not rows:
        return
    output.write_table(
        ["#", "at", "record", "verb", "outcome", "what"],
        [
            [
                output.count(row["seq"]),
                _clock(row["occurred_at"]),
                output.text_of(row["record_type"].replace("_", " ")),
                output.text_of(row["verb"]),
                output.text_of(row["outcome"]),
                _details(row),
            ]
            for row in rows
        ],
        numeric=["#"],
    )
    for row in rows:
        write_texts(row)


def _clock(at: str | None) -> str:
    return output.UNKNOWN if at is None else at.replace("T", " ")[:23].removesuffix("Z")


def _details(row: dict[str, Any]) -> str:
    missing = row["missing_args"]
    parts = (
        ("missing " + ", ".join(map(str, missing))) if missing else None,
        f"error {row['error']}" if row["error"] else None,
        f"turn {row['turn_id']}" if row["turn_id"] else None,
    )
    return output.text_of("; ".join(part for part in parts if part) or None)
