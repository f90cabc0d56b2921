{#- Where two sources tell of one thing: what each says and how far apart they are. Which of them
    counts was decided long before, and nothing here changes it. #}
{%- set tokens = token_tiers() %}
with versions as (
    select
        *,
        -- Spans that gave way to the events of their session are a telling of their own.
        case
            when source_kind = 'claude_code_otel' and drop_reason = 'told_by_events'
                then 'claude_code_spans'
            else source_kind
        end as teller,
        coalesce(drop_reason in {{ quoted_list(told_elsewhere()) }}, false) as is_told_elsewhere
    from {{ ref('int_llm_call_versions') }}
),

-- What Claude Code counts by itself; of no fact, so it is here alone.
metrics as (
    select * from {{ ref('int_otlp_metric_sessions') }}
),

-- What a source says of a session by itself: what counts of it, and what would if no other source
-- told the same.
tellers as (
    select distinct session_id, teller
    from versions
    where session_id is not null and (is_kept or is_owner or is_told_elsewhere)
    union all
    select
        session_id,
        source_kind as teller
    from metrics
),

shared_sessions as (
    select session_id
    from tellers
    group by session_id
    having count(*) > 1
),

calls as (
    select
        teller,
        llm_call_key,
        max(case when is_owner or is_told_elsewhere then session_id end) as session_id,
        max(recorded_cost_usd) as cost_usd
        {%- for tier in tokens %},
        sum(coalesce(
            case when is_told_elsewhere then {{ tier }}_tokens else kept_{{ tier }}_tokens end, 0
        )) as {{ tier }}
        {%- endfor %}
    from versions
    where (is_kept or is_owner or is_told_elsewhere) and not is_synthetic
    group by teller, llm_call_key
),

told as (
    select
        calls.session_id,
        calls.teller,
        count(*) as calls,
        -- A part of a cost is no cost of a session.
        case when count(*) = count(calls.cost_usd) then sum(calls.cost_usd) end as cost_usd
        {%- for tier in tokens %},
        sum(calls.{{ tier }}) as {{ tier }}_tokens
        {%- endfor %}
    from calls
    where calls.session_id in (select shared_sessions.session_id from shared_sessions)
    group by calls.session_id, calls.teller
    union all
    select
        metrics.session_id,
        metrics.source_kind as teller,
        cast(null as bigint) as calls,
        metrics.cost_usd
        {%- for tier in tokens %},
        metrics.{{ tier }}_tokens
        {%- endfor %}
    from metrics
    where metrics.session_id in (select shared_sessions.session_id from shared_sessions)
),

facts as (
    select
        facts.llm_call_key,
        facts.project_id,
        facts.session_key,
        facts.source_kind,
        facts.model,
        facts.cost_usd,
        facts.cost_as_billed_usd,
        case
            when not facts.ts_suspicious
                then {{ utc_day('facts.occurred_at') }}
        end as occurred_on
    from {{ ref('fct_llm_calls') }} as facts
    inner join {{ active_projects() }} as active on facts.project_id = active.project_id
),

-- The session as readers know it: of the source whose calls count.
sessions as (
    select
        versions.session_id,
        min(facts.session_key) as session_key,
        min_by(facts.project_id, facts.session_key) as project_id
    from facts
    inner join versions on facts.llm_call_key = versions.llm_call_key and versions.is_owner
    where versions.session_id in (select shared_sessions.session_id from shared_sessions)
    group by versions.session_id
),

measured as (
    {%- for measure in ['calls', 'cost_usd'] + tokens %}
    {%- set column = measure ~ '_tokens' if measure in tokens else measure %}
    select
        'sources_of_session' as comparison,
        sessions.project_id,
        sessions.session_key,
        cast(null as varchar) as model,
        cast(null as date) as occurred_on,
        first_told.teller as first_source,
        second_told.teller as second_source,
        '{{ column }}' as measure,
        cast(first_told.{{ column }} as double) as first_value,
        cast(second_told.{{ column }} as double) as second_value,
        greatest(coalesce(first_told.calls, 0), coalesce(second_told.calls, 0)) as calls
    from told as first_told
    inner join told as second_told
        on first_told.session_id = second_told.session_id
        and first_told.teller < second_told.teller
    inner join sessions on first_told.session_id = sessions.session_id
    where first_told.{{ column }} is not null and second_told.{{ column }} is not null
    union all
    {%- endfor %}
    select
        'recorded_cost' as comparison,
        project_id,
        cast(null as uuid) as session_key,
        model,
        occurred_on,
        source_kind as first_source,
        'prices' as second_source,
        'cost_usd' as measure,
        cast(sum(cost_as_billed_usd) as double) as first_value,
        cast(sum(cost_usd) as double) as second_value,
        count(*) as calls
    from facts
    where cost_as_billed_usd is not null and cost_usd is not null
    group by project_id, model, occurred_on, source_kind
),

gaps as (
    select
        *,
        first_value - second_value as gap,
        {{ ratio(
            'abs(first_value - second_value)', 'greatest(abs(first_value), abs(second_value))'
        ) }} as gap_share
    from measured
)

select
    {{ key_128([
        'comparison', 'project_id', "coalesce(cast(session_key as varchar), '')",
        "coalesce(model, '')", "coalesce(cast(occurred_on as varchar), '')", 'first_source',
        'second_source', 'measure'
    ]) }} as reconciliation_key,
    comparison,
    project_id,
    session_key,
    model,
    first_source,
    second_source,
    measure,
    calls,
    first_value,
    second_value,
    gap,
    gap_share,
    coalesce({{ comparable('gap_share') }} <= {{ var('reconciliation_tolerance') }}, true)
        as is_within_tolerance,
    occurred_on
from gaps
