{{ intent_daily_config('session_key', 'session') }}
{#- In which sessions a verb was denied: distinct sessions do not add up over days, these pairs
    do. -#}
with events as (
    {{ countable_intents(
        ['session_key', 'denied_verbs', 'macro_denied_verbs', 'load_seq'], 'session'
    ) }}
),

denied as (
    {%- for deny_source, column in [('semreg', 'denied_verbs'), ('macro', 'macro_denied_verbs')] %}
    select
        '{{ deny_source }}' as deny_source,
        {{ each_item(column) }} as denied_verb,
        session_key,
        load_seq
    from events
    where session_key is not null and {{ item_count(column) }} > 0
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    deny_source,
    denied_verb,
    session_key,
    count(*) as deny_count,
    max(load_seq) as load_seq
from denied
where denied_verb is not null
group by deny_source, denied_verb, session_key
