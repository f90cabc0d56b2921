{#- The only "now" of the models. #}
select
    run_id,
    as_of,
    load_seq,
    projects_fingerprint,
    sources_fingerprint,
    models_fingerprint,
    prices_fingerprint
from {{ source('raw', 'run_context') }}
