"""Child process of the benchmark: ingest every registered file into raw, with all guarantees.

Belongs here: one timed call of `collect`. Does not belong here: Dagster, dbt.
"""

import json
import time
from datetime import UTC, datetime

from agentledger import settings, warehouse
from agentledger.ingest import collect


def main() -> None:
    """Seconds run from opening the warehouse to the closed file, as for the yardstick."""
    own = settings.load_settings()
    started = time.perf_counter()
    with warehouse.hold_run_lock(own), warehouse.open_warehouse(own) as connection:
        report = collect.collect(own, connection, run_id="benchmark", as_of=datetime.now(UTC))
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, **report.totals()}))


if __name__ == "__main__":
    main()
