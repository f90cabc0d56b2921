{#- How far a skill governs, and what is told of it then, whoever tells: a transcript or the log of
    events of Claude Code (formats.md 6.6, 9.4). -#}

{#- Where the span of a skill ends: at the next skill or the next prompt, what comes first. -#}
{% macro span_of_skill() -%}
least(next_begins_at, prompt_ends_at) as span_ends_at,
        next_begins_at is not null
        and (prompt_ends_at is null or next_begins_at < prompt_ends_at) as is_ended_by_skill
{%- endmacro %}

{#- The columns of an invocation that `skill_invocation_version_columns` names, and its session. The
    relation has begins_at and governed_until. -#}
{% macro skill_invocation_of_session() -%}
---------- ids
    usage_key,
    record_key,
    content_hash,
    project_id,
    source_id,
    session_id,
    case when session_id is not null then {{ key_128(['project_id', 'session_id']) }} end
        as session_key,
    ---------- text
    source_kind,
    coalesce(skill_name, 'unknown') as skill_name,
    variant,
    cast(case when occurred_at is null then 'missing' else 'explicit' end as varchar) as tz_kind,
    outcome,
    {{ outcome_detail_of('outcome') }} as outcome_detail,
    cast(null as varchar) as workflow_path,
    cast(null as varchar) as workflow_phase,
    error_class,
    told_reason as drop_reason,
    ---------- numerics
    file_id,
    line_no,
    cast(ordinal as bigint) as ordinal,
    load_seq,
    told_load_seq as key_load_seq,
    nullif({{ milliseconds_between('begins_at', 'governed_until') }}, 0) as duration_ms,
    cast(null as integer) as followup_count,
    cast(null as integer) as selection_rank,
    ---------- booleans
    false as is_abandoned,
    false as duration_is_placeholder,
    false as tz_assumed,
    ts_suspicious,
    told_reason is null as is_kept,
    ---------- timestamps
    occurred_at,
    {{ utc_day('occurred_at') }} as invoked_on
{%- endmacro %}
