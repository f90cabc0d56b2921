"""The SQL that reads the marts of skills; each function one mart, one scope.

Belongs here: which rows of a mart, and in which order. Does not belong here: any metric. A ratio,
total or interval that is missing is a column to add to a mart. All columns of a mart are handed on,
so that a new one reaches every reader without a change here.
"""

from datetime import date
from typing import Any, Final

from agentledger import reads
from agentledger.query.answers import Answer, read_answer
from agentledger.query.periods import Period
from agentledger.query.scope import Scope, UnknownNameError, unknown_name
from agentledger.snapshot import Snapshot

# A bucket is partial until the snapshot's instant has passed its end; 'all' never ends.
_IS_PARTIAL: Final = """
    case time_window
        when 'daily' then bucket_start + interval 1 day
        when 'weekly' then bucket_start + interval 7 days
        when 'monthly' then bucket_start + interval 1 month
    end > cast(cast(? as timestamptz) as timestamp) as is_partial
"""


# Sums, watermarks and bounds that models need to merge and refresh rows; no reader's business.
_READABLE: Final = """
    columns(lambda c: c not in (
        'duration_sum_ms', 'success_duration_n', 'success_duration_sum_ms',
        'followup_sum', 'followup_sumsq', 'followup_positive_n',
        'bucket_end', 'load_seq', 'refreshed_at'
    ))
"""


def read_top(
    snapshot: Snapshot,
    scope: Scope,
    period: Period,
    rank: str,
    limit: int,
    min_success_rate: float | None = None,
) -> Answer:
    """The first skills of each bucket by one of the ranks of `top_skills`, newest bucket first."""
    condition, values = _buckets(snapshot, scope, period)
    if min_success_rate is not None:
        # Rounded as the models compare thresholds; a rank by quality means enough outcomes.
        condition += (
            " and rank_by_quality is not null and round(success_rate, 9) >= round(?::double, 9)"
        )
        values = [*values, min_success_rate]
    return read_answer(
        snapshot,
        f"""
        select *, {_IS_PARTIAL}
        from marts.top_skills
        where {rank} is not null and {condition}
        qualify row_number() over (partition by bucket_start order by {rank}) <= ?
        order by bucket_start desc, {rank}
        """,
        [snapshot.build.as_of, *values, limit],
    )


def read_history(snapshot: Snapshot, scope: Scope, period: Period, skill: str) -> Answer:
    """Buckets of one skill, oldest first; all of them unless the period names some."""
    condition, values = _range(period)
    return read_answer(
        snapshot,
        f"""
        select {_READABLE}, {_IS_PARTIAL}
        from marts.skill_aggregates
        where project_id = ? and time_window = ? and skill_name = ? and {condition}
        order by bucket_start
        """,
        [snapshot.build.as_of, scope.project_id, period.window, skill, *values],
    )


def read_effectiveness(snapshot: Snapshot, scope: Scope, skill: str | None) -> Answer:
    """Effectiveness over all time, most used first."""
    return read_answer(
        snapshot,
        """
        select *
        from marts.skill_effectiveness
        where project_id = ? and (? is null or skill_name = ?)
        order by total_invocations desc, skill_name
        """,
        [scope.project_id, skill, skill],
    )


def read_insights(snapshot: Snapshot, scope: Scope, skill: str | None) -> Answer:
    """Insights, most urgent first."""
    return read_answer(
        snapshot,
        """
        select *
        from marts.skill_insights
        where project_id = ? and (? is null or skill_name = ?)
        order by
            case priority when 'high' then 1 when 'medium' then 2 else 3 end,
            skill_name,
            insight
        """,
        [scope.project_id, skill, skill],
    )


def read_comparison(snapshot: Snapshot, skill: str) -> Answer:
    """One skill in each project, best first; with the projects' names."""
    return read_answer(
        snapshot,
        """
        select projects.project_name, compared.*
        from marts.skill_project_comparison as compared
        left join marts.dim_projects as projects on compared.project_id = projects.project_id
        where compared.skill_name = ?
        order by compared.shrunk_rank
        """,
        [skill],
    )


def read_costs(snapshot: Snapshot, scope: Scope, skill: str | None) -> Answer:
    """What skills cost by each rule, the dearest first; the rules in the order of their width."""
    values: list[Any] = [scope.project_id]
    condition = "project_id = ?"
    if skill is not None:
        condition += " and skill_name = ?"
        values.append(skill)
    return read_answer(
        snapshot,
        f"""
        select * replace (
            cast(cost_usd as double) as cost_usd,
            cast(lowest_cost_usd as double) as lowest_cost_usd,
            cast(highest_cost_usd as double) as highest_cost_usd,
            cast(cost_spread_usd as double) as cost_spread_usd
        )
        from marts.skill_attribution
        where {condition}
        order by
            highest_cost_usd desc nulls last, skill_name,
            list_position(
                ['stamp', 'until_prompt', 'until_next_skill', 'subagents_only', 'session_share'],
                rule
            )
        """,
        values,
    )


def read_totals(snapshot: Snapshot, scope: Scope, period: Period) -> Answer:
    """Totals over all skills of a scope, per bucket."""
    condition, values = _buckets(snapshot, scope, period)
    return read_answer(
        snapshot,
        f"""
        select {_READABLE}, {_IS_PARTIAL}
        from marts.skill_totals
        where {condition}
        order by bucket_start
        """,
        [snapshot.build.as_of, *values],
    )


def check_skill(snapshot: Snapshot, scope: Scope, name: str) -> None:
    """Refuse a skill that this scope never used.

    Raises:
        UnknownNameError: With the names near to it.
    """
    reads.note_subject("skill")
    where = "from marts.skill_aggregates where project_id = ? and time_window = 'all'"
    is_known = (
        is_bindable(name)
        and read_answer(
            snapshot, f"select 1 {where} and skill_name = ?", [scope.project_id, name]
        ).rows
    )
    if not is_known:
        rows = read_answer(snapshot, f"select skill_name {where}", [scope.project_id]).rows
        said = unknown_name("skill", name, [row[0] for row in rows], "agentledger skills top")
        place = f" in project {scope.project_name!r}" if scope.project_name else ""
        raise UnknownNameError(said.replace(f"{name!r}.", f"{name!r}{place}.", 1))
    reads.note_subject("skill", name)


def newest_bucket(snapshot: Snapshot, scope: Scope, window: str) -> date | None:
    """Start of the newest bucket of a scope; None when it has none."""
    rows = read_answer(
        snapshot,
        "select max(bucket_start) from marts.skill_aggregates "
        "where project_id = ? and time_window = ?",
        [scope.project_id, window],
    ).rows
    return rows[0][0]


def is_bindable(text: str) -> bool:
    """Whether a text can be a name at all: bytes of an argument that are not UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _buckets(snapshot: Snapshot, scope: Scope, period: Period) -> tuple[str, list[Any]]:
    """Condition for the buckets of a period: those named, else the newest."""
    if not period.is_range and period.bucket is None:
        # As a literal and not as a subquery: it is pushed below the ranking of the view.
        period = Period(period.window, newest_bucket(snapshot, scope, period.window))
    condition, values = _range(period)
    return (
        f"project_id = ? and time_window = ? and {condition}",
        [scope.project_id, period.window, *values],
    )


def _range(period: Period) -> tuple[str, list[Any]]:
    parts, values = ["true"], []
    for comparison, day in (("=", period.bucket), (">=", period.since), ("<", period.until)):
        if day is not None:
            parts.append(f"bucket_start {comparison} ?")
            values.append(day)
    return " and ".join(parts), values
