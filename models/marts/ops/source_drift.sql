{#- What the tools write, when each thing was first met, and what of it nobody told us of. The
    same names in the same files are the same rows; which of them are new depends on the order of
    runs. #}
{%- set kind_of_source = "replace(split_part({}, ':', 1), '-', '_')" %}
with shapes as (
    select * from {{ ref('int_source_shapes') }}
),

newest as (
    select
        source_kind,
        max_by(run_id, load_seq) as run_id,
        min(load_seq) as first_load_seq
    from shapes
    group by source_kind
),

newest_run as (
    select
        newest.source_kind,
        min(shapes.load_seq) as began_at_load_seq,
        -- The first run that reads a tool meets everything for the first time.
        min(shapes.load_seq) > min(newest.first_load_seq) as has_history
    from newest
    inner join shapes on newest.source_kind = shapes.source_kind and newest.run_id = shapes.run_id
    group by newest.source_kind
),

written as (
    select
        shapes.source_kind,
        shapes.what,
        shapes.name,
        sum(shapes.occurrences) as occurrences,
        count(distinct shapes.file_id) as n_files,
        min(shapes.file_id) as example_file_id,
        min_by(shapes.first_line_no, shapes.file_id) as example_line_no,
        min(shapes.load_seq) as first_load_seq,
        max(shapes.load_seq) as last_load_seq,
        min(shapes.first_seen_at) as first_seen_at
    from shapes
    group by shapes.source_kind, shapes.what, shapes.name
),

known_types (source_kind, name) as (
    values
    {%- for source_kind, names in var('known_line_types').items() %}
    {%- set is_last_kind = loop.last %}
    {%- for name in names %}
    ('{{ source_kind }}', '{{ name }}'){{ '' if loop.last and is_last_kind else ',' }}
    {%- endfor %}
    {%- endfor %}
),

judged as (
    select
        written.*,
        newest_run.has_history and written.first_load_seq >= newest_run.began_at_load_seq as is_new,
        known_types.name is not null as is_known_type
    from written
    inner join newest_run on written.source_kind = newest_run.source_kind
    left join known_types
        on written.source_kind = known_types.source_kind and written.name = known_types.name
),

files as (
    select file_id, source_id from {{ ref('stg_ledger__files') }}
),

fields as (
    select
        {{ kind_of_source.format('files.source_id') }} as source_kind,
        case
            when contains(unknown.field_name, 'usage.') then 'usage_key' else 'field'
        end as what,
        unknown.field_name as name,
        sum(unknown.occurrences) as occurrences,
        count(*) as n_files,
        min(unknown.file_id) as example_file_id,
        max(unknown.load_seq) as last_load_seq
    from {{ ref('stg_ledger__unknown_fields') }} as unknown
    inner join files on unknown.file_id = files.file_id
    group by {{ kind_of_source.format('files.source_id') }}, unknown.field_name
),

runs as (
    select
        {{ kind_of_source.format('source_id') }} as source_kind,
        run_id,
        min(started_at) as started_at,
        sum(records_read) as records_read,
        sum(rejected) as rejected
    from {{ ref('stg_ledger__collection_runs') }}
    where records_read > 0
    group by {{ kind_of_source.format('source_id') }}, run_id
),

ranked_runs as (
    select
        *,
        row_number() over (partition by source_kind order by started_at desc, run_id) as run_rank
    from runs
),

unparsed as (
    select
        source_kind,
        coalesce(sum(case when run_rank = 1 then rejected end), 0) as rejected,
        coalesce(sum(case when run_rank = 1 then records_read end), 0) as records_read,
        coalesce(sum(case when run_rank > 1 then rejected end), 0) as rejected_before,
        coalesce(sum(case when run_rank > 1 then records_read end), 0) as records_read_before
    from ranked_runs
    group by source_kind
),

united as (
    select
        source_kind,
        what,
        name,
        occurrences,
        n_files,
        example_file_id,
        example_line_no,
        first_load_seq,
        last_load_seq,
        cast(null as double) as unparsed_share,
        cast(null as double) as unparsed_share_before,
        is_new,
        case what when 'line_type' then not is_known_type else is_new end as is_alarm,
        first_seen_at
    from judged
    union all
    select
        source_kind,
        what,
        name,
        occurrences,
        n_files,
        example_file_id,
        cast(null as bigint) as example_line_no,
        cast(null as bigint) as first_load_seq,
        last_load_seq,
        cast(null as double) as unparsed_share,
        cast(null as double) as unparsed_share_before,
        cast(null as boolean) as is_new,
        true as is_alarm,
        cast(null as timestamptz) as first_seen_at
    from fields
    union all
    select
        source_kind,
        'unparsed_share' as what,
        'rejected' as name,
        rejected as occurrences,
        cast(null as bigint) as n_files,
        cast(null as bigint) as example_file_id,
        cast(null as bigint) as example_line_no,
        cast(null as bigint) as first_load_seq,
        cast(null as bigint) as last_load_seq,
        {{ ratio('rejected', 'records_read') }} as unparsed_share,
        {{ ratio('rejected_before', 'records_read_before') }} as unparsed_share_before,
        cast(null as boolean) as is_new,
        -- Rising beyond chance: even the lower end of the last run's share lies above that before.
        records_read >= {{ var('min_n_rate') }}
        and records_read_before >= {{ var('min_n_rate') }}
        and coalesce(
            {{ wilson('rejected', 'records_read', 'low') }}
            > {{ ratio('rejected_before', 'records_read_before') }},
            false
        ) as is_alarm,
        cast(null as timestamptz) as first_seen_at
    from unparsed
)

select
    source_kind,
    what,
    name,
    cast(occurrences as bigint) as occurrences,
    n_files,
    example_file_id,
    example_line_no,
    first_load_seq,
    last_load_seq,
    unparsed_share,
    unparsed_share_before,
    is_new,
    is_alarm,
    first_seen_at
from united
