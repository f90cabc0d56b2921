{#- What is counted of the tasks of an agent, named once for every window. Sums are exact numbers:
    a sum of doubles depends on the order of its rows. -#}

{#- A cost as an exact number, in US cents. -#}
{% macro exact_cents(expression) -%} cast({{ expression }} as decimal(24, 9)) {%- endmacro %}

{#- Number of a latency's bucket: its borders grow by g = 1.01/0.99, so that a bucket's estimate is
    within 1 % of every value in it. The rounding keeps a border in its own bucket. -#}
{% macro latency_bucket(latency) -%}
case
    when {{ latency }} > 0 then cast(ceil(round(ln({{ latency }}) / ln(1.01 / 0.99), 9)) as integer)
end
{%- endmacro %}

{#- Quantile of latencies whose histograms are merged: the estimate of the first bucket up to which
    `ceil(q * n)` of the values lie, within 1 % of the value there (which is not interpolated).
    `histograms` is a list of texts as `latency_hist` has them, `zeros` how many values of 0 they leave
    out, `n` how many values there are in all. -#}
{% macro histogram_quantile(histograms, zeros, n, q) -%}
{%- set growth = '(1.01 / 0.99)' -%}
{%- set reached = bucket_of_rank(histograms, zeros, 'ceil(round(' ~ q ~ ' * (' ~ n ~ '), 9))') -%}
case
    when {{ n }} > 0
        then coalesce(2 * power({{ growth }}, {{ reached }}) / ({{ growth }} + 1), 0.0)
end
{%- endmacro %}

{#- A 95th percentile of few values is the largest of them by another name. -#}
{% macro histogram_p95(histograms, zeros, n) -%}
case
    when {{ n }} >= {{ var('min_n_quantile') }}
        then {{ histogram_quantile(histograms, zeros, n, 0.95) }}
end
{%- endmacro %}

{% macro bucket_of_rank(histograms, zeros, rank) %}{{ return(adapter.dispatch('bucket_of_rank', 'agentledger')(histograms, zeros, rank)) }}{% endmacro %}
{#- The bucket of the value at a rank: buckets of all histograms in order, counted up from the values
    of 0 until the rank is reached; null while the zeros reach it. -#}
{% macro duckdb__bucket_of_rank(histograms, zeros, rank) -%}
list_reduce(
    list_sort(flatten(list_transform(
        {{ histograms }},
        lambda histogram: list_transform(
            map_entries(cast(cast(histogram as json) as map(varchar, bigint))),
            lambda entry: struct_pack(bucket := cast(entry.key as integer), seen := entry.value)
        )
    ))),
    lambda so_far, here: case
        when so_far.seen >= {{ rank }} then so_far
        else struct_pack(bucket := here.bucket, seen := so_far.seen + here.seen)
    end,
    struct_pack(bucket := cast(null as integer), seen := cast({{ zeros }} as bigint))
).bucket
{%- endmacro %}
{% macro spark__bucket_of_rank(histograms, zeros, rank) -%}
aggregate(
    array_sort(flatten(transform(
        {{ histograms }},
        histogram -> transform(
            map_entries(from_json(histogram, 'map<string,bigint>')),
            entry -> struct(cast(entry.key as int) as bucket, entry.value as seen)
        )
    ))),
    struct(cast(null as int) as bucket, cast({{ zeros }} as bigint) as seen),
    (so_far, here) -> case
        when so_far.seen >= {{ rank }} then so_far
        else struct(here.bucket as bucket, so_far.seen + here.seen as seen)
    end
).bucket
{%- endmacro %}

{#- Additive parts, with the quantiles that cannot be merged, of rows of `fct_agent_tasks`. -#}
{% macro agent_measures() -%}
count(*) as task_count,
        count(*) filter (where outcome = 'success') as succeeded,
        count(*) filter (where outcome = 'failure') as failed,
        count(*) filter (where outcome = 'unknown') as unknown,
        count(cost_cents) as cost_known_count,
        cast(coalesce(sum({{ exact_cents('cost_cents') }}), 0) as decimal(38, 9)) as cost_cents_sum,
        cast(
            coalesce(sum(cast(cost_cents * cost_cents as decimal(38, 12))), 0) as decimal(38, 12)
        ) as cost_cents_sumsq,
        {{ percentiles('cost_cents', [0.5]) }} as cost_quantiles,
        max(cost_cents) as max_cost_cents,
        count(latency_ms) as latency_n,
        cast(coalesce(sum({{ exact_ms('latency_ms') }}), 0) as decimal(38, 6)) as latency_ms_sum,
        cast(
            coalesce(sum(cast(latency_ms * latency_ms as decimal(38, 6))), 0) as decimal(38, 6)
        ) as latency_ms_sumsq,
        count(*) filter (where latency_ms <= 0) as latency_zero_n,
        {{ percentiles('latency_ms', [0.5, 0.95]) }} as latency_quantiles,
        {{ histogram_text(latency_bucket('latency_ms')) }} as latency_hist,
        count(total_tokens) as tokens_known_count,
        cast(coalesce(sum(total_tokens), 0) as bigint) as tokens_sum,
        min(occurred_at) as first_task_at,
        max(occurred_at) as last_task_at
{%- endmacro %}

{#- The columns of a row, from its parts in `measured`; `patterns_used` is joined by the model. -#}
{% macro derived_agent_columns() -%}
measured.task_count,
    measured.succeeded,
    measured.failed,
    measured.unknown,
    {{ ratio('measured.succeeded', '(measured.succeeded + measured.failed)') }} as success_rate,
    {{ wilson('measured.succeeded', '(measured.succeeded + measured.failed)', 'low') }}
        as success_rate_low,
    {{ wilson('measured.succeeded', '(measured.succeeded + measured.failed)', 'high') }}
        as success_rate_high,
    case
        when measured.succeeded + measured.failed < {{ var('min_n_rate') }} then 'insufficient_data'
        else 'sufficient'
    end as evidence,
    {{ comparable(ratio('measured.unknown', 'measured.task_count')) }}
        > {{ var('unknown_share_high') }} as mostly_unknown,
    case when measured.cost_known_count > 0 then cast(measured.cost_cents_sum as double) end
        as total_cost_cents,
    {{ ratio('measured.cost_cents_sum', 'measured.cost_known_count') }} as avg_cost_cents,
    {{ list_item('measured.cost_quantiles', 0) }} as p50_cost_cents,
    measured.max_cost_cents,
    measured.cost_known_count,
    measured.cost_cents_sum,
    measured.cost_cents_sumsq,
    {{ ratio('measured.latency_ms_sum', 'measured.latency_n') }} as avg_latency_ms,
    {{ list_item('measured.latency_quantiles', 0) }} as p50_latency_ms,
    case
        when measured.latency_n >= {{ var('min_n_quantile') }}
            then {{ list_item('measured.latency_quantiles', 1) }}
    end as p95_latency_ms,
    measured.latency_n,
    measured.latency_ms_sum,
    measured.latency_ms_sumsq,
    measured.latency_zero_n,
    measured.latency_hist,
    case when measured.tokens_known_count > 0 then measured.tokens_sum end as total_tokens,
    measured.tokens_known_count,
    coalesce(patterns.patterns_used, '{}') as patterns_used,
    measured.first_task_at,
    measured.last_task_at
{%- endmacro %}
