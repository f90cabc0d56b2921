"""Attributes of OTLP: what may be kept of each, and as what.

Belongs here: the allow-list (GenAI conventions old and new, OpenInference, Claude Code's own), the
names that are known to be private, reading one attribute value. Does not belong here: the requests
around them (`otlp_requests.py`), what an attribute means (the staging models).

A value is kept only when it is what the attribute is for; anything else becomes `other`, a keyed
hash or nothing, so that no free text gets through. Source of the names: formats.md sections 8.2 to
8.4 of the shared documents.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agentledger import privacy

Scalar = str | list[str]

_NAME = re.compile(privacy.PLAIN_NAME_PATTERN)
_CLASS = re.compile(privacy.CLASS_NAME_PATTERN)
_TITLE = re.compile(
    r"^[A-Za-z0-9_/][A-Za-z0-9_.:/@+-]{0,63}( [A-Za-z0-9_.:/@+-]{1,40}){0,3}$"
)  # as `event_columns.title`
_ID = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$")  # no @: an address is no id
_NUMBER = re.compile(r"^-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?$")
_ADDRESS = re.compile(r"@[^@]*\.")

_MAX_NAMES = 100
"""Entries kept of a list of names; a response has one or two finish reasons."""


def _all(kind: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), kind)


GENERAL: Mapping[str, str] = {
    **_all(
        "name",
        "gen_ai.provider.name gen_ai.system gen_ai.operation.name llm.request.type "
        "gen_ai.request.model gen_ai.response.model llm.request.model_name "
        "llm.response.model_name llm.model_name llm.provider llm.system "
        "gen_ai.agent.version gen_ai.tool.type gen_ai.output.type "
        "gen_ai.openai.request.response_format openai.request.service_tier "
        "openai.response.service_tier gen_ai.openai.request.service_tier "
        "gen_ai.openai.response.service_tier gen_ai.token.type openinference.span.kind "
        "gen_ai.skill.version event.name",
    ),
    **_all(
        "title",
        "gen_ai.agent.name gen_ai.workflow.name gen_ai.tool.name gen_ai.skill.name "
        "gen_ai.evaluation.name gen_ai.evaluation.score.label tool.name agent.name",
    ),
    **_all("class", "error.type"),
    **_all("names", "gen_ai.response.finish_reasons"),
    **_all(
        "number",
        "gen_ai.usage.input_tokens gen_ai.usage.output_tokens gen_ai.usage.prompt_tokens "
        "gen_ai.usage.completion_tokens llm.usage.prompt_tokens llm.usage.completion_tokens "
        "gen_ai.usage.cache_read.input_tokens gen_ai.usage.cache_write.input_tokens "
        "gen_ai.usage.cache_creation.input_tokens gen_ai.usage.reasoning.output_tokens "
        "gen_ai.usage.cache_read_input_tokens gen_ai.usage.cache_creation_input_tokens "
        "gen_ai.usage.details.cache_read_tokens gen_ai.usage.details.cache_write_tokens "
        "gen_ai.usage.details.reasoning_tokens cache_read_tokens cache_creation_tokens "
        "gen_ai.response.time_to_first_chunk gen_ai.evaluation.score.value "
        "gen_ai.request.seed gen_ai.openai.request.seed "
        "llm.token_count.prompt llm.token_count.completion llm.token_count.total "
        "llm.token_count.prompt_details.cache_read llm.token_count.prompt_details.cache_write "
        "llm.token_count.completion_details.reasoning "
        "llm.cost.prompt llm.cost.completion llm.cost.total event.sequence",
    ),
    **_all(
        "id",
        "gen_ai.conversation.id session.id gen_ai.response.id gen_ai.agent.id "
        "gen_ai.tool.call.id gen_ai.skill.id prompt.id graph.node.id graph.node.parent_id",
    ),
}
"""Attribute → kind, whoever the producer is."""

CLAUDE_CODE: Mapping[str, str] = {
    **GENERAL,
    **_all(
        "name",
        "model type query_source effort speed decision decision_type decision_source source "
        "stop_reason invocation_trigger skill.source app.version terminal.type status_code "
        "trigger status app.entrypoint start_type language tool_source",
    ),
    **_all(
        "title",
        "skill.name plugin.name mcp_server.name tool_name agent_type subagent_type",
    ),
    **_all("class", "error_type"),
    **_all("boolean", "success is_async"),
    **_all(
        "number",
        "input_tokens output_tokens cost_usd duration_ms ttft_ms attempt prompt_length "
        "tool_result_size_bytes total_tokens total_tool_uses tool_uses pre_tokens post_tokens "
        "result_tokens",
    ),
    **_all("id", "request_id tool_use_id agent_id parent_agent_id"),
}
"""What Claude Code's own records may hold besides: names that mean something in them alone."""

