"""The Dagster instance of a data home.

Belongs here: preparing DAGSTER_HOME before anything opens it, opening it for a headless run. Does
not belong here: what the instance keeps (`dagster.yaml` is the template).
"""

import functools
import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock

from agentledger.settings import Settings
from orchestration.manifest import REPO_ROOT

if TYPE_CHECKING:
    import dagster as dg

TEMPLATE = REPO_ROOT / "dagster.yaml"
HEADLESS_CONFIG = "headless.yaml"
PREPARE_WAIT_SECONDS = 60.0
"""Creating the databases takes a second or two."""

HEADLESS_ADDITION = """
# Added for runs without the UI: capturing their output costs four processes per run, and all of
# dbt's output is in its own log.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


DAGSTERS_EVENT_LOG = """\
  module: dagster._core.storage.event_log
  class: ConsolidatedSqliteEventLogStorage
"""
HEADLESS_EVENT_LOG = """\
  module: orchestration.event_log
  class: KeptConnectionEventLog
"""
"""The same database, with one connection for the whole run."""


def prepare_dagster_home(settings: Settings) -> None:
    """Write the configuration and create the databases, once, before two processes meet there.

    Two processes that both create the tables of a fresh DAGSTER_HOME fail one another.
    """
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A path is text in YAML's double quotes, as it is in JSON.
    template = TEMPLATE.read_text().replace('"@DAGSTER_HOME@', json.dumps(str(home))[:-1])
    with filelock.FileLock(str(home / ".prepare.lock"), timeout=PREPARE_WAIT_SECONDS):
        _write_if_changed(home / "dagster.yaml", template)
        headless = template.replace(DAGSTERS_EVENT_LOG, HEADLESS_EVENT_LOG) + HEADLESS_ADDITION
        _write_if_changed(home / HEADLESS_CONFIG, headless)
        ready = home / ".ready"
        if not ready.exists():
            with open_instance(settings) as instance:
                # Each storage creates its tables when it is first asked something.
                instance.get_runs_count()
                instance.get_asset_keys(limit=1)
                instance.all_instigator_state()
            ready.touch()


def open_instance(settings: Settings) -> "dg.DagsterInstance":
    """Open the instance for a headless run; the UI shows its runs and events, too."""
    import dagster as dg

    _spare_the_disk()
    return dg.DagsterInstance.from_config(str(settings.dagster_home), HEADLESS_CONFIG)


@functools.cache
def _spare_the_disk() -> None:
    """Let SQLite leave the disk alone between two checkpoints: 5 ms per event instead of 30 to 50.

    Dagster commits several times per event, and a run has hundreds of events. In WAL mode `normal`
    cannot damage the database; a power cut loses the last seconds of the history, which nothing of
    the ledger is decided from.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def relax(connection: Any, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("pragma synchronous = normal")

    event.listen(Engine, "connect", relax)


def _write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
