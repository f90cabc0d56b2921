"""dbt as the assets of a run see it.

Belongs here: the resource, and the events that dagster-dbt makes of its output. Does not belong
here: the child process (`dbt_process.py`), the project and its arguments (`dbt_project.py`).
"""

import contextlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.metadata import version as installed_version
from pathlib import Path

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource, DbtProject
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from packaging.version import Version
from pydantic import PrivateAttr

from agentledger.settings import Settings
from orchestration import dbt_process, interrupts
from orchestration.manifest import dbt_executable


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
        exclude: Sequence[str] = (),
    ) -> DbtCliInvocation:
        """Run dbt once, for the selected assets of the step.

        Args:
            args: Complete arguments, without a selection.
            context: The step's, whose selected assets and checks dbt builds.
            target_path: Folder of this invocation.
            raise_on_error: Raise at the end of the stream when dbt fails.
            select: Nodes to build, with their tests, in place of all that the step may build.
            exclude: Of all that the step may build, what to leave out.
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
            if exclude:
                arguments += ["--exclude", *exclude]
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
