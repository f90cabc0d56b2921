"""Claude Code transcripts: how a file of them is told, and what may be read of a line.

Belongs here: the allow-list of the envelope, the message, its usage and its tool blocks, and the
raw columns they become. Does not belong here: the SQL of a kind of field (`event_columns.py`),
reading files (`event_stage.py`), what the lines mean together (the models).

Nothing that people or models wrote is kept in raw: of texts only their kind, of tools their names.
The vault keeps what `private_texts.py` says, of sources whose owner wants that.
Source of the format: formats.md section 6 of the shared documents.
"""

from collections.abc import Mapping

from agentledger import privacy
from agentledger.ingest import event_columns as kept
from agentledger.ingest import private_texts
from agentledger.ingest.codex_formats import CODEX_LINES
from agentledger.ingest.event_format import EventFormat

_NAME = privacy.PLAIN_NAME_PATTERN.strip("^$")

_TEXTS = (
    "type", "subtype", "uuid", "parentUuid", "sessionId", "session_id", "timestamp", "cwd",
    "version", "entrypoint", "isSidechain", "isMeta", "isCompactSummary",
    "isVisibleInTranscriptOnly", "isApiErrorMessage", "agentId", "permissionMode",
    "sourceToolUseID", "requestId", "attributionSkill", "attributionPlugin", "costUSD",
    "durationMs", "operation", "messageId", "leafUuid",
)  # fmt: skip

_USAGE = (
    "input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
    "service_tier",
)  # fmt: skip
_USAGE_INSIDE = {
    "cache_creation": ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
    "server_tool_use": ("web_search_requests", "web_fetch_requests"),
}
_USAGE_KNOWN = (
    *_USAGE, *_USAGE_INSIDE, "inference_geo", "speed", "iterations", "output_tokens_details",
)  # fmt: skip

_KNOWN_NAMES = frozenset(
    {
        "logicalParentUuid", "gitBranch", "userType", "slug", "sourceToolAssistantUUID",
        "promptId", "promptSource", "origin", "effort", "sessionKind", "error", "level", "content",
        "compactMetadata", "microcompactMetadata", "summary", "snapshot", "isSnapshotUpdate",
        "thinkingMetadata", "todos", "planContent", "parentToolUseID", "toolUseID", "hookCount",
        "hookInfos", "hookErrors", "preventedContinuation", "stopReason", "hasOutput",
        "attachment", "prNumber", "prUrl", "prRepository", "lastPrompt", "mode", "aiTitle",
        "interruptedMessageId", "retryAttempt", "retryInMs", "maxRetries", "cause",
    }
)  # fmt: skip


def _fields(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "VARCHAR")


FIELDS = {
    **_fields(*_TEXTS),
    "data": _fields("type", "agentId"),
    "toolUseResult": _fields(
        "agentId", "status", "totalDurationMs", "totalTokens", "totalToolUseCount", "isAsync"
    ),
    "message": {
        **_fields("id", "model", "stop_reason"),
        "usage": "JSON",
        "content": [
            {
                **_fields("type", "id", "name", "tool_use_id", "is_error"),
                "input": _fields("skill", "command", "subagent_type"),
            }
        ],
    },
}

_TEXT = "json_extract_string(x.record, '$.message.content')"
_FIRST_TEXT = _TEXT.replace("content'", "content[0].text'")

GLIMPSES = {
    # A small object of numbers, looked into once it is known to be there.
    "usage": "try(json_transform(x.message.usage, '{"
    + ", ".join(f'"{name}": "VARCHAR"' for name in _USAGE)
    + "".join(
        f', "{name}": {{' + ", ".join(f'"{inner}": "VARCHAR"' for inner in names) + "}"
        for name, names in _USAGE_INSIDE.items()
    )
    + "}'))",
    # Texts stay in their line unless something in it asks for a look at their beginning.
    "prompt_text": "case when x.type = 'user' and x.message.content is null "
    f"then left(ltrim({_TEXT}), 400) "
    "when x.type = 'user' and x.message.content[1].type = 'text' "
    f"then left(ltrim({_FIRST_TEXT}), 400) end",
    "failed_texts": "case when len(list_filter(x.message.content, lambda block: "
    "block.is_error = 'true')) > 0 "
    "then json_extract_string(x.record, '$.message.content[*].content') end",
}

