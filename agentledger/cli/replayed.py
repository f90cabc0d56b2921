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
