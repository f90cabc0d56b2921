{#- Columns and buckets that the models of intent events share. -#}

{#- What an event says, from the version to the fact. -#}
{% macro intent_columns() %}
{{ return([
    'event_key', 'project_id', 'source_id', 'session_key', 'utterance_key',
    'event_link', 'run_sheet_link', 'dsl_link', 'actor_hash',
    'tz_kind', 'entrypoint', 'outcome_raw', 'outcome', 'outcome_class', 'semreg_mode_raw',
    'semreg_mode', 'selection_source_raw', 'selection_source', 'vocabulary',
    'chosen_verb', 'forced_verb', 'subject_verb', 'subject_source', 'pre_choice',
    'ranked_first_verb', 'subject_ref_type', 'dominant_entity_kind', 'error_code',
    'prompt_version', 'toctou_result', 'decision_band',
    'offered_verbs', 'denied_verbs', 'macro_denied_verbs', 'missing_args',
    'candidate_pre_count', 'candidate_post_count', 'top1_score', 'top2_score', 'score_margin',
    'pruned_verbs_count', 'surface_full_count', 'surface_pack_scoped_count', 'entity_confidence',
    'macro_semreg_checked', 'entity_kind_filtered', 'toctou_recheck_performed',
    'score_out_of_range', 'is_low_confidence', 'is_ambiguous', 'is_override',
    'tz_assumed', 'ts_suspicious', 'occurred_at', 'occurred_on',
]) }}
{% endmacro %}

{% macro intent_version_columns() %}
{{ return(intent_columns() + ['record_key', 'content_hash', 'file_id', 'line_no', 'ordinal', 'load_seq']) }}
{% endmacro %}

{#- Where a change of an event shows: in its versions, and in the fact when an execution came. -#}
{% macro intent_loads() %}
{{ return([
    (ref('int_intent_events__versioned'), 'key_load_seq'),
    (ref('fct_intent_events'), 'load_seq'),
]) }}
{% endmacro %}

{#- Days of all versions, old and new, of the events that gained a row or an execution after
    `since`. -#}
{% macro touched_intent_days(since) -%}
{{ touched_values('occurred_on', intent_loads(), since) }}
{%- endmacro %}

{#- Sessions of those events, likewise. -#}
{% macro touched_intent_sessions(since) -%}
{{ touched_values('session_key', intent_loads(), since) }}
{%- endmacro %}

{#- Those events themselves. -#}
{% macro touched_intent_events(since) -%}
select events.event_key
from {{ ref('fct_intent_events') }} as events
where events.load_seq > {{ since }}
{%- endmacro %}

{#- Pre-hook, in the transaction of the model: what is touched is deleted by list and then
    inserted, so that a bucket that lost its last event disappears. -#}
{% macro delete_touched_intents(column, unit) %}
{%- if execute and is_incremental() -%}
    {%- set since = trusted_load_seq() -%}
delete from {{ this }}
    {%- if since is not none %}
where {{ column }} in ({{ touched_intents(unit, since) }})
    {%- endif -%}
{%- endif -%}
{% endmacro %}

{% macro touched_intents(unit, since) -%}
{%- if unit == 'day' -%} {{ touched_intent_days(since) }}
{%- elif unit == 'session' -%} {{ touched_intent_sessions(since) }}
{%- elif unit == 'event' -%} {{ touched_intent_events(since) }}
{%- else -%} {{ exceptions.raise_compiler_error("Unknown unit '" ~ unit ~ "'. Use day, session or event.") }}
{%- endif -%}
{% endmacro %}

{#- Facts that count: of active projects and of a time that can be believed. `unit` limits them
    to what is touched in an incremental run. -#}
{% macro countable_intents(columns, unit) -%}
{%- set since = trusted_load_seq() -%}
{%- set key = {'day': 'occurred_on', 'session': 'session_key', 'event': 'event_key'}[unit] -%}
{{ facts_that_count(ref('fct_intent_events'), columns, ['occurred_at is not null']) }}
    {%- if since is not none %}
        and facts.{{ key }} in (
            {{ touched_intents(unit, since) }}
        )
    {%- endif %}
{%- endmacro %}

{#- NULL in a key neither joins nor groups as people expect. -#}
{% macro prompt_version_key(column) %}coalesce({{ column }}, '(unknown)'){% endmacro %}

{#- `name_rate` with its Wilson interval, as three columns. -#}
{% macro rate_columns(name, numerator, denominator) -%}
{{ ratio(numerator, denominator) }} as {{ name }}_rate,
    {{ wilson(numerator, denominator, 'low') }} as {{ name }}_rate_low,
    {{ wilson(numerator, denominator, 'high') }} as {{ name }}_rate_high
{%- endmacro %}

{% macro rate_evidence(denominator) -%}
case when {{ denominator }} < {{ var('min_n_rate') }} then 'insufficient_data' else 'sufficient' end
{%- endmacro %}

{% macro intent_outcome_classes() %}
{{ return([
    'success', 'clarify_verb', 'clarify_args', 'clarify_scope', 'denied', 'no_match', 'not_ready',
    'error', 'unmapped',
]) }}
{% endmacro %}

{#- How a mart of intents is kept up to date: what is touched is deleted and then inserted, and
    the model remembers up to which load it was built, all in one transaction. -#}
{% macro intent_daily_config(column='event_date', unit='day') %}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_intents('" ~ column ~ "', '" ~ unit ~ "') }}",
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('fct_intent_events'), 'load_seq') }}"
    ]
) }}
-- depends_on: {{ ref('int_intent_events__versioned') }}
{% endmacro %}
