"""Calls whose record itself holds what was asked and answered: Langfuse and OpenTelemetry.

Belongs here: the calls that count. Does not belong here: the shapes in which libraries write
requests and responses (`transcripts/recorded.py`), messages themselves (`conversation.py`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from agentledger.training.candidates import Call, Filters, Given, Wants, calls_and_texts
from agentledger.transcripts.recorded import COUNTED_CALLS, parts_of_record

if TYPE_CHECKING:
    import duckdb

    from agentledger.vault_texts import Texts as VaultTexts

# Without a session a call stands for itself.
_CALLS: Final = f"""
    select
        cast(versions.record_key as varchar), cast(versions.content_hash as varchar),
        versions.source_id, calls.project_id,
        concat_ws(chr(31), calls.source_kind,
            coalesce(versions.session_id, cast(calls.llm_call_key as varchar))),
        false, null,
        calls.input_fresh_tokens + coalesce(calls.cache_write_5m_tokens, 0)
        + coalesce(calls.cache_write_1h_tokens, 0) + coalesce(calls.cache_read_tokens, 0)
        + coalesce(calls.output_tokens, 0)
    from {COUNTED_CALLS}
    where calls.source_kind not in ('agent_telemetry', 'claude_code', 'codex')
        and ($1 is null or calls.project_id = $1)
        and ($2 is null or calls.occurred_at >= $2)
    order by calls.project_id, 5, calls.occurred_at, calls.llm_call_key
"""


def recorded_calls(
    connection: "duckdb.DuckDBPyConnection", filters: Filters, texts: "VaultTexts", wants: Wants
) -> Iterator[tuple[Call, Given]]:
    """Give the calls in order of project, session and time."""
    for call, said in calls_and_texts(connection, _CALLS, filters, texts, wants):
        yield call, None if said is None else parts_of_record(said)
