{#- analyses.md C: the histograms of {100, 200} and {300, 400, 5000}, merged in either order, as one
    and as three; zeros come first; nothing has no quantile. Estimates to the places of the reference. -#}
with merged (what, histograms, zeros, n, q, expected) as (
    values
        ('p50', ['{"231":1,"265":1}', '{"286":1,"300":1,"426":1}'], 0, 5, 0.5, 301.9134),
        ('p95', ['{"231":1,"265":1}', '{"286":1,"300":1,"426":1}'], 0, 5, 0.95, 4965.3233),
        ('other order', ['{"286":1,"300":1,"426":1}', '{"231":1,"265":1}'], 0, 5, 0.5, 301.9134),
        ('one', ['{"231":1,"265":1,"286":1,"300":1,"426":1}'], 0, 5, 0.5, 301.9134),
        ('empty beside', ['{"231":1,"265":1,"286":1,"426":1}', '{}', '{"300":1}'],
            0, 5, 0.5, 301.9134),
        ('first', ['{"231":1,"265":1}', '{"286":1,"300":1,"426":1}'], 0, 5, 0.2, 100.4946),
        ('second', ['{"231":1,"265":1}', '{"286":1,"300":1,"426":1}'], 0, 5, 0.4, 198.3685),
        ('fourth', ['{"231":1,"265":1}', '{"286":1,"300":1,"426":1}'], 0, 5, 0.8, 399.4744),
        -- Three tenths of ten values are the third, not the fourth.
        ('exact rank', ['{"231":3}', '{"265":7}'], 0, 10, 0.3, 100.4946),
        ('shared bucket', ['{"231":2}', '{"231":2,"300":1}'], 0, 5, 0.8, 100.4946),
        ('zeros', ['{"231":1}'], 4, 5, 0.8, 0.0),
        ('past the zeros', ['{"231":1}'], 4, 5, 0.95, 100.4946),
        ('zeros alone', ['{}'], 3, 3, 0.5, 0.0),
        ('below 1 ms', ['{"-10":1}'], 0, 1, 0.5, 0.8105),
        ('none', ['{}'], 0, 0, 0.5, null)
),

computed as (
    select
        what,
        expected,
        {{ histogram_quantile('histograms', 'zeros', 'n', 'q') }} as estimate
    from merged
)

select *
from computed
where (estimate is null) <> (expected is null) or abs(estimate - expected) > 0.00005
