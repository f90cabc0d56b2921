"""Questions about model calls, tokens and cost, answered from the quarter-hour mart.

Belongs here: by what the measures are put together (days, weeks and months of a zone, sessions,
projects, models), their range and scope. Does not belong here: any measure; they are sums of
columns of `usage_quarter_hours`.

Every zone is ahead of UTC by whole quarters of an hour, so the days of any zone are exact.
"""

from datetime import date
from typing import Any, Final

from agentledger.errors import UsageError
from agentledger.query.answers import Answer, read_answer
from agentledger.query.periods import parse_period
from agentledger.query.scope import ALL_PROJECTS, find_scope
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.snapshot import Snapshot, open_snapshot
from agentledger.zones import check_zone

PERIODS: Final = {"daily": "day", "weekly": "week", "monthly": "month"}
"""Windows, and the part of a time that each begins with."""

_UNDATED: Final = "quarter_start = make_timestamptz(0)"
_LOCAL_DAY: Final = "cast(timezone(?, quarter_start) as date)"

_GROUPS: Final = {
    **{
        window: f"case when not {_UNDATED} then "
        f"cast(date_trunc('{part}', timezone(?, quarter_start)) as date) end as bucket_start"
        for window, part in PERIODS.items()
    },
    "session": "session_key, project_id, any_value(project_name) as project_name",
    "project": "project_id, any_value(project_name) as project_name",
    "model": "model",
}
_KEYS: Final = {
    **dict.fromkeys(PERIODS, "bucket_start"),
    "session": "session_key, project_id",
    "project": "project_id",
    "model": "model",
}
_ORDER: Final = {
    **dict.fromkeys(PERIODS, "bucket_start nulls first"),
    "session": "last_called_at desc, session_key",
    "project": "total_tokens desc, project_id",
    "model": "total_tokens desc, model",
}

TOKENS: Final = (
    "input_fresh_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens",
    "output_tokens",
)  # fmt: skip
"""The disjoint tiers, which together are all tokens."""

_SUMS: Final = ", ".join(
    f"cast(sum({name}) as bigint) as {name}"
    for name in (*TOKENS, "cache_ttl_assumed_tokens", "web_search_requests")
)
# A cost of which nothing is known is None, never 0; one of which a part is known is a lower bound.
_COSTS: Final = ", ".join(
    f"case when sum(calls) > sum({unknown}) then cast(sum({cost}) as double) end as {cost}, "
    f"cast(sum({unknown}) as bigint) as {unknown}"
    for cost, unknown in (
        ("cost_usd", "unpriced_calls"),
        ("cost_today_usd", "unpriced_today_calls"),
        ("cache_savings_usd", "unknown_savings_calls"),
    )
)
_MEASURES: Final = f"""
    cast(sum(calls) as bigint) as calls,
    cast(sum(api_errors) as bigint) as api_errors,
    cast(sum(sidechain_calls) as bigint) as sidechain_calls,
    count(distinct session_key) as sessions,
    {_SUMS},
    cast(sum({" + ".join(TOKENS)}) as bigint) as total_tokens,
    {_COSTS},
    cast(sum(unpriced_tokens) as bigint) as unpriced_tokens,
    sum(unpriced_calls) > 0 as cost_is_lower_bound,
    case when sum(billed_calls) > 0 then cast(sum(cost_as_billed_usd) as double) end
        as cost_as_billed_usd,
    cast(sum(billed_calls) as bigint) as billed_calls,
    min(first_called_at) as first_called_at,
    max(last_called_at) as last_called_at
"""


@recorded("usage")
def usage(
    by: str = "daily",
    project: str | None = None,
    zone: str = "UTC",
    since: str | date | None = None,
    until: str | date | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """Tokens by tier, cost, model calls and sessions, by time, session, project or model.

    Calls whose time is missing or cannot be believed have the bucket None; a range leaves them out.
    A cost is that of the calls whose cost is known: a lower bound where `cost_is_lower_bound`, None
    where no call has one.

    Args:
        by: 'daily', 'weekly', 'monthly', 'session', 'project' or 'model'.
        project: Name, id or path; all projects by default.
        zone: IANA time zone whose days, weeks (from Monday) and months are meant.
        since: First bucket (first day, unless `by` is a window), or a time back such as 7d.
        until: Stop before this bucket or day.
        settings: Names the data home; read from the environment by default.

    Raises:
        UsageError: When an argument cannot be read.
        UnknownNameError: When the project is unknown.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    _check(by, zone)
    with open_snapshot(settings) as snapshot:
        wanted = _condition(snapshot, settings, project, by, since, until, zone)
        return _read_rows(snapshot, by, zone, *wanted)


@recorded("usage")
def usage_and_total(
    by: str = "daily",
    project: str | None = None,
    zone: str = "UTC",
    since: str | date | None = None,
    until: str | date | None = None,
    *,
    settings: Settings | None = None,
) -> tuple[Answer, dict[str, Any] | None]:
    """The rows of `usage`, and the same measures over all of them; None where there is no row.

    Both are of one build. The sessions of all rows together are counted once.
    """
    settings = load_settings() if settings is None else settings
    _check(by, zone)
    with open_snapshot(settings) as snapshot:
        wanted = _condition(snapshot, settings, project, by, since, until, zone)
        answer = _read_rows(snapshot, by, zone, *wanted)
        return answer, _read_total(snapshot, *wanted) if answer.rows else None


def _read_rows(snapshot: Snapshot, by: str, zone: str, condition: str, values: list[Any]) -> Answer:
    return read_answer(
        snapshot,
        f"""
        select {_GROUPS[by]}, {_MEASURES}
        from marts.usage_quarter_hours
        left join (select project_id, project_name from marts.dim_projects)
            using (project_id)
        where {condition}
        group by {_KEYS[by]}
        order by {_ORDER[by]}
        """,
        [zone, *values] if by in PERIODS else values,
    )


def _read_total(snapshot: Snapshot, condition: str, values: list[Any]) -> dict[str, Any]:
    answer = read_answer(
        snapshot,
        f"select {_MEASURES} from marts.usage_quarter_hours where {condition}",
        values,
    )
    return answer.records()[0]


def _check(by: str, zone: str) -> None:
    if by not in _GROUPS:
        raise UsageError(f"Cannot put usage together by {by!r}. Give one of {', '.join(_GROUPS)}.")
    check_zone(zone)


def _condition(
    snapshot: Snapshot,
    settings: Settings,
    project: str | None,
    by: str,
    since: str | date | None,
    until: str | date | None,
    zone: str,
) -> tuple[str, list[Any]]:
    """Which rows are asked for, and the values of its places."""
    scope = find_scope(snapshot, settings, project)
    window = by if by in PERIODS else "daily"
    period = parse_period(snapshot.build.as_of, window, None, since, until)
    conditions: list[str] = ["true"]
    values: list[Any] = []
    if scope.project_id != ALL_PROJECTS:
        conditions.append("project_id = ?")
        values.append(scope.project_id)
    if period.is_range:
        conditions.append(f"not {_UNDATED}")
    for sign, day in ((">=", period.since), ("<", period.until)):
        if day is not None:
            conditions.append(f"{_LOCAL_DAY} {sign} ?")
            values += [zone, day]
    return " and ".join(conditions), values
