{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='record_key',
    on_schema_change='fail'
) }}
{#- Every copy of a point of Claude Code's counters of tokens and of cost that names its session.
    A point is its series, name, start and time: what an exporter sends twice is one point. #}
{{ versions_of(
    "(select points.* from " ~ ref('stg_otlp__metric_points') ~ " as points"
        ~ " where points.metric_name in ('claude_code.token.usage', 'claude_code.cost.usage')"
        ~ " and points.point_kind = 'sum' and points.session_id is not null)",
    key='record_key',
    columns=[
        'record_key', 'content_hash', 'source_id', 'source_project_id', 'series_key', 'session_id',
        'metric_name', 'temporality', 'token_type', 'file_id', 'line_no', 'ordinal', 'load_seq',
        'amount', 'started_at', 'occurred_at'
    ],
    winner='versions.amount desc nulls last',
    is_shared=false
) }}
