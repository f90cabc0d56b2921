{#- Which threads of Codex are judged anew, and in which order a thread is walked
    (formats.md 7). -#}

{#- Threads that gained a line after `since`, their children, and the threads that hold a copy of
    one of their events: whatever a thread's verdict depends on. -#}
{% macro codex_threads_since(since) -%}
{%- set lines = ref('int_codex_lines') -%}
select arrived.thread_key
from {{ lines }} as arrived
where arrived.load_seq > {{ since }}
union
select children.thread_key
from {{ lines }} as children
inner join {{ lines }} as parents on children.parent_thread_key = parents.thread_key
where parents.load_seq > {{ since }}
union
select copies.thread_key
from {{ lines }} as copies
inner join {{ lines }} as shared on copies.event_key = shared.event_key
inner join {{ lines }} as arrived on shared.thread_key = arrived.thread_key
where arrived.load_seq > {{ since }}
{%- endmacro %}

{#- The lines that these threads are judged by: their own, their parents' and those of the threads
    with which they share an event. A relation `judged` names the threads. -#}
{% macro codex_lines_of_family() -%}
{%- set lines = ref('int_codex_lines') -%}
select family.*
from {{ lines }} as family
where family.thread_key in (select judged.thread_key from judged)
    or family.thread_key in (
        select children.parent_thread_key
        from {{ lines }} as children
        where children.thread_key in (select judged.thread_key from judged)
            and children.parent_thread_key is not null
    )
    or family.thread_key in (
        select copies.thread_key
        from {{ lines }} as copies
        inner join {{ lines }} as shared on copies.event_key = shared.event_key
        where shared.thread_key in (select judged.thread_key from judged)
    )
{%- endmacro %}

{#- What is known of each thread of a relation `lines`. -#}
{% macro codex_threads() -%}
select
    thread_key,
    -- A chain of one: several parents would be a contradiction, and the least is always the same.
    min(cast(parent_thread_key as varchar)) as parent_thread_text,
    bool_or(is_named) as is_named,
    bool_or(is_fork) as is_fork,
    bool_or(is_subagent) as is_subagent,
    max(turn_id) is not null as has_turns,
    min(thread_id) as thread_id,
    min(occurred_at) as began_at,
    max(load_seq) as thread_load_seq
from lines
group by thread_key
{%- endmacro %}

{#- The relations with which a model of threads begins: `judged`, the threads whose verdicts may have
    changed after `since`; `lines`, all that they are judged by; `threads` and `turns`, what is known
    of those; `shared_loads`, how new the threads are with which one shares an event. -#}
{% macro codex_family(since) -%}
judged as (
    {{ codex_threads_since(since) }}
),

lines as materialized (
    {{ codex_lines_of_family() }}
),

threads as (
    {{ codex_threads() }}
),

turns as (
    select distinct
        thread_key,
        turn_id
    from lines
    where line_kind = 'turn_context' and turn_id is not null
),

shared_loads as (
    select
        mine.thread_key,
        max(threads.thread_load_seq) as shared_load_seq
    from lines as mine
    inner join lines as theirs on mine.event_key = theirs.event_key
    inner join threads on theirs.thread_key = threads.thread_key
    group by mine.thread_key
)
{%- endmacro %}

{#- The lines, each with the turn and the folder that were stated last before it in its file, and with
    what else the caller wants to know: `stated` is name → SQL of the value where it is stated. -#}
{% macro codex_carried(stated={}) -%}
select
        *,
        last_value(case when line_kind = 'turn_context' then turn_id end ignore nulls) over walk
            as current_turn_id,
        last_value(workdir_id ignore nulls) over walk as current_workdir_id
        {%- for name, value in stated.items() %},
        last_value({{ value }} ignore nulls) over walk as {{ name }}
        {%- endfor %}
    from lines
    window walk as (
        partition by thread_key, file_id
        order by walked_at, generation, line_no, ordinal
        rows between unbounded preceding and current row
    )
{%- endmacro %}

{#- The rows of a relation, numbered among the copies of them that their thread has. -#}
{% macro codex_copies(relation) -%}
select
        *,
        row_number() over (
            partition by thread_key, content_hash, occurrence
            order by walked_at, line_no, ordinal, source_id, file_id, load_seq
        ) as copy_rank
    from {{ relation }}
{%- endmacro %}

{#- The threads of the events of a relation. Of an event that several threads hold, the first to begin
    owns it (`owner_rank` 1); one that says who it is comes before a file that does not. -#}
{% macro codex_event_owners(relation) -%}
select
        {{ relation }}.event_key,
        {{ relation }}.thread_key,
        row_number() over (
            partition by {{ relation }}.event_key
            order by
                case when threads.is_named then 0 else 1 end,
                threads.began_at nulls last,
                threads.thread_id,
                {{ relation }}.thread_key
        ) as owner_rank
    from {{ relation }}
    inner join threads on {{ relation }}.thread_key = threads.thread_key
    where {{ relation }}.event_key is not null
{%- endmacro %}

{#- Whether the event of a row, joined with its thread and with `owners`, is another thread's. Only a
    file that tells nothing of itself is suspected of being a copy. -#}
{% macro codex_is_copied(relation) -%}
not threads.is_named
        and not threads.has_turns
        and threads.parent_thread_text is null
        and owners.thread_key is not null
        and owners.thread_key <> {{ relation }}.thread_key
{%- endmacro %}

{#- A verdict is as new as the newest line that it was found by: of the thread, of its parent, or of a
    thread with which it shares an event. -#}
{% macro codex_verdict_load_seq() -%}
greatest(
            threads.thread_load_seq,
            coalesce(parents.thread_load_seq, threads.thread_load_seq),
            coalesce(shared_loads.shared_load_seq, threads.thread_load_seq)
        )
{%- endmacro %}

{#- The order of a thread: that of its file; parts in several files one after the other. -#}
{% macro codex_walk() -%}
walked_at, line_no, ordinal, content_hash, occurrence
{%- endmacro %}

{#- The counters of a thread. -#}
{% macro codex_counters() %}
    {{ return(['total_input', 'total_cached', 'total_output', 'total_reasoning', 'total']) }}
{% endmacro %}
