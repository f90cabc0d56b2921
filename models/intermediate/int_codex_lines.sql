{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='file_id',
    on_schema_change='fail'
) }}
{#- Whose line is it? The thread is named by the first session_meta of a file, a second one is the
    copy of a parent's; a file without any is a thread of its own. A file that gained a line brings
    all of its lines. #}
{%- set since = built_load_seq('load_seq') %}
with lines as (
    select *
    from {{ ref('stg_codex__lines') }}
    where file_id in (
        select arrived.file_id
        from {{ ref('stg_codex__lines') }} as arrived
        where arrived.load_seq > {{ since }}
    )
),

-- What is appended stands below what was there. A load that begins higher up was a file that had
-- been written anew: its lines are another generation, and say whose they are themselves.
loads as (
    select
        file_id,
        load_seq,
        min(line_no) as first_line_no,
        max(line_no) as last_line_no
    from lines
    group by file_id, load_seq
),

begun as (
    select
        *,
        coalesce(first_line_no <= max(last_line_no) over (
            partition by file_id order by load_seq rows between unbounded preceding and 1 preceding
        ), true) as begins_anew
    from loads
),

generations as (
    select
        file_id,
        load_seq,
        sum(case when begins_anew then 1 else 0 end) over (
            partition by file_id order by load_seq
        ) as generation
    from begun
),

numbered as (
    select
        lines.*,
        generations.generation,
        row_number() over (
            partition by
                lines.file_id, generations.generation, lines.line_kind,
                lines.stated_thread_id is not null
            order by lines.line_no, lines.ordinal
        ) as kind_rank
    from lines
    inner join generations
        on lines.file_id = generations.file_id and lines.load_seq = generations.load_seq
),

heads as (
    select
        file_id,
        generation,
        stated_thread_id,
        parent_thread_id,
        is_marked_fork,
        coalesce(thread_source = 'subagent', false) as is_subagent
    from numbered
    where line_kind = 'session_meta' and stated_thread_id is not null and kind_rank = 1
),

-- Lines below a part that stayed as it was carry on with the thread of that part.
spans as (
    select
        numbered.file_id,
        numbered.generation,
        last_value(max(heads.stated_thread_id) ignore nulls) over (
            partition by numbered.file_id order by numbered.generation
        ) as thread_id,
        last_value(max(heads.parent_thread_id) ignore nulls) over (
            partition by numbered.file_id order by numbered.generation
        ) as stated_parent_id,
        bool_or(coalesce(heads.is_marked_fork, false)) as is_marked_fork,
        bool_or(coalesce(heads.is_subagent, false)) as is_subagent,
        -- A second thread in a file is the one that it was copied from.
        min(
            case
                when numbered.stated_thread_id <> heads.stated_thread_id
                    then numbered.stated_thread_id
            end
        ) as copied_thread_id
    from numbered
    left join heads
        on numbered.file_id = heads.file_id and numbered.generation = heads.generation
    group by numbered.file_id, numbered.generation
),

placed as (
    select
        numbered.*,
        spans.thread_id,
        coalesce(spans.stated_parent_id, spans.copied_thread_id) as thread_parent_id,
        spans.is_marked_fork or spans.copied_thread_id is not null as is_fork,
        spans.is_subagent,
        -- The clock of the walk never goes back, so that it keeps the order of the file.
        coalesce(max(numbered.occurred_at) over (
            partition by numbered.file_id, numbered.generation
            order by numbered.line_no, numbered.ordinal
            rows between unbounded preceding and current row
        ), {{ instant_from_micros('0') }}) as walked_at
    from numbered
    inner join spans
        on numbered.file_id = spans.file_id and numbered.generation = spans.generation
)

select
    ---------- ids
    case
        when thread_id is not null then {{ key_128(["'codex'", 'thread_id']) }}
        else {{ key_128(["'codex file'", 'cast(file_key as varchar)']) }}
    end as thread_key,
    case
        when thread_parent_id is not null and thread_parent_id <> coalesce(thread_id, '')
            then {{ key_128(["'codex'", 'thread_parent_id']) }}
    end as parent_thread_key,
    -- What copies of an event share; nothing that could be alike by chance.
    case
        when occurred_at is null then null
        when line_kind = 'token_count' then {{ key_128([
            "'total'", 'cast(' ~ epoch_micros('occurred_at') ~ ' as varchar)',
            "coalesce(cast(total_input_tokens as varchar), '')",
            "coalesce(cast(total_cached_tokens as varchar), '')",
            "coalesce(cast(total_output_tokens as varchar), '')",
            "coalesce(cast(total_reasoning_tokens as varchar), '')",
            "coalesce(cast(total_tokens as varchar), '')"
        ]) }}
        when call_id is not null then {{ key_128([
            'payload_type', 'cast(' ~ epoch_micros('occurred_at') ~ ' as varchar)', 'call_id',
            "coalesce(tool_name, '')"
        ]) }}
    end as event_key,
    coalesce(thread_id, file_stem) as thread_id,
    record_key,
    content_hash,
    source_id,
    source_project_id,
    turn_id,
    call_id,
    ---------- text
    line_kind,
    payload_type,
    model_provider,
    model,
    tool_name,
    error_class,
    ---------- numerics
    -- A parent's session_meta tells the folder of the parent.
    case
        when line_kind = 'session_meta' and stated_thread_id <> thread_id then null
        else workdir_id
    end as workdir_id,
    file_id,
    generation,
    line_no,
    ordinal,
    load_seq,
    total_input_tokens,
    total_cached_tokens,
    total_output_tokens,
    total_reasoning_tokens,
    total_tokens,
    last_tokens,
    ---------- booleans
    thread_id is not null as is_named,
    is_fork,
    is_subagent,
    ts_suspicious,
    ---------- timestamps
    occurred_at,
    walked_at
from placed
