"""Many closed windows of an agent taken together.

Belongs here: adding up the parts of windows that add up (analyses C). Does not belong here: any
formula: rates, intervals and quantiles of merged histograms are functions that the models leave in
the snapshot.
"""

from collections.abc import Sequence
from typing import Any, Final

from agentledger.query.answers import Answer, read_answer
from agentledger.snapshot import Snapshot

_TOTAL: Final = """
    select
        min(window_start) as window_start,
        max(window_end) as window_end,
        sum(task_count)::bigint as task_count,
        sum(succeeded)::bigint as succeeded,
        sum(failed)::bigint as failed,
        sum(unknown)::bigint as unknown,
        marts.rate(sum(succeeded), sum(succeeded + failed)) as success_rate,
        marts.rate_low(sum(succeeded), sum(succeeded + failed)) as success_rate_low,
        marts.rate_high(sum(succeeded), sum(succeeded + failed)) as success_rate_high,
        case when sum(cost_known_count) > 0 then sum(cost_cents_sum)::double end
            as total_cost_cents,
        marts.rate(sum(cost_cents_sum), sum(cost_known_count)) as avg_cost_cents,
        max(max_cost_cents) as max_cost_cents,
        sum(cost_known_count)::bigint as cost_known_count,
        marts.rate(sum(latency_ms_sum), sum(latency_n)) as avg_latency_ms,
        marts.latency_p50(list(latency_hist), sum(latency_zero_n), sum(latency_n))
            as p50_latency_estimate_ms,
        marts.latency_p95(list(latency_hist), sum(latency_zero_n), sum(latency_n))
            as p95_latency_estimate_ms,
        sum(latency_n)::bigint as latency_n
    from marts.agent_metrics
    where agent_id = ? and window_size = ?{condition}
    having max(window_end) is not null
"""


def total_of_windows(snapshot: Snapshot, condition: str, values: Sequence[Any]) -> Answer:
    """One row, or none when no window has a task.

    Args:
        snapshot: Where to read.
        condition: SQL that goes on after the agent and the size of the windows.
        values: The agent, the size, and what the condition binds.
    """
    return read_answer(snapshot, _TOTAL.format(condition=condition), list(values))
