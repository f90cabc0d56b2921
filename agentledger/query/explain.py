"""From a number back to the rows that it was made of, with file, line and the reason of each drop.

Belongs here: which rows stand behind the tokens of a session or a day. Does not belong here: which
row counts (the models decide; each row says why), skills (`explain_skills.py`), printing
(`cli/explain.py`).

What counts here and what only lies here are told apart. A line may repeat a response that another
session or another day owns: it is listed, and nothing of it counts here. So for every figure, naive
− dropped = kept, and kept is what the mart says.

The snapshot holds no path and no line, so this reads the warehouse, and takes the run lock like
everyone who does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from agentledger.errors import UsageError
from agentledger.query.scope import ALL_PROJECTS, UnknownNameError
from agentledger.query.warehouse_rows import (
    COUNTS_ELSEWHERE,
    opened,
    parse_day,
    project_id,
    read_rows,
)
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.zones import check_zone

if TYPE_CHECKING:
    import duckdb

MIN_KEY_LENGTH: Final = 8
"""Characters of a session key that are enough to find it: as many as lists show."""

TIERS: Final = ("input_fresh", "cache_write", "cache_read", "output")
_SESSIONS: Final = """
    with rows as (
        select
            lines.llm_call_key, lines.session_id, lines.is_owner,
            coalesce(folders.project_id, lines.source_project_id) as project_id
        from intermediate.int_llm_call_versions as lines
        left join raw.working_directories as folders on folders.workdir_id = lines.workdir_id
    )
    select
        rows.session_id, rows.project_id, any_value(projects.project_name) as project_name,
        coalesce(any_value(projects.is_active), false) as is_active,
        any_value(cast(facts.session_key as varchar)) as session_key
    from rows
    left join marts.fct_llm_calls as facts
        on facts.llm_call_key = rows.llm_call_key and rows.is_owner
    left join raw.projects as projects on projects.project_id = rows.project_id
    where rows.session_id = $1 or starts_with(cast(facts.session_key as varchar), $2)
    group by rows.session_id, rows.project_id
    order by 5 nulls last, 2
"""

_TIER_COLUMNS: Final = ", ".join(
    f"coalesce(lines.{tier}_tokens, 0) as {tier}_tokens, "
    f"case when calls.llm_call_key is null then 0 "
    f"else coalesce(lines.kept_{tier}_tokens, 0) end as kept_{tier}_tokens"
    for tier in TIERS
)
_USAGE_ROWS: Final = f"""
    with calls as (
        select facts.llm_call_key from marts.fct_llm_calls as facts where {{of_calls}}
    )
    select
        files.path as file_path, lines.line_no, lines.ordinal, lines.source_kind,
        case
            when lines.is_synthetic then 'synthetic'
            when lines.drop_reason is not null then lines.drop_reason
            when calls.llm_call_key is null then '{COUNTS_ELSEWHERE}'
            else 'kept'
        end as verdict,
        calls.llm_call_key is not null as is_of_this,
        cast(lines.llm_call_key as varchar) as llm_call_key, lines.session_id, lines.model,
        lines.occurred_at, {_TIER_COLUMNS}
    from intermediate.int_llm_call_versions as lines
    left join calls on calls.llm_call_key = lines.llm_call_key
    left join raw.working_directories as folders on folders.workdir_id = lines.workdir_id
    left join raw.files as files on files.file_id = lines.file_id
    where calls.llm_call_key is not null or ({{of_lines}})
    order by min(lines.occurred_at) over (partition by lines.llm_call_key), llm_call_key,
        lines.occurred_at, file_path, lines.line_no, lines.ordinal
