{#- One response of a model, however many lines repeat it: which line is kept, which one owns it
    (formats.md 6.5). Content decides, never the order of loading. -#}

{#- The disjoint tiers of tokens, by the name of their columns. -#}
{% macro token_tiers() %}
    {{ return(['input_fresh', 'cache_write', 'cache_read', 'output']) }}
{% endmacro %}

{#- A text as an instant; text without an offset is a wall clock of the zone. -#}
{% macro stated_instant(text, zone) -%}
case {{ timestamp_spelling(text) }}
    when 'offset' then {{ parse_timestamp(text, 'timestamptz') }}
    when 'epoch' then {{ epoch_text_to_instant(text) }}
    when 'wall' then {{ wall_clock_to_instant(parse_timestamp(text, 'timestamp'), zone) }}
end
{%- endmacro %}

{#- Whether a time is one that nobody can believe. -#}
{% macro is_suspicious_instant(instant, ingested_at) -%}
coalesce(
    {{ instant }} < cast('{{ var("earliest_plausible_at") }} 00:00:00+00' as timestamptz)
    or {{ instant }} > {{ ingested_at }} + interval {{ var('max_clock_skew_hours') }} hour,
    false
)
{%- endmacro %}

{#- A count as it was written; a negative or absurd one is unknown. -#}
{% macro token_count(text) -%}
case
    when try_cast({{ text }} as double) between 0 and {{ var('max_tokens_of_call') }}
        then cast(try_cast({{ text }} as double) as bigint)
end
{%- endmacro %}

{#- Which line of a response is kept: the snapshot that grew furthest. -#}
{% macro furthest_grown() -%}
output_tokens desc nulls last,
input_fresh_tokens desc nulls last,
cache_write_tokens desc nulls last,
cache_read_tokens desc nulls last,
stop_reason nulls last,
{{ earliest_first() }}
{%- endmacro %}

{#- Whose session, folder and time a response has; the last columns tell equal copies apart. -#}
{% macro earliest_first() -%}
occurred_at nulls last,
session_id nulls last,
record_key,
content_hash,
line_no,
ordinal,
source_id,
file_id
{%- endmacro %}

{#- The columns with which every source of model calls tells its versions: those that
    `int_llm_call_versions` unites. `kept_*` are 0 on dropped rows, so that sums count once. -#}
{% macro llm_call_version_columns() %}
    {{ return([
        'llm_call_key', 'message_key', 'record_key', 'content_hash', 'source_id',
        'source_project_id', 'source_kind', 'request_id', 'session_id', 'agent_id', 'provider',
        'model', 'stop_reason', 'service_tier', 'attribution_skill', 'input_basis', 'drop_reason',
        'workdir_id', 'file_id', 'line_no', 'ordinal', 'load_seq', 'key_load_seq',
        'input_fresh_tokens', 'cache_write_tokens', 'cache_read_tokens', 'output_tokens',
        'web_search_requests', 'reasoning_tokens', 'duration_ms', 'recorded_cost_usd',
        'kept_input_fresh_tokens', 'kept_cache_write_tokens', 'kept_cache_read_tokens',
        'kept_output_tokens', 'kept_stated_cache_write_5m_tokens',
        'kept_stated_cache_write_1h_tokens', 'kept_web_search_requests', 'is_kept', 'is_owner',
        'is_synthetic', 'is_sidechain', 'ts_suspicious', 'occurred_at'
    ]) }}
{% endmacro %}

{#- Likewise of calls of tools and their results, which `int_tool_call_versions` unites. -#}
{% macro tool_call_version_columns() %}
    {{ return([
        'tool_call_key', 'message_key', 'record_key', 'content_hash', 'source_id',
        'source_project_id', 'source_kind', 'session_id', 'agent_id', 'tool_name', 'skill_name',
        'subagent_type', 'error_class', 'drop_reason', 'kept_error_class', 'workdir_id', 'file_id',
        'line_no', 'ordinal', 'position', 'load_seq', 'key_load_seq', 'is_call', 'is_kept',
        'is_error', 'kept_is_error', 'is_sidechain', 'ts_suspicious', 'occurred_at'
    ]) }}
{% endmacro %}

{#- The rows of several relations one below the other, the same columns of each. -#}
{% macro united(relations, columns) -%}
{%- for relation in relations %}
select
    {{ columns | join(',\n    ') }}
from {{ relation }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
{%- endmacro %}

{#- Facts of which no version counts any more, because an older one arrived since or a file turned out
    to be a copy: a model that replaces facts by their key has none to replace them by. Runs in the
    transaction of the model, before its rows are computed. -#}
{% macro delete_uncounted(versions, key) %}
{%- if execute and is_incremental() -%}
    {%- set since = trusted_load_seq() -%}
    {%- if since is none -%}
delete from {{ this }}
    {%- else -%}
delete from {{ this }}
where {{ key }} in (
    select versions.{{ key }}
    from {{ versions }} as versions
    where versions.key_load_seq > {{ since }}
    group by versions.{{ key }}
    having not bool_or(versions.is_kept)
)
    {%- endif -%}
{%- endif -%}
{% endmacro %}
