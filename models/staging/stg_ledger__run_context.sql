{#- The only "now" of the models: whatever depends on it is built in every run. #}
select
    run_id,
    as_of
from {{ source('raw', 'run_context') }}
