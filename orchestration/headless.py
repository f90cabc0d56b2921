"""One run without the UI.

Belongs here: the order of a headless run, from preparing the data home to the exit code. Does not
belong here: what the steps do (`assets/`), the arguments of the command (`__main__.py`).

Time to the first record matters, so the order is: ask the ledger, start dbt, then import Dagster
while dbt loads.
"""

import contextlib
import gc
import os
import uuid
from datetime import UTC, datetime
from typing import Any

from agentledger import registry, status, warehouse
from agentledger.errors import AgentLedgerError, RunLockedError
from agentledger.ingest.plan import NewWork, new_work
from agentledger.settings import Settings
from orchestration import dbt_process, instance, interrupts, manifest, progress, terminal

EXIT_DONE = 0
EXIT_FAILED = 1


def run(settings: Settings, *, full_refresh: bool, trigger: str, as_json: bool) -> int:
    """Collect, build, test and publish, when there is anything to do.

    Args:
        settings: The data home.
        full_refresh: Rebuild every model from all of raw, even when nothing is new.
        trigger: What started the run, for status.json and the UI.
        as_json: Print the outcome as JSON instead of the summary.

    Returns:
        The exit code: 0 done, 1 failed.

    Raises:
        AgentLedgerError: When there is nothing that a run could work on.
    """
    screen = terminal.Terminal()
    warehouse.prepare_home(settings)
    run_id = str(uuid.uuid4())
    work = pending_work(settings, trigger, full_refresh=full_refresh)
    # An instant that was asked for is a reason of its own: windows at that instant.
    job = "refresh"
    if not work.anything and settings.as_of_override is not None:
        work, job = NewWork([f"the windows at {settings.as_of_override}"]), "agent_evolution"
    if not work.anything:
        outcome = terminal.outcome_of(
            screen, run_id=run_id, state="nothing_new", error=None, home=str(settings.home)
        )
    else:
        screen.say(f"run {run_id[:8]}: {'; '.join(work.reasons)}")
        outcome = execute(
            settings, run_id, trigger, full_refresh=full_refresh, screen=screen, job=job
        )
    terminal.write(outcome, as_json=as_json)
    return EXIT_FAILED if outcome["state"] == "failed" else EXIT_DONE


def pending_work(settings: Settings, trigger: str, *, full_refresh: bool) -> NewWork:
    """Ask the ledger what there is to do; remember in status.json that it was asked.

    Raises:
        AgentLedgerError: When nothing is registered and nothing was ever collected.
    """
    config = registry.load_config(settings)
    if not registry.has_sources(settings, config) and not settings.warehouse_path.exists():
        raise AgentLedgerError(
            "Nothing is registered, so there is nothing to collect. Type `agentledger register "
            "PATH` for a project whose metrics may be read, then `agentledger run`."
        )
    if full_refresh:
        return NewWork(["full refresh asked for"])
    try:
        with warehouse.hold_run_lock(settings, wait_seconds=0):
            work = new_work(settings)
            if not work.anything:
                status.record_nothing_new(settings, datetime.now(UTC), trigger)
            return work
    except RunLockedError:
        # The run itself waits at the lock, and says so.
        return NewWork(["another run is writing"])


def execute(
    settings: Settings,
    run_id: str,
    trigger: str,
    *,
    full_refresh: bool,
    screen: terminal.Terminal,
    job: str = "refresh",
) -> dict[str, Any]:
    """Execute a job in this process, against the instance that the UI shows.

    Returns:
        The facts of the run.
    """
    if manifest.prepare_manifest(settings):
        screen.say("the models were parsed anew")
    progress.listen(screen)
    error: str | None = None
    with interrupts.ends_on_signals() as asked_to_end:
        try:
            dbt_process.start_spare(settings)
            error = execute_job(settings, run_id, trigger, full_refresh=full_refresh, job=job)
        except interrupts.EndAskedError:
            asked_to_end.set()
        finally:
            interrupts.stop_asking()
            if asked_to_end.is_set():
                error = interrupts.WORDS
            dbt_process.end_spare()
            progress.listen(progress.Listener())
    return terminal.outcome_of(
        screen,
        run_id=run_id,
        state="failed" if error else "succeeded",
        error=error,
        home=str(settings.home),
    )


def execute_job(
    settings: Settings, run_id: str, trigger: str, *, full_refresh: bool, job: str = "refresh"
) -> str | None:
    """Run the job and say what failed, or None."""
    # Not at the top: dbt's child loads while these import. What is imported stays, and collecting
    # it over and over costs a fifth of the time.
    gc.disable()
    from orchestration.definitions import build_defs
    from orchestration.outcome import failure_of
    from orchestration.run_scope import FULL_REFRESH_TAG, TRIGGER_TAG

    gc.freeze()
    gc.enable()

    instance.prepare_dagster_home(settings)
    tags = {TRIGGER_TAG: trigger, FULL_REFRESH_TAG: str(full_refresh).lower()}
    with (
        instance.open_instance(settings) as opened,
        # dbt's log goes to its own file; standard output is for the summary.
        open(os.devnull, "w") as nowhere,  # noqa: PTH123 - not a path of ours
        contextlib.redirect_stdout(nowhere),
    ):
        resolved = build_defs(settings=settings).resolve_job_def(job)
        result = resolved.execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=opened,
            raise_on_error=False,
            run_id=run_id,
            tags=tags,
        )
        return None if result.success else failure_of(opened, run_id) or "the run failed"
