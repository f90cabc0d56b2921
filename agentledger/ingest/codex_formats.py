"""Rollouts of the Codex CLI: how a file of them is told, and what may be read of a line.

Belongs here: the allow-list of the envelope, of session, turn, token counts and tool calls, and the
raw columns they become. Does not belong here: the SQL of a kind of field (`event_columns.py`),
reading files (`event_stage.py`), what the totals mean together (the models).

Instructions, messages, reasoning, arguments and outputs are dropped, or go to the vault alone
(`private_texts.py`); of an output only its exit code and the class of its error stay.
Source of the format: formats.md section 7 of the shared documents.
"""

from collections.abc import Mapping

from agentledger import privacy
from agentledger.ingest import event_columns as kept
from agentledger.ingest import private_texts
from agentledger.ingest.event_format import EventFormat, texts

_NAME = privacy.PLAIN_NAME_PATTERN.strip("^$")
_ID = "[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}"

_USAGE = (
    "input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens",
    "total_tokens",
)  # fmt: skip

_LINE_TYPES = ("session_meta", "turn_context", "event_msg", "response_item", "compacted")

_CALLS = ("function_call", "custom_tool_call", "local_shell_call", "web_search_call")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")

FIELDS = {
    **texts("timestamp", "type"),
    "payload": {
        **texts(
            "type", "role", "id", "cwd", "originator", "cli_version", "model_provider",
            "parent_thread_id", "forked_from_id", "thread_source", "turn_id", "model", "effort",
            "approval_policy", "call_id", "name", "status", "exit_code",
        ),
        "source": "JSON",
        "info": {
            **texts("model", "model_context_window"),
            "total_token_usage": "JSON",
            "last_token_usage": "JSON",
        },
    },
}  # fmt: skip

_PAYLOAD = "x.payload"
_OUTPUT = "json_extract_string(x.record, '$.payload.output')"


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _usage(name: str) -> str:
    shape = ", ".join(f'"{item}": "VARCHAR"' for item in _USAGE)
    return f"try(json_transform({_PAYLOAD}.info.{name}, '{{{shape}}}'))"


GLIMPSES = {
    "line_bytes": "strlen(x.record)",
    "total_usage": _usage("total_token_usage"),
    "last_usage": _usage("last_token_usage"),
    "source_kind_text": f"case json_type({_PAYLOAD}.source) "
    f"when 'VARCHAR' then {_PAYLOAD}.source ->> '$' "
    f"when 'OBJECT' then json_keys({_PAYLOAD}.source)[1] end",
    "spawned_by": f"json_extract_string({_PAYLOAD}.source, "
    "'$.subagent.thread_spawn.parent_thread_id')",
    # A few characters of either end of an output: its exit code stands there, its text between.
    "output_head": f"case when {_PAYLOAD}.type in ({_listed(_OUTPUTS)}) "
    f"then left({_OUTPUT}, 300) end",
    "output_tail": f"case when {_PAYLOAD}.type in ({_listed(_OUTPUTS)}) "
    f"then right({_OUTPUT}, 300) end",
    "stated_success": f"case when {_PAYLOAD}.type in ({_listed(_OUTPUTS)}) "
    "then json_extract_string(x.record, '$.payload.output.success') end",
    "is_mcp_error": f"case when {_PAYLOAD}.type = 'mcp_tool_call_end' then "
    "json_extract(x.record, '$.payload.result.Err') is not null or coalesce("
    "json_extract_string(x.record, '$.payload.result.Ok.is_error'), "
    "json_extract_string(x.record, '$.payload.result.Ok.isError')) = 'true' end",
}


def _plain(expression: str) -> str:
    return (
        f"case when {expression} is null then null when regexp_full_match({expression}, '{_NAME}') "
        f"then {expression} else 'other' end"
    )


def _id(expression: str) -> str:
    return f"case when regexp_full_match({expression}, '{_ID}') then {expression} end"


def _count(expression: str) -> str:
    return (
        f"case when regexp_full_match({expression}, '-?[0-9]{{1,20}}([.][0-9]{{1,20}})?') "
        f"then {expression} end"
    )


_EXIT_CODE = (
    "coalesce("
    f"case when regexp_full_match({_PAYLOAD}.exit_code, '-?[0-9]{{1,6}}') "
    f"then {_PAYLOAD}.exit_code end, "
    "nullif(regexp_extract(output_head, "
    "'^(?:Exit code:|Process exited with code) ?(-?[0-9]{1,6})', 1), ''), "
    "nullif(regexp_extract(output_tail, '\"exit_code\": ?(-?[0-9]{1,6})', 1), ''))"
)