"""
_USAGE_FIGURE: Final = """
    select
        calls, input_fresh_tokens, cache_read_tokens, output_tokens,
        cache_write_5m_tokens + cache_write_1h_tokens as cache_write_tokens
    from marts.usage_quarter_hours as facts
    where {of_figure}
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for: conditions on facts, on lines and on the mart, and their values."""

    calls: str
    lines: str
    figure: str
    values: Mapping[str, Any] = field(default_factory=dict)


@recorded("explain usage")
def explain_usage(
    session: str | None = None,
    day: date | str | None = None,
    project: str | None = None,
    zone: str = "UTC",
    *,
    on_wait: Callable[[], None] | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Every line behind the tokens of a session, or of a day.

    Args:
        session: Its id as the producer wrote it, or its `session_key`, or the first eight
            characters of that at least.
        day: Day of the zone; instead of a session.
        project: Name, id or path; all projects by default. With a day alone.
        zone: IANA zone whose day is meant.
        on_wait: Called once when another run holds the warehouse.
        settings: Names the data home; read from the environment by default.

    Returns:
        `tokens` (per tier: naive, dropped, kept, and the mart's figure), `verdicts`, `rows`,
        `calls`, `agrees` and `note`.

    Raises:
        UsageError: When not one of session and day is given, or several sessions are meant.
        UnknownNameError: When there is no such session or project.
        RunLockedError: When another run does not end.
        AgentLedgerError: When there is no warehouse, or it was never built.
    """
    if (session is None) == (day is None):
        raise UsageError("Give one of a session and a day.")
    if session is not None and project is not None:
        raise UsageError("A session has a project already. Leave the project out, or give a day.")
    check_zone(zone)
    settings = load_settings() if settings is None else settings
    asked_day = None if day is None else parse_day(day)
    scope = None if session is not None else project_id(settings, project)
    with opened(settings, on_wait) as connection:
        if session is not None:
            found = _find_session(connection, session.strip())
            asked = _of_session(found)
        else:
            found = {"day": str(asked_day), "zone": zone, "project_id": scope, "is_active": True}
            asked = _of_day(asked_day, zone, scope)
        sql = _USAGE_ROWS.format(of_calls=asked.calls, of_lines=asked.lines)
        rows = read_rows(connection, sql, asked.values)
        quarters = read_rows(connection, _USAGE_FIGURE.format(of_figure=asked.figure), asked.values)
    names = ("calls", *(f"{tier}_tokens" for tier in TIERS))
    figure = {name: sum(quarter[name] for quarter in quarters) for name in names}
    tokens = [_tier(tier, rows, figure) for tier in TIERS]
    calls = {row["llm_call_key"] for row in rows if row["is_of_this"]}
    note = None
    if not found.pop("is_active"):
        note = "Its project is not opted in, so that no figure counts these rows."
    return {
        **found,
        "calls": len(calls),
        "figure_calls": figure["calls"],
        "tokens": tokens,
        "verdicts": _verdicts(rows),
        "agrees": note is not None
        or (
            len(calls) == figure["calls"] and all(item["kept"] == item["figure"] for item in tokens)
        ),
        "note": note,
        "rows": rows,
    }


def _of_session(found: Mapping[str, Any]) -> _Asked:
    key = "facts.session_key = cast($session_key as uuid)"
    return _Asked(
        calls=key,
        lines="lines.session_id = $session_id and coalesce(folders.project_id, "
        "lines.source_project_id) = $project_id",
        figure=f"{key} and $session_id is not null and $project_id is not null",
        values={name: found[name] for name in ("session_key", "session_id", "project_id")},
    )


def _of_day(day: date | None, zone: str, project_id: str | None) -> _Asked:
    local = "cast(timezone($zone, {}) as date) = $day"
    scope = f"$project in ({{}}, '{ALL_PROJECTS}')"
    active = (
        "facts.project_id in (select project_id from raw.projects where is_active) and "
        + scope.format("facts.project_id")
    )
    place = "coalesce(folders.project_id, lines.source_project_id)"
    return _Asked(
        calls=f"{local.format('facts.occurred_at')} and not facts.ts_suspicious and {active}",
        lines=f"{local.format('lines.occurred_at')} and not lines.ts_suspicious and "
        f"{place} in (select project_id from raw.projects where is_active) and "
        + scope.format(place),
        figure=f"{local.format('facts.quarter_start')} and "
        f"facts.quarter_start <> make_timestamptz(0) and {scope.format('facts.project_id')}",
        values={"day": day, "zone": zone, "project": project_id},
    )


def _find_session(connection: "duckdb.DuckDBPyConnection", session: str) -> dict[str, Any]:
    prefix = session.lower() if len(session) >= MIN_KEY_LENGTH else "-"
    found = read_rows(connection, _SESSIONS, [session, prefix])
    if not found:
        raise UnknownNameError(
            f"There is no session {session!r} with model calls. Give its id as its producer wrote "
            "it, or the session key that `agentledger usage session` shows."
        )
    if len(found) > 1:
        listed = ", ".join(
            f"{row['session_key'] or row['session_id']} ({row['project_name']})"
            for row in found[:5]
        )
        raise UsageError(f"{len(found)} sessions are meant by {session!r}. Give a key: {listed}.")
    return found[0]


def _tier(
    tier: str, rows: Sequence[Mapping[str, Any]], figure: Mapping[str, Any]
) -> dict[str, Any]:
    naive = sum(row[f"{tier}_tokens"] for row in rows)
    kept = sum(row[f"kept_{tier}_tokens"] for row in rows)
    return {
        "tier": tier,
        "naive": naive,
        "dropped": naive - kept,
        "kept": kept,
        "figure": figure[f"{tier}_tokens"],
    }


def _verdicts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        item = found.setdefault(
            row["verdict"], {"verdict": row["verdict"], "rows": 0, "naive": 0, "kept": 0}
        )
        item["rows"] += 1
        item["naive"] += sum(row[f"{tier}_tokens"] for tier in TIERS)
        item["kept"] += sum(row[f"kept_{tier}_tokens"] for tier in TIERS)
    for item in found.values():
        item["dropped"] = item["naive"] - item["kept"]
    return sorted(found.values(), key=lambda item: (item["verdict"] != "kept", item["verdict"]))
