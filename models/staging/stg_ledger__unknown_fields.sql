{#- 1:1 with raw.unknown_fields. #}
select
    file_id,
    source_id,
    field_name,
    occurrences,
    load_seq
from {{ source('raw', 'unknown_fields') }}
