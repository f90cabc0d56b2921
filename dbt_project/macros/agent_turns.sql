{#- Records of `agent_telemetry` and the turns that they, and the lines of transcripts, make up
    (formats.md 3 and 6.7, analyses.md E). -#}

{#- llm_call | turn_summary | other; a record without a type is a call, the producer's default. -#}
{% macro telemetry_record_type(text) -%}
case coalesce(nullif(lower(trim({{ text }})), ''), 'llm_call')
    when 'llm_call' then 'llm_call'
    when 'turn_summary' then 'turn_summary'
    else 'other'
end
{%- endmacro %}

{% macro known_stop_reasons() %}
{{ return([
    'completed', 'round_cap', 'loop_detected', 'tool_failure', 'silent_rounds', 'user_aborted',
    'empty_no_tools',
]) }}
{% endmacro %}

{#- A value of a closed list as it is; none at all is `unknown`, any other `other`. -#}
{% macro listed_or_other(text, values) -%}
case
    when nullif(trim({{ text }}), '') is null then 'unknown'
    when lower(trim({{ text }})) in ('{{ values | join("', '") }}') then lower(trim({{ text }}))
    else 'other'
end
{%- endmacro %}

{#- A small count of a turn, such as its rounds; a negative or absurd one is unknown. -#}
{% macro turn_count(text) -%}
case
    when try_cast({{ text }} as double) between 0 and {{ var('max_turn_count') }}
        then cast(try_cast({{ text }} as double) as bigint)
end
{%- endmacro %}

{#- Order of the records of a session: a call before the summary of the same instant. What has no
    time that can be believed comes last. -#}
{% macro telemetry_order() -%}
case when is_placed then 0 else 1 end,
occurred_at nulls last,
case record_type when 'turn_summary' then 1 else 0 end,
event_id nulls last,
telemetry_key
{%- endmacro %}

{#- Sessions of all versions, old and new, of the records that gained a row after `since`. -#}
{% macro touched_telemetry_sessions(since) -%}
select versions.turn_unit
from {{ ref('int_agent_telemetry_versions') }} as versions
where versions.key_load_seq > {{ since }}
{%- endmacro %}

{#- Runs in the transaction of the model, before its rows are computed: a session that lost its
    last record leaves nothing behind. -#}
{% macro delete_touched_telemetry_sessions() %}
{%- if execute and is_incremental() -%}
delete from {{ this }}
where turn_unit in ({{ touched_telemetry_sessions(built_load_seq('key_load_seq')) }})
{%- endif -%}
{% endmacro %}

{#- Likewise of transcripts: sessions of all lines, old and new, of what gained a line. -#}
{% macro touched_transcript_sessions(since) -%}
{{ touched_values('session_id', [
    (ref('int_claude_code_turn_lines'), 'key_load_seq'),
    (ref('int_claude_code_call_versions'), 'key_load_seq'),
    (ref('int_claude_code_tool_versions'), 'key_load_seq'),
], since) }}
{%- endmacro %}

{% macro delete_touched_transcript_sessions() %}
{%- if execute and is_incremental() -%}
delete from {{ this }}
where session_id in ({{ touched_transcript_sessions(built_load_seq('load_seq')) }})
{%- endif -%}
{% endmacro %}

{#- The unit in which turns are made anew: a session of one kind of source. -#}
{% macro transcript_turn_unit(session_id) -%}
{{ key_128(["'claude_code'", session_id]) }}
{%- endmacro %}

{#- Units of both kinds whose turns may have changed after `since`: those that gained a record, and
    those whose folder belongs to another project since. -#}
{% macro touched_turn_units(since) -%}
{{ touched_telemetry_sessions(since) }}
union
select {{ transcript_turn_unit('sessions.session_id') }} as turn_unit
from ({{ touched_transcript_sessions(since) }}) as sessions
union
select {{ transcript_turn_unit('turns.session_id') }} as turn_unit
from {{ ref('int_claude_code_turns') }} as turns
inner join {{ ref('stg_ledger__working_directories') }} as folders
    on turns.workdir_id = folders.workdir_id
where folders.load_seq > {{ since }}
{%- endmacro %}

{% macro delete_touched_turns() %}
{%- if execute and is_incremental() -%}
    {%- set since = trusted_load_seq() -%}
delete from {{ this }}
    {%- if since is not none %}
where turn_unit in ({{ touched_turn_units(since) }})
    {%- endif -%}
{%- endif -%}
{% endmacro %}

{#- Turns that count by how they ended: of active projects, with a summary that tells it, and an end
    that can be believed. -#}
{% macro countable_turns(columns) -%}
{{ facts_that_count(
    ref('fct_turns'), columns,
    ["source_kind = 'agent_telemetry'", 'has_summary', 'ended_at is not null']
) }}
{%- endmacro %}

{#- Counts of turns for a mart: of each day, week, month and of all time, in each project and in
    all, in each mode and in all. `facts` is a CTE of countable turns. -#}
{% macro turn_buckets(facts, keys, measures) -%}
{%- for time_window in skill_windows() %}
{%- set last_window = loop.last %}
{%- for scope in [['project_id', 'chat_mode'], ['project_id'], ['chat_mode'], []] %}
select
    {{ 'project_id' if 'project_id' in scope else "'__all__' as project_id" }},
    '{{ time_window }}' as time_window,
    bucket_start,
    {{ 'chat_mode' if 'chat_mode' in scope else "'__all__' as chat_mode" }},
    {%- for key in keys %}
    {{ key }},
    {%- endfor %}
    {{ measures | join(',\n    ') }}
from (
    select *, {{ bucket_start(time_window, 'occurred_on') }} as bucket_start from {{ facts }}
) as bucketed
group by {{ (scope + ['bucket_start'] + keys) | join(', ') }}
{%- if not (loop.last and last_window) %}
union all
{%- endif %}
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{#- Likewise before the rows of `session_trajectories` are computed. -#}
{% macro delete_touched_trajectories() %}
{%- if execute and is_incremental() -%}
    {%- set since = trusted_load_seq() -%}
delete from {{ this }}
    {%- if since is not none %}
where turn_unit in ({{ touched_telemetry_sessions(since) }})
    {%- endif -%}
{%- endif -%}
{% endmacro %}
