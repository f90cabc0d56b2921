"""The parent side of the warm dbt child.

Belongs here: starting the child early, keeping at most one spare, handing it its arguments, ending
it. Does not belong here: what runs inside it (`dbt_worker.py`), which arguments dbt gets
(`dbt_project.py`), events (`dbt_resource.py`). Imports no Dagster, so that the headless run can
start dbt before it imports Dagster: the two then load side by side.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from agentledger.settings import Settings
from orchestration import manifest

KEPT_TARGETS = 5
"""dbt logs and compiled SQL of the last runs that stay on disk, to look into a failed one."""

END_WAIT_SECONDS = 5.0
"""A child that only waits for arguments ends within milliseconds once its input is closed."""


class WarmDbt:
    """A started dbt child that waits for its arguments, or already runs."""

    def __init__(self, settings: Settings, project_dir: Path) -> None:
        """Start the child; it loads dbt while the caller goes on."""
        self.settings = settings
        self.project_dir = project_dir
        parsed = manifest.partial_parse_path(project_dir)
        self.process = subprocess.Popen(  # noqa: S603 - our own module, fixed arguments
            [sys.executable, "-P", "-m", "orchestration.dbt_worker", str(parsed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_with_repository(manifest.dbt_environment(settings)),
            cwd=project_dir,
            # Ctrl-C reaches the whole terminal group: the run itself ends its child, in order.
            start_new_session=True,
        )
        self._has_arguments = False

    def is_waiting(self) -> bool:
        """Whether the child lives and has not been given arguments."""
        return not self._has_arguments and self.process.poll() is None

    def begin(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        """Hand the child its arguments; its log lines then come from the process's stdout."""
        stdin = self.process.stdin
        if stdin is None:
            raise AssertionError("the child was started without a pipe")
        self._has_arguments = True
        stdin.write(json.dumps(arguments).encode() + b"\n")
        stdin.flush()
        # The pipe stays open: the child takes its end for the end of this process.
        return self.process

    def end(self) -> None:
        """End the child, whatever it is doing; DuckDB rolls an open transaction back."""
        if not self._has_arguments:
            # It is still loading, or waits: there is nothing to let go in order.
            self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None and not stream.closed:
                stream.close()
        try:
            self.process.wait(timeout=END_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _with_repository(environment: dict[str, str]) -> dict[str, str]:
    """Let the child find its module wherever the run was started."""
    paths = [str(manifest.REPO_ROOT), environment.get("PYTHONPATH", "")]
    return {**environment, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


_spare: list[WarmDbt] = []


def start_spare(settings: Settings, project_dir: Path = manifest.DBT_PROJECT_DIR) -> None:
    """Start a child that the next run in this process will take."""
    if not _spare:
        _spare.append(WarmDbt(settings, project_dir))


def take(settings: Settings, project_dir: Path) -> WarmDbt:
    """The spare child if it fits, else a new one."""
    while _spare:
        child = _spare.pop()
        fits = child.settings.home == settings.home and child.project_dir == project_dir
        if fits and child.is_waiting():
            return child
        child.end()
    return WarmDbt(settings, project_dir)


def end_spare() -> None:
    """End the child that no run took."""
    while _spare:
        _spare.pop().end()


def run_target(settings: Settings, run_id: str, attempt: int) -> Path:
    """Make the folder of one dbt invocation and drop those of the oldest runs."""
    folder = settings.dbt_target_dir / f"{run_id[:8]}-{attempt}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    runs = sorted(
        (path for path in settings.dbt_target_dir.iterdir() if path.is_dir() and path != folder),
        key=lambda path: path.stat().st_mtime,
    )
    for old in runs[: max(0, len(runs) - KEPT_TARGETS + 1)]:
        shutil.rmtree(old, ignore_errors=True)
    return folder
