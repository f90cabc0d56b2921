"""One thread of the Codex CLI: what was said in it, and what each answer had been given.

Belongs here: walking through the items of a thread, copies of lines left out. Does not belong here:
steps of tokens (the models), data sets (`training/`).

An answer is what the model gave between two things that it was given: its thoughts, its words and
the tools it called at once. What people and models said stands in a rollout twice; the items that
went to the model count, not the events that a terminal showed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from agentledger.transcripts.parts import (
    NOT_IN_VAULT,
    UNREADABLE,
    CallParts,
    Texts,
    TextSource,
    Utterance,
    as_text,
    decoded,
)

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

THREADS: Final = """
    select
        cast(threads.thread_key as varchar) as thread_key, threads.thread_id,
        cast(threads.parent_thread_key as varchar) as parent_thread_key, threads.source_id,
        projects.project_id, projects.project_name,
        cast(cast(md5(concat_ws(chr(31), projects.project_id, threads.thread_id)) as uuid)
            as varchar) as session_key
    from (
        select
            thread_key, min(thread_id) as thread_id, max(parent_thread_key) as parent_thread_key,
            min(source_id) as source_id, min(source_project_id) as source_project_id,
            arg_min(workdir_id, struct_pack(at := walked_at, line := line_no))
                filter (where workdir_id is not null) as workdir_id
        from intermediate.int_codex_lines
        group by thread_key
    ) as threads
    left join raw.working_directories as folders on folders.workdir_id = threads.workdir_id
    inner join raw.projects as projects
        on projects.project_id = coalesce(folders.project_id, threads.source_project_id)
        and projects.is_active
"""
"""Every thread that counts, with its project; the key is that of its facts."""

_LINES: Final = """
    with own as (
        select
            *,
            row_number() over (
                partition by file_id, record_key, content_hash order by load_seq, line_no, ordinal
            ) as occurrence,
            min(ts) over (partition by file_id) as begun,
            min(content_hash) over (partition by file_id) as file_mark
        from raw.codex_lines
        where file_id in (
            select file_id from intermediate.int_codex_lines where thread_key = cast(? as uuid)
        )
    )
    select
        cast(record_key as varchar), cast(content_hash as varchar), line_type, payload_type, role,
        call_id, tool_name, ts, try_cast(ts as timestamptz)
    from own
    qualify row_number() over (
        partition by record_key, content_hash, occurrence
        order by begun, file_mark, file_id, load_seq, line_no
    ) = 1
    order by begun, file_mark, file_id, load_seq, line_no, ordinal
"""

_CALLS: Final = ("function_call", "custom_tool_call", "local_shell_call", "web_search_call")
_OUTPUTS: Final = ("function_call_output", "custom_tool_call_output")
_SPOKEN_AS: Final[Mapping[str, str]] = {"assistant": "answer", "user": "user"}


class VaultTexts(TextSource, Protocol):
    """A source of texts that knows which records it cannot tell apart."""

    def unclear_among(self, records: list[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """Records that stand for several texts: they were alike in all that raw knows."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a thread, without its texts."""

    record_key: str
    content_hash: str
    line_type: str | None
    payload_type: str | None
    role: str | None
    call_id: str | None
    tool_name: str | None
    at: str | None
    occurred_at: "datetime | None"

    @property
    def kind(self) -> str | None:
        """What the line is in a conversation; None when it is no part of one."""
        if self.line_type in ("session_meta", "compacted"):
            return self.line_type
        if self.line_type == "event_msg" and self.payload_type in ("task_complete", "turn_aborted"):
            return self.payload_type
        if self.line_type != "response_item":
            return None
        if self.payload_type in _CALLS:
            return "call"
        if self.payload_type in _OUTPUTS:
            return "output"
        if self.payload_type == "reasoning":
            return "reasoning"
        is_message = self.payload_type == "message" or (self.payload_type is None and self.role)
        return "message" if is_message else None

    @property
    def has_texts(self) -> bool:
        """Whether the vault should have a text of it."""
        return self.kind in ("message", "call", "output")


@dataclass(slots=True)
class Answer:
    """One answer of the model."""

    first: Line
    parts: CallParts | str
    stop_reason: str | None = None


