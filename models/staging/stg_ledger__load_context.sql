{#- What a build depends on besides rows, the clock apart: a model that reads this and not the
    clock is built anew only when rows came or a fingerprint changed. #}
select
    load_seq,
    projects_fingerprint,
    sources_fingerprint,
    models_fingerprint,
    prices_fingerprint,
    -- Written by an older version, the row says nothing of prices.
    coalesce(prices_judged_at, as_of) as prices_judged_at
from {{ source('raw', 'run_context') }}
