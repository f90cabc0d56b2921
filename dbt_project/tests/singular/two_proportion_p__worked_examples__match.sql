{#- analyses.md I3, B3 and D2: z, p and Newcombe's interval, to the places that the reference
    shows; and the normal distribution against tables of 1 - Phi. -#}
with examples (s1, n1, s2, n2, z, p, low, high) as (
    values
        (160, 200, 174, 200, 1.8859, 0.0593, -0.0030, 0.1427),
        (77, 92, 24, 40, -2.9515, 0.003163, null, null),
        (820, 1000, 450, 500, 4.0537, 0.00005, 0.0429, 0.1142),
        (90, 100, 78, 100, -2.3146, 0.0206, -0.2212, -0.0179),
        (900, 1000, 452, 500, 0.2449, 0.8065, -0.0297, 0.0344),
        (0, 100, 0, 100, null, null, null, null),
        (5, 100, 0, 0, null, null, null, null)
),

computed as (
    select
        *,
        {{ two_proportion_z('s1', 'n1', 's2', 'n2') }} as computed_z,
        {{ two_proportion_p('s1', 'n1', 's2', 'n2') }} as computed_p,
        {{ newcombe('s1', 'n1', 's2', 'n2', 'low') }} as computed_low,
        {{ newcombe('s1', 'n1', 's2', 'n2', 'high') }} as computed_high
    from examples
),

-- Upper tails of the standard normal distribution, to ten significant places.
tails (deviate, tail) as (
    values
        (cast(0.0 as double), cast(0.5 as double)),
        (1.0, 0.1586552539),
        (1.959963984540054, 0.025),
        (3.0, 0.001349898032),
        (5.0, 2.866515719e-7),
        (8.0, 6.220960574e-16)
)

select
    cast(s1 as varchar) as example,
    computed_p as computed
from computed
where (computed_p is null) <> (p is null)
    or abs(computed_z - z) > 0.00005
    or abs(computed_p - p) > case when p = 0.003163 then 0.0000005 else 0.00005 end
    or abs(computed_low - low) > 0.00005
    or abs(computed_high - high) > 0.00005
union all
select
    cast(deviate as varchar) as example,
    {{ normal_upper_tail('deviate') }} as computed
from tails
where abs({{ normal_upper_tail('deviate') }} / tail - 1) > 0.0000001
