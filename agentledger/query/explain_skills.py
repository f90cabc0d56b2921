"""From the uses of a skill on a day back to the records that they were made of.

Belongs here: which records stand behind that number. Does not belong here: which record counts (the
models decide; each says why), tokens (`explain.py`), printing (`cli/explain.py`).
"""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from agentledger.query.scope import ALL_PROJECTS, UnknownNameError
from agentledger.query.warehouse_rows import (
    COUNTS_ELSEWHERE,
    opened,
    parse_day,
    project_id,
    read_rows,
)
from agentledger.reads import note_subject, recorded
from agentledger.settings import Settings, load_settings

_OUTCOMES: Final = ("success", "failure", "unknown")

_SKILL_ROWS: Final = f"""
    with counted as (
        select facts.usage_key from marts.fct_skill_invocations as facts
        inner join raw.projects as projects on projects.project_id = facts.project_id
        where projects.is_active and facts.skill_name = $skill and facts.invoked_on = $day
            and not facts.ts_suspicious and $project in (facts.project_id, '{ALL_PROJECTS}')
    ),

    versions as (
        select
            usage_key, source_kind, file_id, line_no, ordinal, drop_reason, outcome, skill_name,
            project_id, invoked_on, occurred_at
        from intermediate.int_skill_invocation_versions
    )

    select
        files.path as file_path, versions.line_no, versions.ordinal, versions.source_kind,
        coalesce(files.variant, files.format) as format,
        case
            when versions.drop_reason is not null then versions.drop_reason
            when counted.usage_key is null then '{COUNTS_ELSEWHERE}'
            else 'kept'
        end as verdict,
        cast(versions.usage_key as varchar) as usage_key, versions.skill_name, versions.outcome,
        projects.project_name, versions.occurred_at
    from versions
    left join counted on counted.usage_key = versions.usage_key
    left join raw.projects as projects on projects.project_id = versions.project_id
    left join raw.files as files on files.file_id = versions.file_id
    where counted.usage_key is not null
        or (versions.skill_name = $skill and versions.invoked_on = $day
            and $project in (versions.project_id, '{ALL_PROJECTS}'))
    order by min(versions.occurred_at) over (partition by versions.usage_key), usage_key,
        verdict, file_path, versions.line_no, versions.ordinal
"""
_SKILL_FIGURE: Final = """
    select
        total_invocations as total, successful_completions as success,
        failed_invocations as failure, unknown_outcomes as unknown
    from marts.skill_aggregates
    where skill_name = $skill and project_id = $project and time_window = 'daily'
        and bucket_start = $day
"""


@recorded("explain skill")
def explain_skill(
    skill: str,
    day: date | str,
    project: str | None = None,
    *,
    on_wait: Callable[[], None] | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Every record behind the uses of a skill on a day (UTC).

    Args:
        skill: Its name.
        day: UTC day.
        project: Name, id or path; all projects by default.
        on_wait: Called once when another run holds the warehouse.
        settings: Names the data home; read from the environment by default.

    Returns:
        `uses` (naive, dropped, kept and the mart's figure), `outcomes`, `verdicts`, `rows`,
        `agrees`. A row names its file and its line; `ordinal` counts from 0 the records of that
        line, or of the whole file where `line_no` is None: a document or a store has no lines.

    Raises:
        UsageError: When the day cannot be read.
        UnknownNameError: When no record of the skill is known on that day.
        RunLockedError: When another run does not end.
        AgentLedgerError: When there is no warehouse, or it was never built.
    """
    settings = load_settings() if settings is None else settings
    values = {"skill": skill, "day": parse_day(day), "project": project_id(settings, project)}
    with opened(settings, on_wait) as connection:
        rows = read_rows(connection, _SKILL_ROWS, values)
        figures = read_rows(connection, _SKILL_FIGURE, values)
    if not rows:
        raise UnknownNameError(
            f"No record of a skill {skill!r} is known on {values['day']}. `agentledger skills "
            f"top --bucket {values['day']}` lists those of the day."
        )
    note_subject("skill", skill)
    figure = figures[0] if figures else dict.fromkeys(("total", *_OUTCOMES), 0)
    kept = [row for row in rows if row["verdict"] == "kept"]
    outcomes = {
        name: {"kept": sum(row["outcome"] == name for row in kept), "figure": figure[name]}
        for name in _OUTCOMES
    }
    uses = {
        "naive": len(rows),
        "dropped": len(rows) - len(kept),
        "kept": len(kept),
        "figure": figure["total"],
    }
    agrees = uses["kept"] == uses["figure"] and all(
        item["kept"] == item["figure"] for item in outcomes.values()
    )
    verdicts: dict[str, int] = {}
    for row in rows:
        verdicts[row["verdict"]] = verdicts.get(row["verdict"], 0) + 1
    return {
        "skill": skill,
        "day": str(values["day"]),
        "project_id": values["project"],
        "uses": uses,
        "outcomes": outcomes,
        "verdicts": [{"verdict": name, "rows": n} for name, n in sorted(verdicts.items())],
        "agrees": agrees,
        "rows": rows,
    }
