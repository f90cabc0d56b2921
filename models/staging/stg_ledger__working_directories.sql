{#- 1:1 with raw.working_directories; the paths stay in raw. #}
select
    workdir_id,
    source_id,
    project_id,
    rule,
    load_seq
from {{ source('raw', 'working_directories') }}
