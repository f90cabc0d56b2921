"""One session of Claude Code: its lines, its answers, and what each answer had been given.

Belongs here: walking from an answer to the lines above it, putting the blocks of an answer
together. Does not belong here: which call counts (the models), data sets (`training/`).

Each line names its parent, so that a conversation is a path: words that were taken back, and the
conversation of a subagent, stand on another one. Tools that were called at once give their results
on paths of their own; they are looked up by the id of the call. A compaction begins a new path with
its summary, as the model was given that alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agentledger.transcripts.parts import (
    NOT_IN_VAULT,
    UNREADABLE,
    Blocks,
    CallParts,
    Texts,
    TextSource,
    Utterance,
    as_text,
    block_id,
    decoded,
    texts_of_blocks,
)

if TYPE_CHECKING:
    import duckdb

# Of copies of a line the earliest counts, as it does in the models.
_LINES: Final = """
    select
        cast(record_key as varchar), cast(content_hash as varchar), uuid, parent_uuid, line_type,
        message_id, coalesce(model = '<synthetic>', false), coalesce(is_sidechain = 'true', false),
        agent_id,
        coalesce(is_meta = 'true' or is_compact_summary = 'true', false)
        or coalesce(prompt_kind in ('skill_body', 'command_output', 'compact_summary'), false),
        ts, coalesce(content_blocks, -1)
    from raw.claude_code_lines
    where session_id = ?
    qualify row_number() over (
        partition by record_key
        order by ts nulls last, content_hash, line_no, ordinal, source_id, file_id
    ) = 1
    order by ts nulls last, line_no, ordinal, record_key
"""

_CALLS: Final = """
    select cast(record_key as varchar), min(cast(llm_call_key as varchar))
    from intermediate.int_claude_code_call_versions
    where session_id = ?
    group by 1
