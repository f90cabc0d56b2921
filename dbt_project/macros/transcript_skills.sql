{#- Skills and subagents of transcripts (formats.md 6.6 to 6.8): when a session is looked at anew, and
    which columns the sources of skill invocations have in common. -#}

{#- Commands that the tool answers by itself; whatever a model called by such a name, they are no
    skills. -#}
{% macro built_in_commands() %}
    {{ return([
        'add-dir', 'agents', 'bashes', 'bug', 'clear', 'compact', 'config', 'context', 'cost',
        'doctor', 'exit', 'export', 'help', 'hooks', 'ide', 'init', 'install-github-app', 'login',
        'logout', 'mcp', 'memory', 'model', 'output-style', 'permissions', 'plugin', 'pr-comments',
        'privacy-settings', 'quit', 'release-notes', 'rename', 'resume', 'rewind', 'sandbox',
        'stats', 'status', 'statusline', 'terminal-setup', 'todos', 'upgrade', 'usage', 'vim'
    ]) }}
{% endmacro %}

{#- The columns that `int_skill_invocation_versions` unites. -#}
{% macro skill_invocation_version_columns() %}
    {{ return([
        'usage_key', 'record_key', 'content_hash', 'project_id', 'source_id', 'source_kind',
        'session_key', 'skill_name', 'variant', 'tz_kind', 'outcome', 'outcome_detail',
        'workflow_path', 'workflow_phase', 'error_class', 'file_id', 'line_no', 'ordinal', 'load_seq',
        'key_load_seq', 'duration_ms', 'followup_count', 'selection_rank', 'is_abandoned',
        'duration_is_placeholder', 'tz_assumed', 'ts_suspicious', 'occurred_at', 'invoked_on',
        'is_kept', 'drop_reason'
    ]) }}
{% endmacro %}

{#- Names that a call of the Skill tool has loaded, and since which load that is known. -#}
{% macro loaded_skill_names() -%}
select
    calls.skill_name,
    min(greatest(calls.load_seq, results.load_seq)) as load_seq
from {{ ref('int_claude_code_tool_versions') }} as calls
inner join {{ ref('int_claude_code_tool_versions') }} as results
    on calls.tool_call_key = results.tool_call_key
where calls.is_call and calls.tool_name = 'Skill' and calls.skill_name is not null
    and not results.is_call and not results.is_error
group by calls.skill_name
{%- endmacro %}

{#- Sessions in which something was read after `since`, or whose folder belongs to another project
    since. A row without a session is in the session `''`. -#}
{% macro touched_tool_sessions(since) -%}
select coalesce(versions.session_id, '') as session_id
from {{ ref('int_claude_code_tool_versions') }} as versions
left join {{ ref('stg_ledger__working_directories') }} as folders
    on versions.workdir_id = folders.workdir_id
where versions.key_load_seq > {{ since }} or folders.load_seq > {{ since }}
union
select coalesce(versions.session_id, '') as session_id
from {{ ref('int_claude_code_turn_lines') }} as versions
left join {{ ref('stg_ledger__working_directories') }} as folders
    on versions.workdir_id = folders.workdir_id
where versions.key_load_seq > {{ since }} or folders.load_seq > {{ since }}
union
select coalesce(versions.session_id, '') as session_id
from {{ ref('int_claude_code_call_versions') }} as versions
where versions.key_load_seq > {{ since }}
{%- endmacro %}

{#- Likewise, and sessions with a command whose name turned out to be a skill's. -#}
{% macro touched_skill_sessions(since) -%}
{{ touched_tool_sessions(since) }}
union
select coalesce(bodies.session_id, '') as session_id
from {{ ref('stg_claude_code__skill_bodies') }} as bodies
where bodies.load_seq > {{ since }}
union
select coalesce(commands.session_id, '') as session_id
from {{ ref('int_claude_code_turn_lines') }} as commands
where commands.command_name in (
    select names.skill_name
    from ({{ loaded_skill_names() }}) as names
    where names.load_seq > {{ since }}
)
{%- endmacro %}

{#- Run in the transaction of their models, before the rows are computed. -#}
{% macro delete_touched_transcript_skills() %}
{%- if execute and is_incremental() -%}
    {%- set since = trusted_load_seq() -%}
delete from {{ this }}
    {%- if since is not none %}
where coalesce(session_id, '') in ({{ touched_skill_sessions(since) }})
    {%- endif -%}
{%- endif -%}
{% endmacro %}

{#- Facts of invocations of which no version counts any more. -#}
{% macro delete_uncounted_invocations() %}
{%- if execute and is_incremental() -%}
delete from {{ this }}
where usage_key in (
    {%- for relation in ['int_claude_code_skill_versions', 'int_otlp_skill_versions'] %}
    select versions.usage_key
    from {{ ref(relation) }} as versions
    group by versions.usage_key
    having not bool_or(versions.is_kept)
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)
{%- endif -%}
{% endmacro %}

{#- What the rows of a session depend on at least: the newest number of all that it holds. `touched` is
    a further condition. -#}
{% macro transcript_session_loads(touched) -%}
select
    session_id,
    max(load_seq) as load_seq
from (
    {%- for relation in [
        'int_claude_code_tool_versions', 'int_claude_code_turn_lines',
        'int_claude_code_call_versions'
    ] %}
    select
        coalesce(session_id, '') as session_id,
        key_load_seq as load_seq
    from {{ ref(relation) }}
    where true{{ touched }}
    union all
    {%- endfor %}
    select
        coalesce(session_id, '') as session_id,
        load_seq
    from {{ ref('stg_claude_code__skill_bodies') }}
    where true{{ touched }}
) as read
group by session_id
{%- endmacro %}

{% macro delete_touched_transcript_tasks() %}
{%- if execute and is_incremental() -%}
    {%- set since = trusted_load_seq(reads_prices=true) -%}
delete from {{ this }}
    {%- if since is not none %}
where coalesce(session_id, '') in ({{ touched_tool_sessions(since) }})
    {%- endif -%}
{%- endif -%}
{% endmacro %}

{#- Whether a version of Claude Code writes the skill of a response. -#}
{% macro stamps_skills(version) -%}
coalesce(
    {%- set gate = var('stamp_since_version') %}
    {%- for part in [1, 2, 3] %}
    {%- set factor = [1000000000000, 1000000, 1][loop.index0] %}
    {{ '+ ' if not loop.first }}{{ factor }} * try_cast(
        split_part(split_part({{ version }}, '-', 1), '.', {{ part }}) as bigint
    )
    {%- endfor %} >= {{ gate[0] * 1000000000000 + gate[1] * 1000000 + gate[2] }},
    false
)
{%- endmacro %}

{#- Rules that say which model calls a skill cost (formats.md 6.7). -#}
{% macro attribution_rules() %}
    {{ return(['stamp', 'until_prompt', 'until_next_skill', 'subagents_only', 'session_share']) }}
{% endmacro %}

{#- Whether an item of a session lies in the span of a skill: `ends` names the end. A response that
    calls the next skill is the last of the span before. -#}
{% macro in_span_of_skill(items, skills, ends) -%}
{{ items }}.session_id = {{ skills }}.session_id
    and {{ items }}.happened_at > {{ skills }}.begins_at
    and (not {{ skills }}.is_sidechain or {{ items }}.agent_id = {{ skills }}.agent_id)
    and {{ items }}.message_key is distinct from {{ skills }}.message_key
    and (
        {{ skills }}.{{ ends }} is null
        or {{ items }}.happened_at < {{ skills }}.{{ ends }}
        or (
            {{ items }}.happened_at = {{ skills }}.{{ ends }}
            and {{ skills }}.{{ ends }} is distinct from {{ skills }}.prompt_ends_at
        )
    )
{%- endmacro %}