_ERROR_CLASS = f"""case
    when regexp_matches(output_head, '(?i)rejected by (the )?user') then 'user_rejected'
    when regexp_matches(output_head, '(?i)(aborted|interrupted) by (the )?user')
        then 'interrupted'
    when {_EXIT_CODE} <> '0' then 'exit_code'
    when stated_success = 'false' or is_mcp_error then 'other' end"""

COLUMNS: Mapping[str, str] = {
    # Nothing in a line identifies it: what is kept of it does.
    "line_id": "cast(null as varchar)",
    "line_type": kept.name("type"),
    "payload_type": _plain(f"{_PAYLOAD}.type"),
    "role": _plain(f"{_PAYLOAD}.role"),
    "ts": kept.time("timestamp"),
    "thread_id": f"case when x.type = 'session_meta' then {_id(f'{_PAYLOAD}.id')} end",
    "parent_thread_id": _id(f"coalesce({_PAYLOAD}.parent_thread_id, spawned_by)"),
    "forked_from_id": _id(f"{_PAYLOAD}.forked_from_id"),
    "thread_source": _plain(f"coalesce({_PAYLOAD}.thread_source, source_kind_text)"),
    "cwd": f"left(nullif(trim({_PAYLOAD}.cwd), ''), 4096)",
    "originator": _plain(f"{_PAYLOAD}.originator"),
    "cli_version": _plain(f"{_PAYLOAD}.cli_version"),
    "model_provider": _plain(f"{_PAYLOAD}.model_provider"),
    "turn_id": _id(f"{_PAYLOAD}.turn_id"),
    "model": _plain(f"coalesce({_PAYLOAD}.model, {_PAYLOAD}.info.model)"),
    "effort": _plain(f"{_PAYLOAD}.effort"),
    "approval_policy": _plain(f"{_PAYLOAD}.approval_policy"),
    "context_window": _count(f"{_PAYLOAD}.info.model_context_window"),
    "has_usage": f"coalesce({_PAYLOAD}.type = 'token_count' "
    f"and json_type({_PAYLOAD}.info.total_token_usage) = 'OBJECT', false)",
    **{
        f"{kind}_{name.removesuffix('_tokens')}_tokens": _count(f"{kind}_usage.{name}")
        for kind in ("total", "last")
        for name in _USAGE
    },
    "call_id": f"case when {_PAYLOAD}.type in ({_listed((*_CALLS, *_OUTPUTS))}) "
    f"or {_PAYLOAD}.type in ('exec_command_end', 'mcp_tool_call_end') "
    f"then {_id(f'coalesce({_PAYLOAD}.call_id, {_PAYLOAD}.id)')} end",
    "tool_name": f"case {_PAYLOAD}.type when 'web_search_call' then 'web_search' "
    f"when 'local_shell_call' then 'local_shell' "
    f"when 'function_call' then {_plain(f'{_PAYLOAD}.name')} "
    f"when 'custom_tool_call' then {_plain(f'{_PAYLOAD}.name')} end",
    "exit_code": _EXIT_CODE,
    "error_class": _ERROR_CLASS,
    "length_bytes": "line_bytes",
}

_UNKNOWN_INSIDE = (
    "list_concat("
    f"case when x.type not in ({_listed(_LINE_TYPES)}) then ['type=' || {_plain('x.type')}] end, "
    "case when total_usage is not null then list_transform(list_filter("
    "json_keys(x.payload.info.total_token_usage), "
    f"lambda name: not list_contains([{_listed(_USAGE)}], name)), "
    "lambda name: 'payload.info.total_token_usage.' || name) end)"
)

CODEX_LINES = EventFormat(
    name="codex_lines",
    told_by=(frozenset({"timestamp", "type", "payload"}),),
    fields=FIELDS,
    columns=COLUMNS,
    identity="line_id",
    must_have="(is_usual or list_has_all(names, ['timestamp', 'type', 'payload']))",
    known_names=frozenset({"ordinal"}),
    glimpses=GLIMPSES,
    unknown_inside=_UNKNOWN_INSIDE,
    texts=private_texts.CODEX,
    json_texts=frozenset({"message"}),
)
