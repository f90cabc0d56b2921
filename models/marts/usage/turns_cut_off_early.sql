{#- Turns that were cut off although they had begun to work: tools were called, few rounds done. #}
select
    facts.turn_key,
    facts.session_key,
    facts.project_id,
    facts.model,
    facts.stop_reason_base,
    facts.stop_detail,
    facts.chat_mode,
    facts.turn_intent,
    facts.turn_seq,
    facts.rounds,
    facts.tool_call_count,
    facts.llm_calls,
    facts.total_tokens,
    facts.duration_ms,
    facts.load_seq,
    facts.started_at,
    facts.ended_at,
    facts.occurred_on
from {{ ref('fct_turns') }} as facts
inner join {{ ref('stg_ledger__projects') }} as projects
    on facts.project_id = projects.project_id
where projects.is_active and facts.is_early_cutoff
