"""`unregister … --purge` and `source remove … --purge`: asking, starting, telling.

Belongs here: what a person reads and answers. Does not belong here: what goes (`agentledger.purge`
and its neighbours), the commands themselves (`cli/projects.py`, `cli/sources.py`).
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from agentledger.errors import UsageError
from agentledger.settings import Settings

if TYPE_CHECKING:
    from agentledger.purge_targets import PurgeTarget

FindTarget = Callable[[], "PurgeTarget"]


def purge(
    settings: Settings, find: FindTarget, unregister: Callable[[str], object], *, yes: bool
) -> None:
    """Remove a project or source with everything the ledger holds of it.

    Args:
        settings: The data home.
        find: Finds what is meant; called under the run lock.
        unregister: Takes the entry at a path out of config.toml.
        yes: Do not ask.
    """
    from agentledger import purge_requests, warehouse
    from agentledger.cli import output

    warehouse.prepare_home(settings)
    with warehouse.hold_run_lock(
        settings, on_wait=lambda: output.write_note("Another run is writing; waiting for it.")
    ):
        target = find()
    path = str(target.request.path)
    if not target.is_read:
        unregister(path)
        output.write_line(
            f"Unregistered {output.text_of(target.name)}. Nothing of it was ever read."
        )
        return
    _tell(target)
    if not yes:
        _ask()
    # From here on the next run completes it, whatever happens to this process.
    request = purge_requests.write_request(settings, target.request)
    if target.is_registered:
        unregister(path)
    purge_requests.mark_unregistered(settings, request)
    output.write_line("The purge is written down; removing.")
    code = _run(settings)
    _tell_outcome(settings, request.request_id)
    raise typer.Exit(code)


def _tell(target: "PurgeTarget") -> None:
    from agentledger.cli import output

    output.write_line(
        f"This removes for good what the ledger holds of {output.text_of(target.name)} "
        f"({output.text_of(str(target.request.path))}):"
    )
    rows = {table: count for table, count in target.rows.items() if count}
    counted = ", ".join(f"{output.count(count)} of {table}" for table, count in rows.items())
    output.write_line(f"  raw rows: {counted or 'none'}")
    output.write_line("  its share of every number: all models are built anew and published")
    output.write_line(
        "  whatever may quote it: older builds, exports, logs of dbt, the history of earlier runs "
        "in the Dagster UI"
    )
    output.write_line("The project's own files are not touched.")
    if target.outer_project:
        output.write_note(
            f"Note: it lies inside the registered project {target.outer_project}, whose next run "
            "reads these files as its own. Unregister that one, too, if they shall stay unread."
        )


def _ask() -> None:
    if not sys.stdin.isatty():
        raise UsageError("A purge cannot be undone. Add --yes to purge without being asked.")
    if not typer.confirm("Remove it?", default=False):
        from agentledger.cli import output

        output.write_line("Nothing was removed.")
        raise typer.Exit(1)


def _run(settings: Settings) -> int:
    """Start the run that removes, and wait for it: what went is told afterwards."""
    import subprocess

    from agentledger.settings import process_environment

    sys.stdout.flush()
    command = [sys.executable, "-P", "-m", "orchestration", "run", "--trigger=purge"]
    environment = process_environment(settings, {})
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


def _tell_outcome(settings: Settings, request_id: str) -> None:
    from agentledger import purge as purges
    from agentledger import status
    from agentledger.cli import output

    for entry in status.read_status(settings).purges:
        if entry["purge_id"] == request_id:
            words = purges.in_words(entry)
            output.write_line(words[:1].upper() + words[1:] + ".")
            removed = [[table, output.count(n)] for table, n in entry["rows_removed"].items()]
            if removed:
                output.write_table(["raw table", "rows removed"], removed, numeric=["rows removed"])
            return
    output.write_note("The purge is not complete yet. Type: agentledger run")
