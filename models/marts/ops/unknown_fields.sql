{#- Names of fields that no allow-list knows, never their values: the first sign of a new format. #}
with fields as (
    select
        file_id,
        field_name,
        occurrences,
        load_seq
    from {{ ref('stg_ledger__unknown_fields') }}
),

files as (
    select file_id, project_id
    from {{ ref('stg_ledger__files') }}
)

select
    files.project_id,
    fields.field_name,
    cast(sum(fields.occurrences) as bigint) as occurrences,
    count(*) as n_files,
    max(fields.load_seq) as last_load_seq
from fields
inner join files on fields.file_id = files.file_id
group by files.project_id, fields.field_name
