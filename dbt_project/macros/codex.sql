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

{#- The order of a thread: that of its file; parts in several files one after the other. -#}
{% macro codex_walk() -%}
walked_at, line_no, ordinal, content_hash, occurrence
{%- endmacro %}

{#- The counters of a thread. -#}
{% macro codex_counters() %}
    {{ return(['total_input', 'total_cached', 'total_output', 'total_reasoning', 'total']) }}
{% endmacro %}