_IS_TOOL = "block.type in ('tool_use', 'tool_result')"

ERROR_CLASSES = (
    ("user_rejected", "^The user doesn.t want to (proceed|take this action)"),
    ("interrupted", r"^\[Request interrupted by user"),
    ("sibling_error", "^(<tool_use_error>)?Sibling tool call errored"),
    ("tool_use_error", "^<tool_use_error>"),
    ("exit_code", "^(Error: )?Exit code -?[0-9]+"),
    ("http_status", "(?i)(status code|HTTP( error)?:?) [45][0-9][0-9]"),
    ("missing_binary", "(?i)command not found"),
)
"""Class of an error, told by the beginning of its text; the first that matches (formats.md 6.9)."""


def _error_class(text: str) -> str:
    # The text may stand in a list of one block, whose JSON begins the same way each time.
    bare = f"""regexp_replace({text}, '^\\[\\{{"type":"text","text":"', '')"""
    tests = " ".join(
        f"when regexp_matches({bare}, '{pattern}') then '{name}'" for name, pattern in ERROR_CLASSES
    )
    return f"case {tests} else 'other' end"


def _block_name(expression: str) -> str:
    return (
        f"case when {expression} is null then null when regexp_full_match({expression}, '{_NAME}') "
        f"then {expression} else 'other' end"
    )


def _block_id(expression: str) -> str:
    return f"case when regexp_full_match({expression}, '{_NAME}') then {expression} end"


# The position is the one in `content`, which is also that of the text of an error.
BLOCKS = f"""case when len(list_filter(x.message.content, lambda block: {_IS_TOOL})) > 0 then
    list_filter(list_transform(x.message.content, lambda block, place: case when {_IS_TOOL} then {{
        position: cast(place - 1 as integer),
        block_type: block.type,
        tool_use_id: {_block_id("coalesce(block.tool_use_id, block.id)")},
        tool_name: {_block_name("block.name")},
        skill_name: case when block.name = 'Skill'
            then {_block_name("ltrim(coalesce(block.input.skill, block.input.command), '/')")} end,
        subagent_type: {_block_name("block.input.subagent_type")},
        is_error: case when block.is_error in ('true', 'false') then block.is_error end,
        error_class: case when block.is_error = 'true'
            then {_error_class("left(failed_texts[place], 300)")} end
    }} end), lambda block: block is not null) end"""

_PROMPT_KIND = """case
    when x.type is distinct from 'user' or x.message is null then null
    when list_contains(list_transform(x.message.content, lambda block: block.type),
        'tool_result') then 'tool_result'
    when prompt_text is null then 'blocks'
    when x.isCompactSummary = 'true' then 'compact_summary'
    when starts_with(prompt_text, 'Base directory for this skill:') then 'skill_body'
    when regexp_matches(prompt_text, '^<(command-name|command-message)>') then 'command'
    when regexp_matches(prompt_text, '^<(local-command|bash)-') then 'command_output'
    when contains(prompt_text, '[Request interrupted by user') then 'interruption'
    else 'text' end"""


def _flag(field: str) -> str:
    return f"case when x.{field} in ('true', 'false') then x.{field} end"


def _count(expression: str) -> str:
    return (
        f"case when {expression} is not null and "
        f"regexp_full_match({expression}, '-?[0-9]{{1,20}}([.][0-9]{{1,20}})?') "
        f"then {expression} end"
    )


