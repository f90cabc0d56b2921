{#- What a skill cost is a matter of definition, so the definitions stand side by side, and how
    far they are apart. A response counts once for a skill and a rule, however many of its
    invocations claim it. Subagents whose own lines are missing are counted: what they cost is in
    no number here. #}
{%- set measures = [
    'calls', 'input_fresh_tokens', 'cache_write_5m_tokens', 'cache_write_1h_tokens',
    'cache_read_tokens', 'output_tokens', 'total_tokens', 'unpriced_calls'
] %}
with projects as (
    select project_id from {{ ref('stg_ledger__projects') }}
    where is_active
),

skills as (
    select
        versions.skill_name,
        versions.project_id,
        coalesce(versions.session_id, '') as session_id,
        versions.usage_key,
        versions.message_key,
        versions.agent_id,
        versions.is_sidechain,
        case when not versions.ts_suspicious then versions.occurred_at end as begins_at,
        versions.prompt_ends_at,
        versions.span_ends_at
    from {{ ref('int_claude_code_skill_versions') }} as versions
    inner join projects on versions.project_id = projects.project_id
    where versions.is_kept
),

calls as (
    select
        facts.llm_call_key as item_key,
        facts.project_id,
        coalesce(owners.session_id, '') as session_id,
        owners.agent_id,
        facts.message_key,
        facts.attribution_skill,
        owners.stamps_skills,
        facts.is_sidechain,
        case when not facts.ts_suspicious then facts.occurred_at end as happened_at,
        facts.input_fresh_tokens,
        facts.cache_write_5m_tokens,
        facts.cache_write_1h_tokens,
        facts.cache_read_tokens,
        facts.output_tokens,
        {{ whole_tokens('facts') }} as total_tokens,
        facts.cost_usd,
        true as is_call
    from {{ ref('fct_llm_calls') }} as facts
    inner join {{ ref('int_claude_code_call_versions') }} as owners
        on facts.llm_call_key = owners.llm_call_key and owners.is_owner
    where not facts.is_api_error
        and (
            coalesce(owners.session_id, '') in (select skills.session_id from skills)
            or facts.attribution_skill is not null
        )
),

-- Subagents of which only totals are known.
totals_only as (
    select
        task_key as item_key,
        project_id,
        coalesce(session_id, '') as session_id,
        cast(null as varchar) as agent_id,
        cast(null as uuid) as message_key,
        cast(null as varchar) as attribution_skill,
        false as stamps_skills,
        true as is_sidechain,
        case when not ts_suspicious then occurred_at end as happened_at,
        {%- for tier in [
            'input_fresh', 'cache_write_5m', 'cache_write_1h', 'cache_read', 'output'
        ] %}
        cast(null as bigint) as {{ tier }}_tokens,
        {%- endfor %}
        total_tokens,
        cast(null as decimal(18, 9)) as cost_usd,
        false as is_call
    from {{ ref('int_claude_code_agent_task_versions') }}
    where is_kept and flags like '%subagent_estimated%'
        and coalesce(session_id, '') in (select skills.session_id from skills)
),

items as (
    select * from calls
    union all
    select * from totals_only
),

credited as (
    select 'stamp' as rule, items.attribution_skill as skill_name, items.project_id, items.item_key
    from items
    inner join projects on items.project_id = projects.project_id
    where items.attribution_skill is not null and items.stamps_skills
    union
    select 'until_prompt' as rule, skills.skill_name, skills.project_id, items.item_key
    from skills
    inner join items on {{ in_span_of_skill('items', 'skills', 'prompt_ends_at') }}
    union
    select 'until_next_skill' as rule, skills.skill_name, skills.project_id, items.item_key
    from skills
    inner join items on {{ in_span_of_skill('items', 'skills', 'span_ends_at') }}
    union
    select 'subagents_only' as rule, skills.skill_name, skills.project_id, items.item_key
    from skills
    inner join items
        on {{ in_span_of_skill('items', 'skills', 'span_ends_at') }} and items.is_sidechain
    union
    select 'session_share' as rule, skills.skill_name, skills.project_id, items.item_key
    from skills
    inner join items on skills.session_id = items.session_id
),

-- Once more for all projects: a session that moved between two is no two sessions there.
scoped as (
    select rule, skill_name, project_id, item_key from credited
    union all
    select distinct rule, skill_name, '__all__' as project_id, item_key from credited
),

summed as (
    select
        scoped.rule,
        scoped.skill_name,
        scoped.project_id,
        count(*) filter (where items.is_call) as calls,
        {%- for measure in measures if measure not in ['calls', 'unpriced_calls'] %}
        cast(coalesce(sum(items.{{ measure }}) filter (where items.is_call), 0) as bigint)
            as {{ measure }},
        {%- endfor %}
        count(*) filter (where items.is_call and items.cost_usd is null) as unpriced_calls,
        sum(items.cost_usd) as cost_usd,
        count(*) filter (where not items.is_call) as missing_subagents,
        cast(coalesce(sum(items.total_tokens) filter (where not items.is_call), 0) as bigint)
            as missing_subagent_tokens,
        count(*) filter (where items.is_call and items.stamps_skills) as stamping_calls,
        count(*) filter (where items.is_call and not items.stamps_skills) as unstamped_calls
    from scoped
    inner join items on scoped.item_key = items.item_key
    group by scoped.rule, scoped.skill_name, scoped.project_id
),

used as (
    select skill_name, project_id, count(*) as invocations
    from skills
    group by skill_name, project_id
    union all
    select skill_name, '__all__' as project_id, count(*) as invocations
    from skills
    group by skill_name
),

named as (
    select skill_name, project_id from used
    union
    select skill_name, project_id from summed
),

rules as (
    {%- for rule in attribution_rules() %}
    select '{{ rule }}' as rule
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- A rule claims nothing where it cannot see: no stamp is written by an older version, no line of a
-- subagent is there.
judged as (
    select
        named.skill_name,
        named.project_id,
        rules.rule,
        coalesce(used.invocations, 0) as invocations,
        case
            when rules.rule = 'stamp'
                then summed.calls is not null or coalesce(of_sessions.stamping_calls, 0) > 0
            when used.invocations is null then false
            when rules.rule = 'subagents_only'
                then coalesce(summed.calls, 0) > 0 or coalesce(summed.missing_subagents, 0) = 0
            else true
        end as is_known,
        coalesce(summed.missing_subagents, 0) as missing_subagents,
        coalesce(summed.missing_subagent_tokens, 0) as missing_subagent_tokens,
        case when rules.rule = 'stamp' then coalesce(of_sessions.unstamped_calls, 0) end
            as calls_without_stamp,
        {%- for measure in measures %}
        coalesce(summed.{{ measure }}, 0) as {{ measure }},
        {%- endfor %}
        coalesce(summed.cost_usd, 0) as cost_usd
    from named
    cross join rules
    left join used
        on named.skill_name = used.skill_name and named.project_id = used.project_id
    left join summed
        on named.skill_name = summed.skill_name
            and named.project_id = summed.project_id
            and rules.rule = summed.rule
    left join summed as of_sessions
        on named.skill_name = of_sessions.skill_name
            and named.project_id = of_sessions.project_id
            and of_sessions.rule = 'session_share'
),

told as (
    select
        skill_name,
        project_id,
        rule,
        invocations,
        is_known,
        missing_subagents,
        missing_subagent_tokens,
        calls_without_stamp,
        {%- for measure in measures %}
        case when is_known then {{ measure }} end as {{ measure }},
        {%- endfor %}
        -- Of calls without any price no cost is known, which is not 0.
        case
            when is_known and (calls = 0 or unpriced_calls < calls)
                then cast(cost_usd as decimal(18, 9))
        end as cost_usd
    from judged
),

-- The subagents are a part of what another rule claims, so they widen no spread.
spread as (
    select
        skill_name,
        project_id,
        min(cost_usd) as lowest_cost_usd,
        max(cost_usd) as highest_cost_usd
    from told
    where rule <> 'subagents_only'
    group by skill_name, project_id
)

select
    told.skill_name,
    told.project_id,
    told.rule,
    told.invocations,
    {%- for measure in measures %}
    told.{{ measure }},
    {%- endfor %}
    told.cost_usd,
    coalesce(told.unpriced_calls > 0, false) as cost_is_lower_bound,
    told.missing_subagents,
    told.missing_subagent_tokens,
    told.calls_without_stamp,
    spread.lowest_cost_usd,
    spread.highest_cost_usd,
    cast(spread.highest_cost_usd - spread.lowest_cost_usd as decimal(18, 9)) as cost_spread_usd
from told
inner join spread
    on told.skill_name = spread.skill_name and told.project_id = spread.project_id