_PRIVATE = re.compile(
    r"gen_ai\.((input|output)\.messages|system_instructions|(prompt|completion)(\..*)?"
    r"|tool\.(call\.(arguments|result)|definitions|description)|evaluation\.explanation"
    r"|agent\.description)"
    r"|(input|output)\.(value|mime_type)"
    r"|llm\.((input|output)_messages|prompt_template|prompts|tools)(\..*)?"
    r"|llm\.invocation_parameters|tool\.(parameters|description|json_schema)"
    r"|(tool_call|message|retrieval|reranker|embedding|document|exception|enduser)\..*"
    r"|metadata|tag\.tags|graph\.node\.name|user\..*|organization\..*|workspace\..*"
)
"""Names that are known to hold what people or models wrote, or who they are: always dropped."""

_PRIVATE_TO_CLAUDE_CODE = re.compile(
    "prompt|error|error_message|message|response|tool_parameters|tool_input|tool_output"
    "|full_command|bash_command|command|body|hook_name|hook_matcher|hook_definitions"
    "|new_context|file_path|event.timestamp|span.type"
)

_STANDARD_RESOURCE = re.compile(
    r"(service|process|host|telemetry|os|deployment|container|k8s|cloud|wsl)\..*"
)
"""Names every resource has: who ran where. Known, and left alone."""


@dataclass(slots=True)
class Kept:
    """What may be kept of a list of attributes."""

    values: dict[str, Scalar] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    """Names that no list knows, shortened to what is the same in every record."""
    has_odd_value: bool = False
    """Whether a value was not of the kind that its attribute is for."""


def read(attributes: Any, allowed: Mapping[str, str], key: bytes) -> Kept:
    """Keep what is allowed of a list of attributes; a later one of the same name wins.

    Args:
        attributes: The list as decoded; anything else is an empty one.
        allowed: Attribute → kind.
        key: Secret of the keyed hashes.
    """
    kept = Kept()
    is_claude_code = allowed is CLAUDE_CODE
    for name, value in pairs(attributes):
        kind = allowed.get(name)
        if kind is None:
            is_private = _PRIVATE.fullmatch(name) or (
                is_claude_code and _PRIVATE_TO_CLAUDE_CODE.fullmatch(name)
            )
            if not is_private:
                kept.unknown["attributes." + shortened(name)] += 1
            continue
        read_value = kept_value(scalar(value), kind, key)
        if read_value is None:
            kept.has_odd_value |= value not in (None, {}, {"stringValue": ""})
        else:
            kept.values[name] = read_value
    return kept


def unknown_of_resource(attributes: Any, allowed: Iterable[str]) -> Counter[str]:
    """Names of a resource that nobody knows."""
    return Counter(
        "resource." + shortened(name)
        for name, _ in pairs(attributes)
        if name not in allowed
        and not _STANDARD_RESOURCE.fullmatch(name)
        and not _PRIVATE.fullmatch(name)
    )


def pairs(attributes: Any) -> Iterable[tuple[str, Any]]:
    """Names and undecoded values of a list of attributes; what is none is left out."""
    if not isinstance(attributes, list):
        return
    for item in attributes:
        if isinstance(item, dict) and isinstance(item.get("key"), str):
            yield item["key"], item.get("value")


def shortened(name: str) -> str:
    """A name without its indices; one that is no plain name at all is `other`."""
    plain = re.sub(r"\.[0-9]+(?=\.|$)", ".N", name)
    return plain if _NAME.match(plain) and not _ADDRESS.search(plain) else "other"


def scalar(value: Any) -> Scalar | None:
    """The text of an attribute value, a list of texts for an array; None for all else."""
    if not isinstance(value, dict):
        return None
    for name in ("stringValue", "intValue", "doubleValue", "boolValue"):
        if value.get(name) is not None:
            return _text(value[name])
    inside = value.get("arrayValue")
    if isinstance(inside, dict) and isinstance(inside.get("values"), list):
        texts = [scalar(item) for item in inside["values"][:_MAX_NAMES]]
        return [text for text in texts if isinstance(text, str)]
    return None


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, str | int | float) else None


def kept_value(value: Scalar | None, kind: str, key: bytes) -> Scalar | None:
    """What may be kept of a value of this kind; None for nothing."""
    if value is None:
        return None
    if kind == "names":
        listed = value if isinstance(value, list) else [value]
        return [_plain(text, _NAME) or "other" for text in listed]
    if isinstance(value, list):
        return None
    text = value.strip()
    if kind == "number":
        return text if _NUMBER.match(text) else None
    if kind == "boolean":
        return text.lower() if text.lower() in ("true", "false") else None
    if kind == "id":
        return identifier(text, key)
    return _plain(text, {"name": _NAME, "title": _TITLE, "class": _CLASS}[kind])


def _plain(text: str, pattern: re.Pattern[str]) -> str | None:
    if not text:
        return None
    return text if pattern.match(text) and not _ADDRESS.search(text) else "other"


def identifier(text: str, key: bytes) -> str | None:
    """An id as written; a sentence or an address in its place is hashed, a nil one is none."""
    text = text.strip()
    if not text.strip("0-"):
        return None
    return text if _ID.match(text) else privacy.keyed_hash(key, text)
