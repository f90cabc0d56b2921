{#- The path stays in raw: no model needs it. #}
select
    project_id,
    project_name,
    project_type,
    zone,
    is_active,
    registered_at,
    last_seen_at
from {{ source('raw', 'projects') }}