COLUMNS: Mapping[str, str] = {
    "line_type": kept.name("type"),
    "subtype": _block_name("coalesce(x.subtype, x.data.type, x.operation)"),
    "uuid": kept.identifier("uuid"),
    "parent_uuid": kept.identifier("parentUuid"),
    "session_id": _block_id("coalesce(x.sessionId, x.session_id)"),
    "ts": kept.time("timestamp"),
    "cwd": "left(nullif(trim(x.cwd), ''), 4096)",
    "version": kept.name("version"),
    "entrypoint": kept.name("entrypoint"),
    "is_sidechain": _flag("isSidechain"),
    "is_meta": _flag("isMeta"),
    "is_compact_summary": _flag("isCompactSummary"),
    "is_api_error": _flag("isApiErrorMessage"),
    "agent_id": _block_id("coalesce(x.agentId, x.data.agentId)"),
    "permission_mode": kept.name("permissionMode"),
    "source_tool_use_id": _block_id("x.sourceToolUseID"),
    "request_id": kept.identifier("requestId"),
    "message_id": _block_id("coalesce(x.message.id, x.messageId)"),
    "model": "case when x.message.model = '<synthetic>' then x.message.model "
    f"else {_block_name('x.message.model')} end",
    "stop_reason": _block_name("x.message.stop_reason"),
    "has_usage": "coalesce(json_type(x.message.usage) = 'OBJECT', false)",
    **{name: _count(f"usage.{name}") for name in _USAGE if name != "service_tier"},
    **{
        inner: _count(f"usage.{name}.{inner}")
        for name, names in _USAGE_INSIDE.items()
        for inner in names
    },
    "service_tier": _block_name("usage.service_tier"),
    "attribution_skill": kept.title("attributionSkill"),
    "attribution_plugin": kept.title("attributionPlugin"),
    "cost_usd": kept.number("costUSD"),
    "duration_ms": kept.number("durationMs"),
    "prompt_kind": _PROMPT_KIND,
    "command_name": "nullif(regexp_extract(prompt_text, "
    "'<command-name>/?([A-Za-z0-9_][A-Za-z0-9_.:-]{0,127})</command-name>', 1), '')",
    "result_agent_id": _block_id("x.toolUseResult.agentId"),
    "result_status": _block_name("x.toolUseResult.status"),
    "result_duration_ms": _count("x.toolUseResult.totalDurationMs"),
    "result_total_tokens": _count("x.toolUseResult.totalTokens"),
    "result_tool_use_count": _count("x.toolUseResult.totalToolUseCount"),
    "content_blocks": "cast(len(x.message.content) as integer)",
    "length_bytes": "line_bytes",
}

_UNKNOWN_USAGE = (
    "case when usage is not null and not list_has_all(["
    + ", ".join(f"'{name}'" for name in _USAGE_KNOWN)
    + "], json_keys(x.message.usage)) then list_transform(list_filter(json_keys(x.message.usage), "
    "lambda name: not list_contains(["
    + ", ".join(f"'{name}'" for name in _USAGE_KNOWN)
    + "], name)), lambda name: 'message.usage.' || name) end"
)

CLAUDE_CODE_LINES = EventFormat(
    name="claude_code_lines",
    told_by=(
        frozenset({"type", "sessionId"}),
        frozenset({"type", "leafUuid"}),
        frozenset({"type", "snapshot"}),
        frozenset({"type", "uuid", "message"}),
    ),
    fields=FIELDS,
    columns=COLUMNS,
    identity="uuid",
    must_have="len(names) > 0",
    not_told_by=frozenset({"projectHash", "cli_version"}),
    known_names=_KNOWN_NAMES,
    takes_any_object=True,
    glimpses=GLIMPSES | {"line_bytes": "strlen(x.record)"},
    parts={"claude_code_blocks": BLOCKS},
    unknown_inside=_UNKNOWN_USAGE,
    texts=private_texts.CLAUDE_CODE,
    json_texts=frozenset({"blocks"}),
)

TRANSCRIPT_FORMATS: Mapping[str, EventFormat] = {
    item.name: item for item in (CLAUDE_CODE_LINES, CODEX_LINES)
}
