"""Questions about projects and the freshness of what is known of them.

Belongs here: reading `dim_projects` and `data_freshness`. Does not belong here: what is registered
(`registry.py`), finding the project that an argument means (`scope.py`).
"""

from agentledger.query.answers import Answer, read_answer
from agentledger.reads import recorded
from agentledger.settings import Settings
from agentledger.snapshot import Snapshot, open_snapshot


@recorded("projects")
def known_projects(*, settings: Settings | None = None) -> Answer:
    """The projects that the current snapshot knows, by name.

    Raises:
        NothingPublishedError: When no run has published yet.
    """
    with open_snapshot(settings) as snapshot:
        return read_projects(snapshot)


@recorded("freshness")
def data_freshness(*, settings: Settings | None = None) -> Answer:
    """How old the newest event of each project is, at the snapshot's instant.

    Raises:
        NothingPublishedError: When no run has published yet.
    """
    with open_snapshot(settings) as snapshot:
        return read_freshness(snapshot)


def read_projects(snapshot: Snapshot) -> Answer:
    """`dim_projects`, all columns; without the ledger's own folders that hold no use of a skill."""
    return read_answer(
        snapshot,
        """
        select *
        from marts.dim_projects
        where project_type is distinct from 'own' or total_invocations > 0
        order by project_name, project_id
        """,
    )


def read_freshness(snapshot: Snapshot) -> Answer:
    """`data_freshness`, all columns, with the projects' names; the oldest event first."""
    return read_answer(
        snapshot,
        """
        select projects.project_name, freshness.*
        from marts.data_freshness as freshness
        left join marts.dim_projects as projects on freshness.project_id = projects.project_id
        order by freshness.last_event_at nulls first, freshness.project_id
        """,
    )
