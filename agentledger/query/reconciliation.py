"""Where two sources tell of one thing: what each says, and how far apart they are.

Belongs here: which rows of `reconciliation` are asked for. Does not belong here: any figure of it.
"""

from agentledger.query.answers import Answer, read_answer
from agentledger.query.scope import ALL_PROJECTS, find_scope
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.snapshot import open_snapshot


@recorded("usage reconcile")
def reconciliation(
    project: str | None = None, only_gaps: bool = False, *, settings: Settings | None = None
) -> Answer:
    """Figures that two sources tell of: of a session, or of what calls cost.

    Args:
        project: Name, id or path; all projects by default.
        only_gaps: Leave out what lies within the tolerance.
        settings: Names the data home; read from the environment by default.

    Raises:
        UnknownNameError: When the project is unknown.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        scope = find_scope(snapshot, settings, project)
        return read_answer(
            snapshot,
            """
            select comparison, project_id, project_name, session_key, model, occurred_on,
                first_source, second_source, measure, calls, first_value, second_value, gap,
                gap_share, is_within_tolerance
            from marts.reconciliation
            left join (select project_id, project_name from marts.dim_projects)
                using (project_id)
            where ? in (project_id, ?)
                and not (? and is_within_tolerance)
            order by comparison desc, gap_share desc nulls last, reconciliation_key, measure
            """,
            [scope.project_id, ALL_PROJECTS, only_gaps],
        )
