{#- analyses.md 0.3 and A: the interval against numbers from the reference, to four decimals. -#}
with examples (successes, trials, low, high) as (
    values
        (1, 1, 0.2065, 1.0000),
        (0, 10, 0.0000, 0.2775),
        (9, 10, 0.5958, 0.9821),
        (45, 50, 0.7864, 0.9565),
        (34, 34, 0.8985, 1.0000),
        (35, 35, 0.9011, 1.0000),
        (4, 5, 0.3755, 0.9638),
        (2, 3, 0.2077, 0.9385),
        (2, 2, 0.3424, 1.0000),
        (1, 2, 0.0945, 0.9055),
        (5, 10, 0.2366, 0.7634),
        (176, 180, 0.9443, 0.9913),
        (0, 0, null, null)
),

computed as (
    select
        examples.*,
        {{ wilson('successes', 'trials', 'low') }} as computed_low,
        {{ wilson('successes', 'trials', 'high') }} as computed_high
    from examples
)

select *
from computed
where (computed_low is null) <> (low is null)
    or abs(computed_low - low) > 0.00005
    or abs(computed_high - high) > 0.00005
