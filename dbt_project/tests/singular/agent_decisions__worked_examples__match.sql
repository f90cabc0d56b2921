{#- analyses.md D2 (ratios of means) and D3 (gates), to the places that the reference shows. -#}
with ratios (m1, sd1, n1, m2, sd2, n2, low, high) as (
    values
        (3.0, 1.2, 1000, 2.7, 1.1, 500, 0.8617, 0.9400),
        (2000.0, 900.0, 1000, 2300.0, 900.0, 500, 1.1003, 1.2020),
        (2000.0, 900.0, 1000, 2040.0, 900.0, 500, 0.9725, 1.0698)
),

gates (s, n, quality, gate) as (
    values
        (95, 100, 0.90, 'wilson_lo'),
        (98, 100, 0.90, null),
        (190, 200, 0.80, 'quality'),
        (40, 40, 0.99, 'usage'),
        (98, 100, null, 'no_quality'),
        (94, 100, 0.90, 'success_rate')
)

select cast(m2 as varchar) as example
from ratios
where
    abs({{ mean_ratio_bound('m1', 'sd1', 'n1', 'm2', 'sd2', 'n2', 'low') }} - low) > 0.00005
    or abs({{ mean_ratio_bound('m1', 'sd1', 'n1', 'm2', 'sd2', 'n2', 'high') }} - high) > 0.00005
union all
select cast(s as varchar) as example
from gates
where {{ failed_knowledge_gate('s', 'n', 'quality') }} is distinct from gate
