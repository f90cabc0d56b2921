{{ intent_daily_config() }}
{#- Who denies which verb: the semantic registry, for every verb that was offered or denied, and
    the check of macros, for denied verbs alone (its denominator is
    `intent_daily.macro_check_count`). -#}
with events as (
    {{ countable_intents([
        'occurred_on', 'prompt_version', 'offered_verbs', 'denied_verbs', 'macro_denied_verbs',
        'occurred_at', 'load_seq',
    ], 'day') }}
),

offered as (
    select
        occurred_on,
        prompt_version,
        {{ each_item('offered_verbs') }} as verb,
        load_seq
    from events
),

offered_counts as (
    select
        'semreg' as deny_source,
        occurred_on,
        prompt_version,
        verb,
        count(*) as event_count,
        0 as deny_count,
        cast(null as timestamptz) as first_denied_at,
        cast(null as timestamptz) as last_denied_at,
        max(load_seq) as load_seq
    from offered
    group by occurred_on, prompt_version, verb
),

denied as (
    {%- for deny_source, column in [('semreg', 'denied_verbs'), ('macro', 'macro_denied_verbs')] %}
    select
        '{{ deny_source }}' as deny_source,
        occurred_on,
        prompt_version,
        {{ each_item(column) }} as verb,
        occurred_at,
        load_seq
    from events
    where {{ item_count(column) }} > 0
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

deny_counts as (
    select
        deny_source,
        occurred_on,
        prompt_version,
        verb,
        -- Every denied verb is among the offered ones, where its event is counted already.
        case when deny_source = 'macro' then count(*) else 0 end as event_count,
        count(*) as deny_count,
        min(occurred_at) as first_denied_at,
        max(occurred_at) as last_denied_at,
        max(load_seq) as load_seq
    from denied
    group by deny_source, occurred_on, prompt_version, verb
)

select
    occurred_on as event_date,
    {{ prompt_version_key('prompt_version') }} as prompt_version,
    deny_source,
    verb as denied_verb,
    cast(sum(event_count) as bigint) as event_count,
    cast(sum(deny_count) as bigint) as deny_count,
    min(first_denied_at) as first_denied_at,
    max(last_denied_at) as last_denied_at,
    max(load_seq) as load_seq
from (
    select * from offered_counts
    union all
    select * from deny_counts
) as counts
where verb is not null
group by occurred_on, {{ prompt_version_key('prompt_version') }}, deny_source, verb
