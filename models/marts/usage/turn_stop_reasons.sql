{#- Why turns ended, in each period, project and mode. Only summaries tell it; a turn without a
    reason is `unknown`, a row of its own, and in every share. #}
with turns as (
    {{ countable_turns([
        'project_id', 'occurred_on', 'stop_reason_base', 'chat_mode', 'rounds', 'ended_at',
        'load_seq'
    ]) }}
),

counted as (
{{ turn_buckets('turns', ['stop_reason_base'], [
    'count(*) as turns',
    'cast(coalesce(sum(rounds), 0) as bigint) as rounds_sum',
    'count(rounds) as rounds_n',
    'min(ended_at) as first_ended_at',
    'max(ended_at) as last_ended_at',
    'max(load_seq) as load_seq',
]) }}
),

shared as (
    select
        *,
        cast(sum(turns) over (
            partition by project_id, time_window, bucket_start, chat_mode
        ) as bigint) as group_turns
    from counted
)

select
    project_id,
    time_window,
    bucket_start,
    stop_reason_base,
    chat_mode,
    turns,
    group_turns,
    {{ ratio('turns', 'group_turns') }} as share,
    {{ wilson('turns', 'group_turns', 'low') }} as share_low,
    {{ wilson('turns', 'group_turns', 'high') }} as share_high,
    rounds_sum,
    rounds_n,
    {{ ratio('rounds_sum', 'rounds_n') }} as avg_rounds,
    {{ rate_evidence('group_turns') }} as evidence,
    first_ended_at,
    last_ended_at,
    load_seq
from shared
