{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='task_key',
    on_schema_change='fail',
    pre_hook="{{ delete_uncounted(ref('int_agent_task_versions'), 'task_key') }}",
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('stg_ledger__load_context'), 'load_seq') }}"
    ]
) }}
{#- The kept version of every task. A cost is judged beside those of the same agent in the same week
    (Monday, UTC): so a task is written again when its own versions changed, and when its
    neighbours changed what is thought of it. A task whose every version is gone is not here. #}
{#- The cost of a subagent follows from prices: all tasks are written again once they changed. #}
{%- set is_trusted = trusted_load_seq(reads_prices=true) is not none %}
{%- set since = built_load_seq('load_seq') if is_trusted else -1 %}
{%- set of_versions = ['ordinal', 'load_seq', 'key_load_seq', 'is_kept', 'drop_reason'] %}
{%- set columns = agent_task_version_columns() | reject('in', of_versions) | list %}
{%- set oldest_micros = oldest_touched_week_micros(since) if is_incremental() else none %}
{%- set spread = percentiles('abs(costed.log_cost - middles.middle)', [0.5]) %}
with arrived as {{ 'not ' if since < 0 }}materialized (
    select
        {{ columns | join(',\n        ') }},
        key_load_seq as load_seq,
        false as is_cost_outlier,
        true as is_new
    from {{ ref('int_agent_task_versions') }}
    where is_kept and key_load_seq > {{ since }}
),

{% if is_incremental() %}
-- Weeks that a task came to, left, or changed in.
touched as materialized (
    select distinct
        agent_id,
        {{ agent_bucket_start('1w', 'occurred_at') }} as week_start
    from {{ ref('int_agent_task_versions') }}
    where key_load_seq > {{ since }} and occurred_at is not null and not ts_suspicious
),

neighbours as (
    select
        {{ columns | join(',\n        ') }},
        load_seq,
        is_cost_outlier,
        false as is_new
    from {{ this }}
    where occurred_at >= {{ instant_from_micros('null' if oldest_micros is none else oldest_micros) }}
        and (agent_id, {{ agent_bucket_start('1w', 'occurred_at') }}) in (
            select (touched.agent_id, touched.week_start) from touched
        )
        and task_key not in (select arrived.task_key from arrived)
),

{% endif %}
tasks as not materialized (
    select * from arrived
    {%- if is_incremental() %}
    union all
    select * from neighbours
    {%- endif %}
),

-- Orders of magnitude, not cents: a task of an hour costs a hundred times one of a second.
costed as (
    select
        agent_id,
        {{ agent_bucket_start('1w', 'occurred_at') }} as week_start,
        ln(cost_cents) as log_cost
    from tasks
    where cost_cents > 0 and occurred_at is not null and not ts_suspicious
),

middles as (
    select
        agent_id,
        week_start,
        {{ list_item(percentiles('log_cost', [0.5]), 0) }} as middle
    from costed
    group by agent_id, week_start
    having count(*) >= {{ var('min_n_cost_outlier') }}
),

limits as (
    select
        costed.agent_id,
        costed.week_start,
        max(middles.middle) + {{ var('cost_outlier_z') }} * greatest(
            1.4826 * {{ list_item(spread, 0) }},
            {{ var('cost_outlier_min_scale') }}
        ) as log_limit
    from costed
    inner join middles
        on costed.agent_id = middles.agent_id and costed.week_start = middles.week_start
    group by costed.agent_id, costed.week_start
),

judged as (
    select
        tasks.*,
        coalesce(
            tasks.cost_cents > 0 and not tasks.ts_suspicious
            and {{ comparable('ln(case when tasks.cost_cents > 0 then tasks.cost_cents end)') }}
                > {{ comparable('limits.log_limit') }},
            false
        ) as is_outlier_now
    from tasks
    left join limits
        on tasks.agent_id = limits.agent_id
        and {{ agent_bucket_start('1w', 'tasks.occurred_at') }} = limits.week_start
)

select
    ---------- ids
    task_key,
    project_id,
    session_key,
    ---------- text
    agent_id,
    source_kind,
    variant,
    task_type,
    outcome,
    patterns,
    provider,
    model,
    error_class,
    flags,
    ---------- numerics
    file_id,
    line_no,
    load_seq,
    cost_cents,
    latency_ms,
    prompt_tokens,
    completion_tokens,
    cache_read_tokens,
    cache_write_tokens,
    total_tokens,
    ---------- booleans
    is_agent_unknown,
    is_outlier_now as is_cost_outlier,
    tz_assumed,
    ts_suspicious,
    ---------- timestamps
    occurred_at
from judged
where is_new or is_outlier_now <> is_cost_outlier
