"""Moving the ledger's instant on when nothing new arrived.

Belongs here: the one row of `raw.run_context`, for a run that builds nothing but what ages by the
clock. Does not belong here: which models those are (their dbt tag `as_of`), when a tick runs
(`orchestration/schedules.py`), collecting (`ingest/collect.py`).
"""

from datetime import datetime

import duckdb

from agentledger import fingerprints, purge
from agentledger.errors import PublishRefusedError
from agentledger.settings import Settings


def advance(
    settings: Settings, connection: duckdb.DuckDBPyConnection, *, run_id: str, as_of: datetime
) -> None:
    """Make this run the one whose build may be published, at another instant.

    Only from rows that are all built and published: a part of the models built from newer rows
    would stand beside others that do not know them.

    Args:
        settings: Names the data home.
        connection: The warehouse, opened for writing.
        run_id: The run.
        as_of: Its instant; may lie before that of the last build (replay).

    Raises:
        PublishRefusedError: When something is not built or not published yet.
    """
    built = fingerprints.context_of_warehouse(connection)
    if (
        built is None
        or built != fingerprints.context_of_published(settings)
        or built.models != fingerprints.models_fingerprint()
        or purge.is_pending(settings)
    ):
        raise PublishRefusedError(
            "What lies in the ledger is not all built and published, so its windows alone cannot "
            "move on. Type `agentledger run`."
        )
    # Nothing else: what a run looks for since its predecessor, such as a price that began, is not
    # looked for here.
    connection.execute("update raw.run_context set run_id = ?, as_of = ?", [run_id, as_of])
