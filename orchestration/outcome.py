"""Why a finished run failed, in the words of whoever failed.

Belongs here: reading a run's events. Does not belong here: showing them (`terminal.py`).
"""

from typing import Any

import dagster as dg

from orchestration import interrupts


def failure_of(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """What the first thing that failed for good said; None when nothing did.

    Args:
        instance: Where the run's events are.
        run_id: The run, ended or about to end.
    """
    for kind in (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE):
        records = instance.get_records_for_run(run_id, of_type=kind, limit=1).records
        if records:
            return _words(records[0].event_log_entry.dagster_event)
    return None


def _words(event: Any) -> str:
    if event is None:
        return "a step failed without a word"
    data = event.event_specific_data
    failure = getattr(data, "user_failure_data", None)
    if failure is not None and failure.description:
        return str(failure.description).strip()
    error = getattr(data, "error", None)
    if error is not None and error.cls_name == "DagsterExecutionInterruptedError":
        return interrupts.WORDS
    message = root_message(error) or event.message or "unknown error"
    return f"{event.step_key}: {message}" if event.step_key else message


def root_message(error: Any) -> str:
    """The innermost message of a serialised error: the one that a person can act on."""
    if error is None:
        return ""
    while error.cause is not None:
        error = error.cause
    return str(error.message).strip()
