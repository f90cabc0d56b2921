"""How intents fared in a period, against the period before.

Belongs here: the rates that the report shows, the answer put together. Does not belong here: any
formula; a rate and its change are functions of the snapshot.
"""

from datetime import date
from typing import Any, Final

from agentledger.query import intent_marts
from agentledger.query.answers import json_value, read_answer
from agentledger.query.intent_periods import IntentPeriod, check_limits, find_intent_period
from agentledger.reads import recorded
from agentledger.settings import Settings
from agentledger.snapshot import Snapshot, open_snapshot

RATES: Final = {
    # name: numerator, denominator; columns of `intent_daily`
    "success": ("success_count", "event_count"),
    "friction": ("friction_count", "event_count"),
    "failure": ("failure_count", "event_count"),
    "deny": ("deny_count", "event_count"),
    "override": ("override_count", "override_event_count"),
    "macro_deny": ("macro_deny_count", "macro_check_count"),
    "low_confidence": ("low_confidence_count", "scored_count"),
    "ambiguous": ("ambiguous_count", "scored_count"),
    "execution_failure": ("execution_failure_count", "execution_known_count"),
    "forced_execution_failure": (
        "forced_execution_failure_count",
        "forced_execution_known_count",
    ),
}


@recorded("intents report")
def get_intent_report(
    since: str | date | None = None,
    until: str | date | None = None,
    prompt_version: str | None = None,
    top: int = 5,
    *,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Sum up a period: rates with their changes, failure modes, the verbs with the most events.

    The period before has the same number of days. Without `since` there is none, and every
    `previous_…` and `change` is None.

    Args:
        since: A UTC day, or a time back from the newest build such as 7d; included.
        until: The same; left out.
        prompt_version: One version; `(unknown)` for events that name none.
        top: Failure modes and verbs that are listed.
        settings: Names the data home; read from the environment by default.

    Returns:
        `event_count` 0 means that no event of the period is known, not that nothing failed.

    Raises:
        UsageError: When an argument cannot be read.
        UnknownNameError: When no event names that prompt version.
        NothingPublishedError: When no run has published yet.
    """
    check_limits(1, top)
    with open_snapshot(settings) as snapshot:
        period = find_intent_period(snapshot, since, until, prompt_version)
        before = period.before(snapshot.build.as_of)
        rates = _read_rates(snapshot, period, before)
        modes = intent_marts.read_question(snapshot, "failure-modes", period, 1, 1_000).records()
        versions = [] if prompt_version else intent_marts.read_prompt_versions(snapshot).records()
        return {
            "build_id": snapshot.build.build_id,
            "as_of": json_value(snapshot.build.as_of),
            "period": period.as_json(),
            "previous_period": None if before is None else before.as_json(),
            "event_count": rates[0]["denominator"],
            "previous_event_count": rates[0]["previous_denominator"],
            "rates": rates,
            "failure_modes": [row for row in modes if row["outcome_class"] != "success"][:top],
            "hottest_verbs": intent_marts.read_verbs(snapshot, period, top).records(),
            "prompt_versions": versions,
        }


def _read_rates(
    snapshot: Snapshot, period: IntentPeriod, before: IntentPeriod | None
) -> list[dict[str, Any]]:
    """One row per rate of `RATES`: now, before, and whether it changed."""
    columns = sorted({name for pair in RATES.values() for name in pair})
    totals = ", ".join(f"coalesce(sum({name}), 0)::bigint as {name}" for name in columns)
    days, values = period.condition()
    # Without a period before, its counts are unknown rather than 0.
    counts_before = "select " + ", ".join(f"null::bigint as {name}" for name in columns)
    if before is not None:
        days_before, values_before = before.condition()
        counts_before = f"select {totals} from marts.intent_daily where {days_before}"
        values += values_before
    rows = " union all ".join(
        f"select {place} as place, '{name}' as rate_name, now.{s} as s2, now.{n} as n2, "
        f"before.{s} as s1, before.{n} as n1 from now, before"
        for place, (name, (s, n)) in enumerate(RATES.items())
    )
    return read_answer(
        snapshot,
        f"""
        with now as (select {totals} from marts.intent_daily where {days}),
        before as ({counts_before}),
        pairs as ({rows})
        select
            rate_name, s2 as numerator, n2 as denominator,
            marts.rate(s2, n2) as rate, marts.rate_low(s2, n2) as rate_low,
            marts.rate_high(s2, n2) as rate_high, marts.rate_evidence(n2) as evidence,
            s1 as previous_numerator, n1 as previous_denominator,
            marts.rate(s1, n1) as previous_rate,
            marts.rate_difference(s1, n1, s2, n2) as difference,
            marts.rate_difference_low(s1, n1, s2, n2) as difference_low,
            marts.rate_difference_high(s1, n1, s2, n2) as difference_high,
            case when n1 is not null then marts.rate_change(s1, n1, s2, n2) end as change
        from pairs
        order by place
        """,
        values,
    ).records()