@dataclass(slots=True)
class _Open:
    """An answer on its way."""

    first: Line
    words: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Thread:
    """One thread with the texts that the vault has of it."""

    lines: list[Line]
    texts: Mapping[tuple[str, str], Texts]
    unclear: frozenset[tuple[str, str]] = frozenset()

    def said_in(self, line: Line) -> Texts:
        """The texts of a line, by field."""
        return self.texts.get((line.record_key, line.content_hash), {})

    def answers(self) -> list[Answer]:
        """Every answer with what the model had been given until then."""
        walk = _Walk(self)
        for line in self.lines:
            walk.take(line)
        walk.close()
        return walk.answers

    def utterances(self) -> Iterator[Utterance]:
        """What was said, in order."""
        for line in self.lines:
            said = self.said_in(line)
            if (line.record_key, line.content_hash) in self.unclear:
                yield Utterance(line.at, "inserted", "[several texts at one time, of one length]")
                continue
            for text in (*said.get("system_prompt", ()), *said.get("summary", ())):
                yield Utterance(line.at, "system", text)
            for text in said.get("thoughts", ()):
                yield Utterance(line.at, "thoughts", text)
            for part in decoded(said.get("message", ())):
                spoken = _SPOKEN_AS.get(line.role or "", "inserted")
                yield Utterance(line.at, spoken, part.get("text") or f"[{part.get('type')}]")
            for text in said.get("arguments", ()):
                yield Utterance(line.at, "tool_call", text, line.tool_name)
            for text in said.get("output", ()):
                yield Utterance(line.at, "tool_result", text)


@dataclass(slots=True)
class _Walk:
    """What the model knows while a thread is walked through."""

    thread: Thread
    answers: list[Answer] = field(default_factory=list)
    system: list[str] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    problem: str | None = None
    """Why nobody can tell what the model knows from here on."""
    open: _Open | None = None
    has_meta: bool = False
    in_turn: int = 0
    """Number of answers when the turn began."""

    def take(self, line: Line) -> None:
        """Go one line on."""
        kind = line.kind
        if kind is None:
            return
        said = self.thread.said_in(line)
        identity = (line.record_key, line.content_hash)
        if identity in self.thread.unclear:
            self.problem = UNREADABLE
        elif line.has_texts and not said:
            self.problem = self.problem or NOT_IN_VAULT
        match kind:
            case "session_meta":
                # A second one tells of the thread that this one was copied from.
                self.system += () if self.has_meta else said.get("system_prompt", ())
                self.has_meta = True
            case "compacted":
                self.close()
                self.problem = UNREADABLE
            case "task_complete" | "turn_aborted":
                self._end_turn("completed" if kind == "task_complete" else "user_aborted")
            case "message" if line.role != "assistant":
                self.close()
                content = decoded(said.get("message", ()))
                self.history.append({"role": line.role, "content": content})
            case "output":
                self.close()
                text = "\n".join(said.get("output", ()))
                self.history.append({"role": "tool", "tool_call_id": line.call_id, "content": text})
            case _:
                self._answer(kind, line, said)

    def _answer(self, kind: str, line: Line, said: Texts) -> None:
        self.open = now = self.open or _Open(line)
        if kind == "message":
            now.words += [as_text([part]) for part in decoded(said.get("message", ()))]
        elif kind == "reasoning":
            now.thoughts += said.get("thoughts", ())
        else:
            if line.payload_type == "web_search_call":
                self.problem = UNREADABLE  # what it found is told to the model alone
            text = "\n".join(said.get("arguments", ()))
            given = {"input": text} if line.payload_type == "custom_tool_call" else text
            now.calls.append({"id": line.call_id, "name": line.tool_name, "arguments": given})

    def close(self) -> None:
        """The answer is complete: what follows was given to the model."""
        now, self.open = self.open, None
        if now is None:
            return
        words = "\n".join(now.words)
        parts = CallParts(
            system=tuple(self.system),
            history=tuple(self.history),
            answer=words,
            thoughts="\n".join(now.thoughts),
            calls=tuple(now.calls),
        )
        self.answers.append(Answer(now.first, self.problem or parts))
        self.history.append({"role": "assistant", "content": words, "tool_calls": now.calls})

    def _end_turn(self, reason: str) -> None:
        self.close()
        for answer in self.answers[self.in_turn :]:
            answer.stop_reason = reason
        self.in_turn = len(self.answers)


def read_thread(
    connection: "duckdb.DuckDBPyConnection", thread_key: str, texts: VaultTexts
) -> Thread:
    """Read one thread.

    Args:
        connection: The warehouse; read only is enough.
        thread_key: As `THREADS` gives it.
        texts: Where texts may be found.
    """
    lines = [Line(*row) for row in connection.execute(_LINES, [thread_key]).fetchall()]
    wanted = [(line.record_key, line.content_hash) for line in lines]
    return Thread(lines, texts.texts_of(wanted), texts.unclear_among(wanted))


def marked_copies(own: Sequence[Utterance], parent: Sequence[Utterance]) -> list[Utterance]:
    """What a fork said; the beginning that repeats its parent is marked."""
    same = 0
    for mine, other in zip(own, parent, strict=False):
        if (mine.kind, mine.text, mine.tool_name) != (other.kind, other.text, other.tool_name):
            break
        same += 1
    return [replace(item, is_copy=True) for item in own[:same]] + list(own[same:])
