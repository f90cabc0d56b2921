"""What the assets of a run share: the run itself, the warehouse, dbt.

Belongs here: resources, each of them short-lived state of one run. Does not belong here: what is
collected, built or published (`agentledger/`, `models/`), assets.

`LedgerRun` is set up once per run, before its first step, and torn down after its last, because the
whole code location uses the in-process executor; so the run lock is held for the whole run.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version as installed_version
from pathlib import Path

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource, DbtProject
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from dagster_duckdb import DuckDBResource
from packaging.version import Version
from pydantic import PrivateAttr

from agentledger import status, warehouse
from agentledger.errors import RunLockedError
from agentledger.settings import LOCK_WAIT_SECONDS, Settings
from orchestration import clock, dbt_process, interrupts, progress
from orchestration.manifest import dbt_executable
from orchestration.outcome import failure_of

DOCS = dg.AssetKey(["published", "docs"])
"""The docs site: a run of it alone collects nothing and is not the ledger's last run."""

SNAPSHOT = dg.AssetKey(["published", "snapshot"])
"""What readers open."""

WHOLE_RUN_STEPS = frozenset({"collect", "build", "published__snapshot"})
"""Steps that every whole run has."""

KNOWLEDGE = dg.AssetKey(["exports", "knowledge"])
"""What is made to be shared; a run of it alone only reads what is published."""

TICK_JOBS = frozenset({"agent_metrics", "agent_feedback", "agent_evolution"})
"""Jobs that build nothing but what ages by the clock, from rows that are built already."""

TRIGGER_TAG = "agentledger/trigger"
"""Run tag that says what started a run; without it, Dagster's own tags and then `ui` do."""

FULL_REFRESH_TAG = "agentledger/full_refresh"
"""Run tag `true`: rebuild the incremental models from all of raw."""


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


def trigger_of(tags: Mapping[str, str]) -> str:
    """Say what started a run: `cli`, `schedule:<name>`, `sensor:<name>` or `ui`."""
    if TRIGGER_TAG in tags:
        return str(tags[TRIGGER_TAG])
    for kind in ("schedule", "sensor"):
        if name := tags.get(f"dagster/{kind}_name"):
            return f"{kind}:{name}"
    return "ui"


def is_docs_only(run: dg.DagsterRun) -> bool:
    """Whether a run makes nothing but what is read from a finished build."""
    return run.job_name in ("docs", "knowledge_export") or (
        bool(run.asset_selection) and run.asset_selection <= {DOCS, KNOWLEDGE}
    )


def is_whole_run(run: dg.DagsterRun, models: Set[dg.AssetKey]) -> bool:
    """Whether a run leaves out nothing from collecting to publishing.

    Args:
        run: Started as the job `refresh`, or from a selection in the UI.
        models: Every model of the project.
    """
    steps = run.step_keys_to_execute
    if steps and not set(steps) >= WHOLE_RUN_STEPS:
        return False
    if run.asset_selection:
        return run.asset_selection >= models | {SNAPSHOT}
    return run.job_name == "refresh"


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


class LocalDbtResource(DbtCliResource):
    """`dagster-dbt`'s resource, without what leaves the machine and without its start-up cost.

    The base class asks `dbt --version`, which asks the package index for newer releases, and opens
    a second dbt in this process; here the version comes from the installed package and the child
    was started while the run ingested.
    """

    home: str
    host_zone: str

    _child: dbt_process.WarmDbt | None = PrivateAttr(default=None)
    _attempts: int = PrivateAttr(default=0)

    @classmethod
    def for_project(cls, project: DbtProject, settings: Settings) -> "LocalDbtResource":
        """The resource of a dbt project; the executable is the running interpreter's."""
        return cls(
            # Paths as text: that is what the fields of the base class are.
            project_dir=str(project.project_dir),
            profiles_dir=str(project.profiles_dir),
            dbt_executable=str(dbt_executable()),
            home=str(settings.home),
            host_zone=settings.host_zone,
        )

    @property
    def settings(self) -> Settings:
        """The data home whose warehouse dbt builds."""
        return Settings(home=Path(self.home), host_zone=self.host_zone)

    @cached_property
    def _cli_version(self) -> Version:
        return Version(installed_version("dbt-core"))

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["LocalDbtResource"]:
        """Warm dbt up while the first steps of the run work; end it when the run ends."""
        self._child = dbt_process.take(self.settings, Path(self.project_dir))
        try:
            yield self
        finally:
            interrupts.stop_asking()
            if self._child is not None:
                self._child.end()

    def new_target(self, run_id: str) -> Path:
        """Folder of the next invocation: log and compiled SQL; the last few runs are kept."""
        self._attempts += 1
        return dbt_process.run_target(self.settings, run_id, self._attempts)

    def cli(  # type: ignore[override]
        self,
        args: list[str],
        *,
        context: dg.AssetExecutionContext,
        target_path: Path,
        raise_on_error: bool = True,
        select: Sequence[str] | None = None,
    ) -> DbtCliInvocation:
        """Run dbt once, for the selected assets of the step.

        Args:
            args: Complete arguments, without a selection.
            context: The step's, whose selected assets and checks dbt builds.
            target_path: Folder of this invocation.
            raise_on_error: Raise at the end of the stream when dbt fails.
            select: Nodes to build, with their tests, in place of all that the step may build.
        """
        chosen = get_updated_cli_invocation_params_for_context(
            context=context, manifest={}, dagster_dbt_translator=DagsterDbtTranslator()
        )
        if select is not None:
            arguments = [*args, "--select", *select]
        else:
            arguments = [*args, *chosen.selection_args]
            if chosen.indirect_selection:
                arguments += ["--indirect-selection", chosen.indirect_selection]
        child = self._child
        if child is None or not child.is_waiting():
            child = dbt_process.WarmDbt(self.settings, Path(self.project_dir))
            self._child = child
        process = child.begin(arguments)
        # What a person would type to see the same; shown in the event log.
        process.args = [self.dbt_executable, *arguments]
        return DbtCliInvocation(
            process=process,
            manifest=chosen.manifest,
            dagster_dbt_translator=chosen.dagster_dbt_translator,
            project_dir=Path(self.project_dir),
            target_path=target_path,
            raise_on_error=raise_on_error,
            cli_version=self._cli_version,
            project=chosen.dbt_project,
            context=context,
        )


def _say_waiting(context: dg.InitResourceContext, home: str) -> None:
    message = f"Another run is writing to {home}; waiting for it to end (process {os.getpid()})."
    if context.log is not None:
        context.log.info(message)
    sys.stderr.write(message + "\n")
