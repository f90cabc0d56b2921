"""Exports of Langfuse: how observations, traces and scores are told, and what may be read of them.

Belongs here: the allow-lists of both spellings, that of the blob export and that of documents, and
the raw columns they become. Does not belong here: the SQL of a kind of field (`event_columns.py`),
reading files (`event_stage.py`), which observation counts (the models).

Metadata, tool arguments, comments and status messages are dropped; so are input and output, or they
go to the vault alone. Source of the format: formats.md section 9 of the shared documents.
"""

from collections.abc import Mapping

from agentledger import privacy
from agentledger.ingest import private_texts
from agentledger.ingest.event_format import EventFormat, texts

_NAME = privacy.PLAIN_NAME_PATTERN.strip("^$")
_ID = "[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}"
_TIME = "[0-9+-][0-9Tt:., ZzeE+-]{0,40}"
_NUMBER = "-?[0-9]{1,40}([.][0-9]{1,40})?([eE][+-]?[0-9]{1,4})?"
_TITLE = "[A-Za-z0-9_/][A-Za-z0-9_.:/@+-]{0,63}( [A-Za-z0-9_.:/@+-]{1,40}){0,3}"

_TEXTS = (
    "id", "type", "name", "level", "environment", "version", "model",
    "trace_id", "traceId", "parent_observation_id", "parentObservationId", "project_id",
    "projectId", "session_id", "sessionId", "start_time", "startTime", "end_time", "endTime",
    "completion_start_time", "completionStartTime", "created_at", "createdAt", "updated_at",
    "updatedAt", "provided_model_name", "total_cost", "totalCost", "calculatedTotalCost",
    "inputUsage", "outputUsage", "totalUsage",
)  # fmt: skip

FIELDS = {**texts(*_TEXTS), "usage_details": "JSON", "usageDetails": "JSON"}

_LEFT_ALONE = frozenset(
    {
        "input", "output", "metadata", "status_message", "statusMessage", "trace_name", "traceName",
        "model_id", "internalModel", "internalModelId", "model_parameters", "modelParameters",
        "cost_details", "costDetails", "provided_cost_details", "providedCostDetails", "inputCost",
        "outputCost", "calculatedInputCost", "calculatedOutputCost", "input_price", "output_price",
        "total_price", "inputPrice", "outputPrice", "totalPrice", "latency", "time_to_first_token",
        "timeToFirstToken", "prompt_id", "promptId", "prompt_name", "promptName", "prompt_version",
        "promptVersion", "tool_calls", "toolCalls", "tool_call_names", "toolCallNames",
        "tool_definitions", "toolDefinitions", "user_id", "userId", "tags", "release",
        "bookmarked", "public", "usage_pricing_tier_id", "usagePricingTierId",
        "usage_pricing_tier_name", "usagePricingTierName", "unit",
    }
)  # fmt: skip


def _either(snake: str, camel: str) -> str:
    # Missing text is empty in the blob export.
    return f"coalesce(nullif(trim(x.{snake}), ''), nullif(trim(x.{camel}), ''))"


def _matching(expression: str, pattern: str) -> str:
    return f"case when regexp_full_match({expression}, '{pattern}') then {expression} end"


def _named(expression: str, pattern: str) -> str:
    return (
        f"case when {expression} is null then null "
        f"when regexp_full_match({expression}, '{pattern}') then {expression} else 'other' end"
    )


def _identifier(expression: str) -> str:
    return (
        f"case when {expression} is null then null "
        f"when regexp_full_match({expression}, '{_ID}') then {expression} "
        f"else {privacy.sql_keyed_hash(expression)} end"
    )


def _usage(*keys: str) -> str:
    # A name with a dot is one name here, not a path.
    found = ", ".join(f"usage ->> '$.\"{key}\"'" for key in keys)
    return _matching(f"coalesce({found})", _NUMBER)


_USAGE_OF = "coalesce(x.usage_details, x.usageDetails)"

GLIMPSES = {
    # A cell of a table holds the object as text.
    "usage": f"case json_type({_USAGE_OF}) when 'OBJECT' then {_USAGE_OF} "
    f"when 'VARCHAR' then try_cast({_USAGE_OF} ->> '$' as json) end",
}

_OWN = "nullif(trim(x.id), '')"
_TRACE = _either("trace_id", "traceId")
_PROJECT = _either("project_id", "projectId")

COLUMNS: Mapping[str, str] = {
    "observation_ref": f"{_identifier(_TRACE)} || '/' || {_identifier('nullif(trim(x.id), $$$$)')}",
    "trace_id": _identifier(_TRACE),
    "observation_id": _identifier("nullif(trim(x.id), $$$$)"),
    "parent_observation_id": _identifier(_either("parent_observation_id", "parentObservationId")),
    "named_project": _identifier(_PROJECT),
    "session_id": _identifier(_either("session_id", "sessionId")),
    "observation_type": _named("upper(trim(x.type))", _NAME),
    "observation_name": _named("nullif(trim(x.name), $$$$)", _TITLE),
    "level": _named("nullif(upper(trim(x.level)), $$$$)", _NAME),
    "environment": _named("nullif(trim(x.environment), $$$$)", _NAME),
    "model": _named(_either("provided_model_name", "model"), _NAME),
    "started_at": _matching(_either("start_time", "startTime"), _TIME),
    "ended_at": _matching(_either("end_time", "endTime"), _TIME),
    "completion_started_at": _matching(
        _either("completion_start_time", "completionStartTime"), _TIME
    ),
    "updated_at": _matching(_either("updated_at", "updatedAt"), _TIME),
    "input_usage": _matching("x.inputUsage", _NUMBER),
    "output_usage": _matching("x.outputUsage", _NUMBER),
    "total_usage": _matching("x.totalUsage", _NUMBER),
    "usage_input": _usage("input"),
    "usage_output": _usage("output"),
    "usage_total": _usage("total"),
    "usage_cache_read": _usage(
        "input_cache_read", "prompt_details.cache_read", "cache_read_input_tokens",
        "input_cached_tokens",
    ),
    "usage_cache_write": _usage(
        "input_cache_creation", "input_cache_write", "cache_creation_input_tokens"
    ),
    "usage_reasoning": _usage("output_reasoning", "completion_details.reasoning"),
    "total_cost": _matching(
        "coalesce(x.total_cost, x.totalCost, x.calculatedTotalCost)", _NUMBER
    ),
}  # fmt: skip

