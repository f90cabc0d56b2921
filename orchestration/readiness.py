"""Whether an automatic run should start now.

Belongs here: the one condition that schedules and sensors share. Does not belong here: what counts
as new (`agentledger/ingest/plan.py`), when to ask (`schedules.py`, `sensors.py`).
"""

from agentledger import registry, warehouse
from agentledger.errors import RunLockedError
from agentledger.ingest.plan import new_work
from agentledger.settings import Settings

NOTHING_NEW = "Nothing is new since the last run."


def reason_to_skip_tick(settings: Settings) -> str | None:
    """Why a tick of what ages by the clock would be of no use now; None when it should start.

    It is for the time in which nothing arrives: what is new makes a whole run, which takes all that
    ages along.
    """
    if not settings.published_pointer.exists():
        return "Nothing is published yet."
    reason = reason_to_skip(settings)
    if reason is None:
        return "Something is new: a whole run takes the windows along."
    return None if reason == NOTHING_NEW else reason


def reason_to_skip(settings: Settings) -> str | None:
    """Why an automatic run would be of no use now; None when it should start.

    Level-triggered: it asks the ledger what is unread, unbuilt or unpublished and remembers nothing
    itself, so a tick that failed or was missed is made up for by the next.
    """
    config = registry.load_config(settings)
    if not registry.has_sources(settings, config) and not settings.warehouse_path.exists():
        return "Nothing is registered yet. Type `agentledger register PATH`."
    warehouse.prepare_home(settings)
    try:
        # Held while asking: the question opens the warehouse, and a run that starts in the same
        # moment waits those milliseconds instead of finding the file taken.
        with warehouse.hold_run_lock(settings, wait_seconds=0):
            work = new_work(settings, is_automatic=True)
    except RunLockedError:
        return "A run is writing right now. The next tick asks again."
    return None if work.anything else NOTHING_NEW
