"""SQL of the private texts that the vault keeps of each format, and in which shape.

Belongs here: which members of a record are texts, what stays of them in the vault. Does not belong
here: the columns of raw (`*_formats.py`), writing to the vault (`vault_texts.py`).

An allow-list, too: signatures, encrypted reasoning, images and other attachments are no texts. Of
them the type of the part stays, so that a reader knows that something stood there. Every expression
is evaluated for sources that keep texts, and for no other.
"""

from collections.abc import Mapping

_RECORD = "x.record"


def _member(path: str) -> str:
    return f"json_extract({_RECORD}, '$.{path}')"


def _text(path: str) -> str:
    return f"json_extract_string({_RECORD}, '$.{path}')"


def _as_varchars(listed: str) -> str:
    return f"list_transform({listed}, lambda part: cast(part as varchar))"


def _plain_part(part: str) -> str:
    """A part that is a text, or the name of what it is."""
    return (
        f"case when json_type({part}, '$.text') = 'VARCHAR' "
        f"then json_object('type', 'text', 'text', {part} ->> '$.text') "
        f"when json_type({part}) = 'VARCHAR' "
        f"then json_object('type', 'text', 'text', {part} ->> '$') "
        f"else json_object('type', coalesce({part} ->> '$.type', 'other')) end"
    )


def _block(block: str) -> str:
    """One block of a message of Claude Code: what was said, thought, asked of a tool, given."""
    inside = _plain_part("inner_part")
    result = (
        f"case json_type({block}, '$.content') "
        f"when 'ARRAY' then to_json(list_transform(json_extract({block}, '$.content[*]'), "
        f"lambda inner_part: {inside})) "
        f"when 'VARCHAR' then json_extract({block}, '$.content') else 'null'::json end"
    )
    return (
        f"case {block} ->> '$.type' "
        f"when 'thinking' then json_object('type', 'thinking', 'thinking', "
        f"{block} ->> '$.thinking') "
        f"when 'tool_use' then json_object('type', 'tool_use', 'id', {block} ->> '$.id', "
        f"'name', {block} ->> '$.name', 'input', json_extract({block}, '$.input')) "
        f"when 'tool_result' then json_object('type', 'tool_result', 'tool_use_id', "
        f"{block} ->> '$.tool_use_id', 'is_error', {block} ->> '$.is_error' = 'true', "
        f"'content', {result}) "
        f"else {_plain_part(block)} end"
    )


_SPEAKS = "x.type in ('user', 'assistant')"

CLAUDE_CODE: Mapping[str, str] = {
    # What a line says is one text, or a list of blocks.
    "message": f"case when {_SPEAKS} then case json_type({_RECORD}, '$.message.content') "
    f"when 'VARCHAR' then [{_text('message.content')}] end end",
    "blocks": f"case when {_SPEAKS} then case json_type({_RECORD}, '$.message.content') "
    "when 'ARRAY' then "
    + _as_varchars(
        f"list_transform({_member('message.content[*]')}, lambda block: {_block('block')})"
    )
    + " end end",
}

_KIND = "x.payload.type"
_IS_MESSAGE = (
    f"x.type = 'response_item' and ({_KIND} = 'message' "
    f"or {_KIND} is null and x.payload.role is not null)"
)


def _either(*paths: str, or_none: bool = False) -> str:
    """The first of these members that is there: a text as it is, all else as JSON.

    With `or_none` an empty text stands for nothing: a reader can tell it from what is not kept.
    """
    given = [_text(path) for path in paths] + (["''"] if or_none else [])
    return "coalesce(" + ", ".join(given) + ")"


def _listed(expression: str) -> str:
    return f"case when {expression} is not null then [{expression}] end"


def _when(condition: str, listed: str) -> str:
    return f"case when {condition} then {listed} end"


CODEX: Mapping[str, str] = {
    "system_prompt": _when(
        "x.type = 'session_meta'",
        _listed(_either("payload.base_instructions.text", "payload.instructions")),
    ),
    "message": _when(
        _IS_MESSAGE,
        f"case json_type({_RECORD}, '$.payload.content') "
        f"when 'VARCHAR' then [cast({_plain_part(_member('payload.content'))} as varchar)] "
        "when 'ARRAY' then "
        + _as_varchars(
            f"list_transform({_member('payload.content[*]')}, lambda block: {_plain_part('block')})"
        )
        + " end",
    ),
    "thoughts": _when(
        f"x.type = 'response_item' and {_KIND} = 'reasoning'",
        "list_filter(list_concat("
        f"json_extract_string({_RECORD}, '$.payload.summary[*].text'), "
        f"json_extract_string({_RECORD}, '$.payload.content[*].text')), "
        "lambda part: part is not null)",
    ),
    "arguments": _when(
        f"x.type = 'response_item' and {_KIND} in "
        "('function_call', 'custom_tool_call', 'local_shell_call', 'web_search_call')",
        _listed(_either("payload.arguments", "payload.input", "payload.action", or_none=True)),
    ),
    "output": _when(
        f"x.type = 'response_item' and {_KIND} in "
        "('function_call_output', 'custom_tool_call_output')",
        _listed(_either("payload.output.content", "payload.output", or_none=True)),
    ),
    # What stood before is forgotten by the model; this is what it was told instead.
    "summary": _when("x.type = 'compacted'", _listed(_text("payload.message"))),
}


def _members(path: str) -> str:
    """The members of a list, or the value itself, as JSON; a text that holds JSON is opened."""
    value = f"coalesce(try_cast({_text(path)} as json), {_member(path)})"
    return (
        f"case json_type({value}) when 'ARRAY' then "
        f"list_transform(cast({value} as json[]), lambda item: cast(item as varchar)) "
        f"when 'NULL' then null else [cast({value} as varchar)] end"
    )


LANGFUSE: Mapping[str, str] = {"input": _members("input"), "output": _members("output")}


def _said(*names: str) -> str:
    given = ", ".join(f"nullif(trim({_text(name)}), '')" for name in names[:-1])
    return _listed(f"coalesce({given}, nullif(trim(x.{names[-1]}), ''))")


INTENT: Mapping[str, str] = {"utterance": _said("utterance", "utterance_preview")}
CHAT: Mapping[str, str] = {
    "assistant_message": _said("assistant_message", "assistant_message_preview")
}

# Taken from their attributes by `otlp_texts.py`.
OTLP_SPAN: Mapping[str, str] = {
    field: _as_varchars(_member(f"texts.{field}[*]"))
    for field in ("system_prompt", "input", "output")
}
OTLP_LOG: Mapping[str, str] = OTLP_SPAN | {
    field: _as_varchars(_member(f"texts.{field}[*]")) for field in ("arguments", "result")
}
