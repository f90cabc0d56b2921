{#- Exact and normal p-values and the correction for many tests, against numbers that do not come
    from here: analyses.md B3, B4 and I3; two textbook tables (tea tasting 3, 1, 1, 3: 34/70; and
    1, 9, 11, 3: 0.0027595); 1 of the C(20, 5) = 15,504 tables; the far tail of the normal
    distribution, where a poor approximation is 0 or negative; a family whose second p is flagged
    only because a later one is. -#}
with tables (a, b, c, d, expected) as (
    values
        (18, 2, 12, 8, 0.0648),
        (3, 1, 1, 3, 0.4857142857),
        (1, 9, 11, 3, 0.0027594562),
        (5, 0, 0, 15, 1.0 / 15504),
        (10, 10, 10, 10, 1.0),
        (10, 0, 10, 0, 1.0),
        (1200, 800, 1200, 800, 1.0),
        (null, 1, 1, 1, null)
),

deviates (z_score, expected) as (
    values
        (cast(-2.9515 as double), 0.003162345462),
        (1.8859, 0.059308431532),
        (0.0, 1.0),
        (1.959963984540054, 0.05),
        (7.0, 2.55962508777e-12),
        (8.0, 1.24419211485e-15),
        (40.0, 0.0),
        (null, null)
),

families (family, p, expected) as (
    values
        ('step up', 0.001, true),
        ('step up', 0.06, true),
        ('step up', 0.07, true),
        ('step up', 0.11, false),
        ('alone', 0.11, false),
        ('alone', null, null),
        ('at the limit', 0.1, true),
        ('tie', 0.09, true),
        ('tie', 0.09, true)
),

limited as (
    select
        *,
        {{ bh_limit('p', 'family') }} as p_limit
    from families
),

flagged as (
    select
        *,
        {{ bh_flag('p', 'p_limit', 'family') }} as computed
    from limited
),

-- How far apart they may be: half of the last digit that the reference prints; 1e-7 of a p-value.
compared as (
    select
        'fisher ' || a as what,
        expected,
        {{ fisher_exact_p('a', 'b', 'c', 'd') }} as computed,
        case when a = 18 then 0.00005 else 1e-9 end as tolerance
    from tables
    union all
    select
        'normal ' || z_score as what,
        expected,
        {{ two_sided_p('z_score') }} as computed,
        1e-7 * expected as tolerance
    from deviates
    union all
    select
        'many ' || family as what,
        cast(expected as integer) as expected,
        cast(computed as integer) as computed,
        0 as tolerance
    from flagged
)

select *
from compared
where (computed is null) <> (expected is null)
    or abs(computed - expected) > tolerance