LANGFUSE_OBSERVATIONS = EventFormat(
    name="langfuse_observations",
    told_by=(
        frozenset({"id", "traceId", "type", "startTime"}),
        frozenset({"id", "trace_id", "type", "start_time"}),
    ),
    fields=FIELDS,
    columns=COLUMNS,
    identity="observation_ref",
    must_have="trace_id is not null and observation_id is not null",
    project_sql=_PROJECT,
    wrappers=frozenset({"observations"}),
    known_names=_LEFT_ALONE,
    glimpses=GLIMPSES,
    texts=private_texts.LANGFUSE,
    json_texts=frozenset(private_texts.LANGFUSE),
    vault_fields=frozenset(private_texts.LANGFUSE),
)

_OF_A_TRACE = (
    "id", "name", "environment", "timestamp", "session_id", "sessionId", "project_id", "projectId",
    "updated_at", "updatedAt",
)  # fmt: skip

LANGFUSE_TRACES = EventFormat(
    name="langfuse_traces",
    told_by=(
        frozenset({"id", "timestamp", "sessionId", "userId"}),
        frozenset({"id", "timestamp", "session_id", "user_id"}),
    ),
    not_told_by=frozenset({"trace_id", "traceId", "type", "data_type", "dataType"}),
    fields=texts(*_OF_A_TRACE),
    columns={
        "trace_id": _identifier(_OWN),
        "session_id": _identifier(_either("session_id", "sessionId")),
        "trace_name": _named("nullif(trim(x.name), $$$$)", _TITLE),
        "environment": _named("nullif(trim(x.environment), $$$$)", _NAME),
        "named_project": _identifier(_PROJECT),
        "started_at": _matching("nullif(trim(x.timestamp), $$$$)", _TIME),
        "updated_at": _matching(_either("updated_at", "updatedAt"), _TIME),
    },
    identity="trace_id",
    must_have="trace_id is not null",
    project_sql=_PROJECT,
    # Of a document the trace stands beside its observations; exports have it by itself.
    companions=frozenset({"trace", "traces"}),
    known_names=_LEFT_ALONE
    | {"created_at", "createdAt", "scores", "corrections", "observations", "version", "latency"},
)

_OF_A_SCORE = (
    "id", "timestamp", "name", "value", "string_value", "stringValue", "data_type", "dataType",
    "source", "environment", "trace_id", "traceId", "observation_id", "observationId",
    "session_id", "sessionId", "project_id", "projectId", "updated_at", "updatedAt",
)  # fmt: skip

_SCORE_KIND = _either("data_type", "dataType")

LANGFUSE_SCORES = EventFormat(
    name="langfuse_scores",
    told_by=(
        frozenset({"id", "name", "value", "data_type"}),
        frozenset({"id", "name", "value", "dataType"}),
    ),
    not_told_by=frozenset({"type", "usage_details", "usageDetails"}),
    fields=texts(*_OF_A_SCORE),
    columns={
        "score_id": _identifier(_OWN),
        "trace_id": _identifier(_TRACE),
        "observation_id": _identifier(_either("observation_id", "observationId")),
        "session_id": _identifier(_either("session_id", "sessionId")),
        "named_project": _identifier(_PROJECT),
        "score_name": _named("nullif(trim(x.name), $$$$)", _TITLE),
        "data_type": _named(f"upper({_SCORE_KIND})", _NAME),
        "score_source": _named("nullif(upper(trim(x.source)), $$$$)", _NAME),
        # The value of a text is 0, and its text is what somebody wrote.
        "score_value": f"case when upper({_SCORE_KIND}) is distinct from 'TEXT' "
        f"then {_matching('x.value', _NUMBER)} end",
        "score_label": f"case when upper({_SCORE_KIND}) in ('CATEGORICAL', 'BOOLEAN') "
        f"then {_named(_either('string_value', 'stringValue'), _NAME)} end",
        "environment": _named("nullif(trim(x.environment), $$$$)", _NAME),
        "scored_at": _matching("nullif(trim(x.timestamp), $$$$)", _TIME),
        "updated_at": _matching(_either("updated_at", "updatedAt"), _TIME),
    },
    identity="score_id",
    must_have="score_id is not null",
    project_sql=_PROJECT,
    known_names=frozenset(
        {
            "comment", "metadata", "author_user_id", "authorUserId", "config_id", "configId",
            "queue_id", "queueId", "created_at", "createdAt", "dataset_run_id", "datasetRunId",
            "long_string_value", "longStringValue", "execution_trace_id", "executionTraceId",
        }
    ),
)  # fmt: skip

LANGFUSE_FORMATS: Mapping[str, EventFormat] = {
    item.name: item for item in (LANGFUSE_OBSERVATIONS, LANGFUSE_TRACES, LANGFUSE_SCORES)
}