"""

_COPIED: Final = """
    select cast(record_key as varchar)
    from raw.claude_code_lines
    where record_key in (
        select own.record_key from raw.claude_code_lines as own where own.session_id = $1
    )
    group by record_key
    having arg_min(session_id, struct_pack(at := coalesce(ts, '~'), name := session_id)) <> $1
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the session, without its texts."""

    record_key: str
    content_hash: str
    uuid: str | None
    parent_uuid: str | None
    line_type: str | None
    message_id: str | None
    is_synthetic: bool
    is_sidechain: bool
    agent_id: str | None
    is_inserted: bool
    at: str | None
    content_blocks: int

    @property
    def speaks(self) -> bool:
        """Whether a person or a model says something in it."""
        return self.line_type in ("user", "assistant")


@dataclass(slots=True)
class Session:
    """One session with the texts that the vault has of it."""

    lines: list[Line]
    texts: Mapping[tuple[str, str], Texts]
    call_of: Mapping[str, str]
    """Record key → model call."""
    copied: frozenset[str] = frozenset()
    """Records that another session told first."""
    _by_uuid: dict[str, Line] = field(default_factory=dict, init=False)
    _answers: dict[str, Blocks] = field(default_factory=dict, init=False)
    _lines_of: dict[str, list[Line]] = field(default_factory=dict, init=False)
    _results: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)
    _blocks: dict[str, list[dict[str, Any]] | None] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for number, line in enumerate(self.lines):
            if line.uuid is not None:
                self._by_uuid[line.uuid] = line
            if line.line_type == "assistant":
                unit = self.unit_of(line)
                self._lines_of.setdefault(unit, []).append(line)
                answer = self._answers.setdefault(unit, Blocks())
                for block in self.blocks_of(line) or ():
                    answer.add(number, block)
            elif line.line_type == "user":
                for block in self.blocks_of(line) or ():
                    if block.get("type") == "tool_result":
                        self._results.setdefault(str(block.get("tool_use_id")), block)

    def unit_of(self, line: Line) -> str:
        """The answer that an assistant's line is a part of."""
        return self.call_of.get(line.record_key) or line.message_id or line.record_key

    def blocks_of(self, line: Line) -> list[dict[str, Any]] | None:
        """What a line says; None when the vault does not have it."""
        if line.record_key not in self._blocks:
            known = self.texts.get((line.record_key, line.content_hash))
            if known is None:
                found = [] if line.content_blocks == 0 else None
            else:
                said = [{"type": "text", "text": text} for text in known.get("message", ())]
                found = said + decoded(known.get("blocks", ()))
            self._blocks[line.record_key] = found
        return self._blocks[line.record_key]

    def parts_of(self, call: str) -> CallParts | str:
        """What a model call was given and answered, or why nobody can tell."""
        own = self._lines_of.get(call)
        if own is None:
            return UNREADABLE
        path = self._path_to(own[0])
        if path is None:
            return UNREADABLE
        if any(self.blocks_of(line) is None for line in (*own, *path) if line.speaks):
            return NOT_IN_VAULT
        answer = self._answers[call].values()
        return CallParts(
            history=self._history(path, call),
            answer=texts_of_blocks(answer, "text"),
            thoughts=texts_of_blocks(answer, "thinking"),
            calls=[block for block in answer if block.get("type") == "tool_use"],
        )

    def _path_to(self, line: Line) -> list[Line] | None:
        """The lines above a line, the first one first; None when one of them is missing."""
        path: list[Line] = []
        seen: set[str] = set()
        parent = line.parent_uuid
        while parent is not None and parent not in seen:
            seen.add(parent)
            above = self._by_uuid.get(parent)
            if above is None:
                return None
            if (above.is_sidechain, above.agent_id) != (line.is_sidechain, line.agent_id):
                break  # the conversation of whoever called this agent
            path.append(above)
            parent = above.parent_uuid
        return path[::-1]

    def _history(self, path: Sequence[Line], call: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        told: set[str] = set()
        for line in path:
            if line.line_type == "user":
                blocks = [
                    block
                    for block in self.blocks_of(line) or ()
                    if str(block.get("tool_use_id")) not in told
                ]
                told.update(str(block["tool_use_id"]) for block in blocks if "tool_use_id" in block)
                if not blocks:
                    continue
                if line.is_inserted and messages and _with_inserted(messages[-1], blocks):
                    continue
                messages.append({"role": "user", "content": blocks})
            elif line.line_type == "assistant" and not line.is_synthetic:
                unit = self.unit_of(line)
                if unit != call and unit not in told:
                    told.add(unit)
                    messages += self._answered(unit, told)
        return messages

    def _answered(self, unit: str, told: set[str]) -> Iterator[dict[str, Any]]:
        """An answer and right behind it what the tools gave, on whichever path that stands."""
        blocks = self._answers[unit].values()
        yield {"role": "assistant", "content": blocks}
        wanted = [block_id(block) for block in blocks if block.get("type") == "tool_use"]
        results = [self._results[name] for name in wanted if name in self._results]
        if results:
            told.update(str(block["tool_use_id"]) for block in results)
            yield {"role": "user", "content": results}

    def utterances(self) -> Iterator[Utterance]:
        """What was said: the session's own conversation, then one of each subagent."""
        roots = {id(line): self._conversation(line) for line in self.lines if line.speaks}
        names = dict.fromkeys(roots.values())
        for name in sorted(names, key=lambda name: (name is not None, list(names).index(name))):
            told: set[str] = set()
            for number, line in enumerate(self.lines):
                if line.speaks and roots[id(line)] == name:
                    yield from self._said(number, line, name, told)

    def _conversation(self, line: Line) -> str | None:
        if not line.is_sidechain:
            return None
        if line.agent_id is not None:
            return line.agent_id
        path = self._path_to(line) or ()
        first = path[0] if path else line
        return first.uuid or first.record_key

    def _said(
        self, number: int, line: Line, name: str | None, told: set[str]
    ) -> Iterator[Utterance]:
        if line.line_type == "assistant":
            placed = self._answers[self.unit_of(line)].placed
            blocks: Sequence[dict[str, Any]] = [b for place, b in placed if place == number]
        else:
            blocks = self.blocks_of(line) or ()
        for block in blocks:
            kind, text, tool = _utterance_of(block, line)
            identity = str(block.get("tool_use_id") or "")
            if identity and identity in told:
                continue
            told.add(identity)
            if text.strip() or tool:
                yield Utterance(line.at, kind, text, tool, name, line.record_key in self.copied)


def _with_inserted(message: dict[str, Any], blocks: Sequence[Mapping[str, Any]]) -> bool:
    """Put text that the tool inserted behind a result into it, such as the body of a skill.

    Whether it was possible: a person's own words stay a message of theirs.
    """
    *before, last = message["content"]
    if last.get("type") != "tool_result" or any(block.get("type") != "text" for block in blocks):
        return False
    said = [as_text(last.get("content")), *(str(block["text"]) for block in blocks)]
    message["content"] = [*before, {**last, "content": "\n\n".join(said)}]
    return True


def _utterance_of(block: Mapping[str, Any], line: Line) -> tuple[str, str, str | None]:
    """Kind, text and tool of a block."""
    match block.get("type"):
        case "thinking":
            return "thoughts", str(block.get("thinking") or ""), None
        case "tool_use":
            return "tool_call", as_text(block.get("input")), str(block.get("name"))
        case "tool_result":
            return "tool_result", as_text(block.get("content")), None
        case "text":
            spoken = "inserted" if line.is_inserted else "user"
            return spoken if line.line_type == "user" else "answer", str(block["text"]), None
        case other:
            return "user" if line.line_type == "user" else "answer", f"[{other}]", None


def read_session(
    connection: "duckdb.DuckDBPyConnection", session_id: str, texts: TextSource
) -> Session:
    """Read one session.

    Args:
        connection: The warehouse; read only is enough.
        session_id: As the tool wrote it.
        texts: Where texts may be found.
    """
    lines = [Line(*row) for row in connection.execute(_LINES, [session_id]).fetchall()]
    wanted = [(line.record_key, line.content_hash) for line in lines if line.speaks]
    calls = connection.execute(_CALLS, [session_id]).fetchall()
    copied = connection.execute(_COPIED, [session_id]).fetchall()
    return Session(lines, texts.texts_of(wanted), dict(calls), frozenset(row[0] for row in copied))
