"""What the assets of a run share: the run itself and the warehouse.

Belongs here: resources, each of them short-lived state of one run. Does not belong here: dbt
(`dbt_resource.py`), what a run is for (`run_scope.py`), what is collected, built or published
(`agentledger/`, `models/`), assets.

`LedgerRun` is set up once per run, before its first step, and torn down after its last, because the
whole code location uses the in-process executor; so the run lock is held for the whole run.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Set
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource
from pydantic import PrivateAttr

from agentledger import status, warehouse
from agentledger.errors import RunLockedError
from agentledger.settings import LOCK_WAIT_SECONDS, Settings
from orchestration import clock, interrupts, progress
from orchestration.outcome import failure_of
from orchestration.run_scope import is_docs_only, is_whole_run, trigger_of


class LedgerRun(dg.ConfigurableResource):
    """One run on one data home: its lock, its instant, its entry in status.json."""

    home: str
    host_zone: str
    as_of_override: str | None = None
    lock_wait_seconds: float = LOCK_WAIT_SECONDS

    _run_id: str = PrivateAttr(default="")
    _as_of: datetime | None = PrivateAttr(default=None)
    _built: bool = PrivateAttr(default=False)
    _is_whole: bool = PrivateAttr(default=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> "LedgerRun":
        """The resource of a data home."""
        return cls(
            home=str(settings.home),
            host_zone=settings.host_zone,
            as_of_override=settings.as_of_override,
        )

    @property
    def settings(self) -> Settings:
        """The data home this run writes to."""
        return Settings(
            home=Path(self.home), host_zone=self.host_zone, as_of_override=self.as_of_override
        )

    @property
    def run_id(self) -> str:
        """Dagster's id of this run, the one in every raw row and in the published build."""
        return self._run_id

    @property
    def as_of(self) -> datetime:
        """The instant all numbers of this run describe, UTC; retried steps see the same one."""
        if self._as_of is None:
            raise AssertionError("a run has an instant only between its start and its end")
        return self._as_of

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["LedgerRun"]:
        """Hold the run lock and keep status.json for as long as the run lasts.

        Raises:
            RunLockedError: When another run holds the lock for too long.
        """
        run = context.run
        if run is None or context.instance is None:
            yield self
            return
        warehouse.prepare_home(self.settings)
        with warehouse.hold_run_lock(
            self.settings, self.lock_wait_seconds, on_wait=lambda: _say_waiting(context, self.home)
        ):
            started_at = datetime.now(UTC)
            self._run_id = run.run_id
            self._as_of = clock.as_of(self.as_of_override, started_at)
            if is_docs_only(run):
                yield self
                return
            bury_crashed_run(self.settings, context.instance)
            status.begin_run(self.settings, run.run_id, trigger_of(run.tags), started_at)
            status.record_facts(self.settings, as_of=self._as_of.isoformat())
            failure: str | None = "the run was ended from outside"
            try:
                yield self
                failure = failure_of(context.instance, run.run_id)
            finally:
                interrupts.stop_asking()
                state = "failed" if failure else "succeeded"
                status.end_run(self.settings, state, datetime.now(UTC), error=failure)

    def step(self, name: str) -> None:
        """Say what the run is doing, in status.json and to whoever listens."""
        status.set_step(self.settings, name)
        progress.listener().step(name)

    def judge_extent(self, run: dg.DagsterRun, models: Set[dg.AssetKey]) -> bool:
        """Find out whether this run collects, builds every model and publishes.

        Only such a run removes rows: a model that is left out would keep what went from raw.

        Args:
            run: This run.
            models: Every model of the project.
        """
        self._is_whole = is_whole_run(run, models)
        return self._is_whole

    @property
    def is_whole(self) -> bool:
        """Whether this run was found to be a whole one."""
        return self._is_whole

    def mark_built(self) -> None:
        """Remember that dbt built and tested all it was asked to, in this very run."""
        self._built = True

    @property
    def is_built(self) -> bool:
        """Whether this run may publish."""
        return self._built


def bury_crashed_run(settings: Settings, instance: dg.DagsterInstance) -> None:
    """Tell Dagster that a killed run has ended; the caller holds the lock, so nobody else does."""
    crashed = status.read_status(settings).current_run
    run = instance.get_run_by_id(crashed["run_id"]) if crashed else None
    if run is not None and not run.is_finished:
        instance.report_run_failed(run, "The process of this run was killed. Nothing is lost.")


class WarehouseResource(DuckDBResource):
    """`dagster-duckdb`'s resource on the warehouse: connections of one step, in UTC."""

    spill_dir: str

    @classmethod
    def from_settings(cls, settings: Settings) -> "WarehouseResource":
        """The warehouse of a data home; nothing is opened."""
        return cls(database=str(settings.warehouse_path), spill_dir=str(settings.spill_dir))

    @contextlib.contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the warehouse, with the raw schema in it, for the length of a `with` block.

        Raises:
            RunLockedError: When another process keeps the file; the base class retries for minutes.
        """
        try:
            opened = super().get_connection()
            connection = opened.__enter__()
        except duckdb.IOException as error:
            raise RunLockedError(
                f"Another process keeps {self.database} open: {error}. End it, then try again."
            ) from error
        try:
            warehouse.configure(connection, Path(self.spill_dir))
            warehouse.create_raw_schema(connection)
            yield connection
        finally:
            # The base class closes only when nothing was raised: a lock left behind blocks dbt.
            connection.close()


def _say_waiting(context: dg.InitResourceContext, home: str) -> None:
    message = f"Another run is writing to {home}; waiting for it to end (process {os.getpid()})."
    if context.log is not None:
        context.log.info(message)
    sys.stderr.write(message + "\n")
