{{ made_anew_by('thread_key') }}
{#- A thread that another one of Codex spawned is a task: from its first line to its last, with
    the steps and tools that it did not copy from its parent. Rollouts name no kind of subagent. A
    thread that gained a line or changed its project is made anew, and all are when prices
    changed. #}
{%- set since = trusted_load_seq(reads_prices=true) %}
with recursive folders as (
    select workdir_id, project_id, load_seq from {{ ref('stg_ledger__working_directories') }}
),

calls as (
    select * from {{ ref('int_codex_call_versions') }}
    where is_sidechain
),

tools as (
    select * from {{ ref('int_codex_tool_versions') }}
    where is_sidechain
),

judged as (
    select distinct lines.thread_key
    from {{ ref('int_codex_lines') }} as lines
    where lines.is_subagent
    {%- if since is not none %}
        and (
            lines.load_seq > {{ since }}
            or lines.workdir_id in (
                select folders.workdir_id from folders where folders.load_seq > {{ since }}
            )
            or lines.thread_key in (
                select calls.thread_key from calls where calls.key_load_seq > {{ since }}
                union
                select tools.thread_key from tools where tools.key_load_seq > {{ since }}
            )
        )
    {%- endif %}
),

lines as materialized (
    select * from {{ ref('int_codex_lines') }}
    where thread_key in (select judged.thread_key from judged)
),

ranked as (
    select
        *,
        row_number() over (
            partition by thread_key
            order by walked_at, line_no, ordinal, content_hash, source_id, file_id, load_seq
        ) as place,
        last_value(case when line_kind = 'turn_end' then payload_type end ignore nulls) over (
            partition by thread_key
            order by walked_at, line_no, ordinal, content_hash, source_id, file_id, load_seq
            rows between unbounded preceding and unbounded following
        ) as last_end,
        max(load_seq) over (partition by thread_key) as thread_load_seq,
        max(occurred_at) over (partition by thread_key) as last_at,
        first_value(workdir_id ignore nulls) over (
            partition by thread_key
            order by walked_at, line_no, ordinal, content_hash, source_id, file_id, load_seq
            rows between unbounded preceding and unbounded following
        ) as thread_workdir_id
    from lines
),

threads as (
    select * from ranked
    where place = 1
),

links as materialized (
    select
        thread_key as span_key,
        cast(null as uuid) as parent_span_key,
        true as is_agent
    from threads
    union all
    select
        calls.llm_call_key,
        calls.thread_key,
        false
    from calls
    where calls.is_kept and calls.thread_key in (select threads.thread_key from threads)
    union all
    select
        tools.tool_call_key,
        tools.thread_key,
        false
    from tools
    where tools.is_kept and tools.is_call
        and tools.thread_key in (select threads.thread_key from threads)
),

leaf_calls as (
    select
        {{ leaf_call_columns('calls', prefix='kept_') }}
    from calls
    where calls.is_kept and calls.thread_key in (select threads.thread_key from threads)
),

leaf_tools as (
    select
        tools.tool_call_key as span_key,
        tools.tool_name
    from tools
    where tools.is_kept and tools.is_call
        and tools.thread_key in (select threads.thread_key from threads)
),

{{ used_below_agents() }},

verdict_loads as (
    select
        thread_key,
        max(key_load_seq) as verdict_load_seq
    from (
        select thread_key, key_load_seq from calls
        union all
        select thread_key, key_load_seq from tools
    ) as told
    group by thread_key
),

placed as (
    select
        threads.*,
        coalesce(folders.project_id, threads.source_project_id) as project_id,
        greatest(
            threads.thread_load_seq,
            coalesce(verdict_loads.verdict_load_seq, 0),
            coalesce(folders.load_seq, 0)
        ) as key_load_seq
    from threads
    left join folders on threads.thread_workdir_id = folders.workdir_id
    left join verdict_loads on threads.thread_key = verdict_loads.thread_key
)

select
    ---------- ids
    {{ key_128(["'codex task'", 'cast(placed.thread_key as varchar)']) }} as task_key,
    placed.thread_key,
    placed.record_key,
    placed.content_hash,
    placed.project_id,
    placed.source_id,
    placed.thread_id as session_id,
    {{ key_128(['placed.project_id', 'placed.thread_id']) }} as session_key,
    ---------- text
    'unknown' as agent_id,
    cast('codex' as varchar) as source_kind,
    cast('subagent' as varchar) as variant,
    cast(null as varchar) as task_type,
    -- An abort is the user's own, and a thread without an end may still run.
    case when placed.last_end = 'task_complete' then 'success' else 'unknown' end as outcome,
    used.patterns,
    spent.provider,
    spent.model,
    cast(null as varchar) as error_class,
    nullif(concat_ws(
        ',',
        'agent_unknown',
        case when placed.last_end is null then 'unfinished' end,
        case when spent.agent_key is not null and spent.cost_usd is null then 'unpriced' end,
        case when placed.ts_suspicious then 'ts_suspicious' end
    ), '') as flags,
    cast(null as varchar) as drop_reason,
    ---------- numerics
    placed.file_id,
    placed.line_no,
    placed.ordinal,
    placed.load_seq,
    placed.key_load_seq,
    {{ milliseconds_between('placed.occurred_at', 'placed.last_at') }} as latency_ms,
    {{ agent_run_figures() }},
    ---------- booleans
    true as is_agent_unknown,
    false as tz_assumed,
    placed.ts_suspicious,
    true as is_kept,
    ---------- timestamps
    placed.last_at as occurred_at
from placed
left join spent on placed.thread_key = spent.agent_key
left join used on placed.thread_key = used.agent_key
