{{ config(materialized='view') }}
{#- Every version of an observation of an agent and every trace, as
    `int_langfuse_agent_run_versions` judged it, unless the same is told by a transcript, by Claude
    Code's events or by the spans of its trace. Events of any kind tell of the session that a trace
    is; of an agent, only the event that it ended. #}
{%- set versions = ref('int_langfuse_agent_run_versions') %}
{%- set of_session = ['user_prompt', 'api_request', 'tool_result', 'subagent_completed'] %}
{%- for variant, event_names in {
    'agent_observation': ['subagent_completed'], 'trace': of_session
}.items() %}
select *
from (
    {{ langfuse_verdicts(
        '(select * from ' ~ versions ~ " where variant = '" ~ variant ~ "')",
        agent_task_version_columns(), event_names, "span_role = 'agent'"
    ) }}
) as of_{{ variant }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
