{#- How many turns were cut off before they could end, of those of known reason and rounds. #}
with turns as (
    {{ countable_turns([
        'project_id', 'occurred_on', 'chat_mode', 'is_cutoff_known', 'is_early_cutoff',
        'is_early_abort', 'ended_at', 'load_seq'
    ]) }}
),

counted as (
{{ turn_buckets('turns', [], [
    'count(*) as turns',
    'count(case when is_cutoff_known then 1 end) as known_turns',
    'count(case when is_early_cutoff then 1 end) as early_cutoffs',
    'count(case when is_early_abort then 1 end) as early_aborts',
    'min(ended_at) as first_ended_at',
    'max(ended_at) as last_ended_at',
    'max(load_seq) as load_seq',
]) }}
)

select
    project_id,
    time_window,
    bucket_start,
    chat_mode,
    turns,
    known_turns,
    early_cutoffs,
    early_aborts,
    {{ ratio('early_cutoffs', 'known_turns') }} as early_cutoff_rate,
    {{ wilson('early_cutoffs', 'known_turns', 'low') }} as early_cutoff_rate_low,
    {{ wilson('early_cutoffs', 'known_turns', 'high') }} as early_cutoff_rate_high,
    {{ rate_evidence('known_turns') }} as evidence,
    first_ended_at,
    last_ended_at,
    load_seq
from counted
