{#- Where engines differ. DuckDB is the reference; each macro has a spark__ sibling so that the same
    models can be built from the Parquet lake elsewhere. -#}

{% macro percentiles(column, quantiles) %}{{ return(adapter.dispatch('percentiles', 'agentledger')(column, quantiles)) }}{% endmacro %}
{#- One list for all quantiles keeps the values in memory once. The caller casts to double: on a
    DECIMAL the interpolation would be cut to the column's scale. -#}
{% macro duckdb__percentiles(column, quantiles) %}quantile_cont(cast({{ column }} as double), {{ quantiles }}){% endmacro %}
{% macro spark__percentiles(column, quantiles) %}percentile(cast({{ column }} as double), array({{ quantiles | join(', ') }})){% endmacro %}

{% macro list_item(list, position) %}{{ return(adapter.dispatch('list_item', 'agentledger')(list, position)) }}{% endmacro %}
{% macro duckdb__list_item(list, position) %}{{ list }}[{{ position + 1 }}]{% endmacro %}
{% macro spark__list_item(list, position) %}{{ list }}[{{ position }}]{% endmacro %}

{% macro epoch_micros(instant) %}{{ return(adapter.dispatch('epoch_micros', 'agentledger')(instant)) }}{% endmacro %}
{% macro duckdb__epoch_micros(instant) %}epoch_us({{ instant }}){% endmacro %}
{% macro spark__epoch_micros(instant) %}unix_micros({{ instant }}){% endmacro %}

{% macro milliseconds_between(start, end) -%}
cast(({{ epoch_micros(end) }} - {{ epoch_micros(start) }}) / 1000.0 as double)
{%- endmacro %}

{% macro instant_from_micros(micros) %}{{ return(adapter.dispatch('instant_from_micros', 'agentledger')(micros)) }}{% endmacro %}
{% macro duckdb__instant_from_micros(micros) %}make_timestamptz({{ micros }}){% endmacro %}
{% macro spark__instant_from_micros(micros) %}timestamp_micros({{ micros }}){% endmacro %}

{% macro utc_day(instant) %}{{ return(adapter.dispatch('utc_day', 'agentledger')(instant)) }}{% endmacro %}
{#- By way of the epoch: free of the session's zone, and four times as fast as `at time zone`. -#}
{% macro duckdb__utc_day(instant) %}cast(make_timestamp(epoch_us({{ instant }})) as date){% endmacro %}
{% macro spark__utc_day(instant) %}to_date({{ instant }}){% endmacro %}

{% macro wall_clock_to_instant(wall_clock, zone) %}{{ return(adapter.dispatch('wall_clock_to_instant', 'agentledger')(wall_clock, zone)) }}{% endmacro %}
{% macro duckdb__wall_clock_to_instant(wall_clock, zone) %}timezone({{ zone }}, {{ wall_clock }}){% endmacro %}
{% macro spark__wall_clock_to_instant(wall_clock, zone) %}to_utc_timestamp({{ wall_clock }}, {{ zone }}){% endmacro %}

{% macro instant_to_wall_clock(instant, zone) %}{{ return(adapter.dispatch('instant_to_wall_clock', 'agentledger')(instant, zone)) }}{% endmacro %}
{% macro duckdb__instant_to_wall_clock(instant, zone) %}timezone({{ zone }}, {{ instant }}){% endmacro %}
{% macro spark__instant_to_wall_clock(instant, zone) %}from_utc_timestamp({{ instant }}, {{ zone }}){% endmacro %}

{% macro key_128(parts) %}{{ return(adapter.dispatch('key_128', 'agentledger')(parts)) }}{% endmacro %}
{#- chr(31) is the ASCII unit separator: no name holds it, so ('a', 'bc') and ('ab', 'c') differ. -#}
{% macro duckdb__key_128(parts) %}cast(md5(concat_ws(chr(31), {{ parts | join(', ') }})) as uuid){% endmacro %}
{% macro spark__key_128(parts) %}md5(concat_ws(char(31), {{ parts | join(', ') }})){% endmacro %}

{% macro uuid_of(text) %}{{ return(adapter.dispatch('uuid_of', 'agentledger')(text)) }}{% endmacro %}
{#- 32 hexadecimal digits, with or without dashes, as a key; null for other text. -#}
{% macro duckdb__uuid_of(text) %}try_cast({{ text }} as uuid){% endmacro %}
{% macro spark__uuid_of(text) %}nullif(regexp_extract(lower(replace({{ text }}, '-', '')), '^[0-9a-f]{32}$', 0), ''){% endmacro %}

{% macro normal_form(text) %}{{ return(adapter.dispatch('normal_form', 'agentledger')(text)) }}{% endmacro %}
{#- The same name typed on two systems must be one name: Unicode NFC, no outer blanks. -#}
{% macro duckdb__normal_form(text) %}trim(nfc_normalize({{ text }}), chr(9) || chr(10) || chr(13) || ' '){% endmacro %}
{% macro spark__normal_form(text) %}trim({{ text }}){% endmacro %}

{% macro bucket_start(time_window, day) %}
{%- if time_window == 'all' -%} cast('1970-01-01' as date)
{%- elif time_window == 'daily' -%} {{ day }}
{%- elif time_window == 'weekly' -%} cast(date_trunc('week', {{ day }}) as date)
{%- elif time_window == 'monthly' -%} cast(date_trunc('month', {{ day }}) as date)
{%- else -%} {{ exceptions.raise_compiler_error("Unknown time window '" ~ time_window ~ "'. Use daily, weekly, monthly or all.") }}
{%- endif -%}
{% endmacro %}

{% macro bucket_end(time_window, start) %}
{%- if time_window == 'all' -%} cast(null as date)
{%- else -%}
cast({{ start }} + interval 1 {{ {'daily': 'day', 'weekly': 'week', 'monthly': 'month'}[time_window] }} as date)
{%- endif -%}
{% endmacro %}
