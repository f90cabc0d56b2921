{#- analyses.md F2: A = 700, R = 298 in all; a cell of 56 and 99, and the bounds in a cell of
    500 each. -#}
with examples (accepted, rejected, accepted_cell, rejected_cell, shift, weight) as (
    values
        (40, 10, 56, 99, 1.1853, 0.0593),
        (12, 28, 56, 99, -0.2880, -0.0144),
        (0, 60, 56, 99, -1.7919, -0.0896),
        (4, 1, 56, 99, 0.3253, 0.0163),
        (500, 0, 500, 500, 3.9241, 0.1),
        (0, 500, 500, 500, -3.9396, -0.1)
),

expected as (
    select
        *,
        {{ shrunk_acceptance('accepted_cell', 'rejected_cell', pooled_acceptance('700', '298')) }}
            as expected_rate
    from examples
),

computed as (
    select
        *,
        {{ log_odds_shift('accepted', 'rejected', 'expected_rate') }} as computed_shift,
        {{ bounded_boost(log_odds_shift('accepted', 'rejected', 'expected_rate')) }} as computed_weight
    from expected
)

select *
from computed
where abs(computed_shift - shift) > 0.00005 or abs(computed_weight - weight) > 0.00005
