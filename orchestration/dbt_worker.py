"""A dbt process that is warm before it is needed.

Belongs here: what runs inside the dbt child of a run. It imports dbt and loads the parsed project
while the run still ingests (both cost seconds), then waits on its standard input for one line: the
arguments. Does not belong here: anything of Dagster or of the ledger; the parent side is
`dbt_process.py`.

The child ends when its parent does: a closed standard input means that nobody is left to publish
what would be built, and a dbt that outlives a killed run would keep the warehouse locked.
"""

import atexit
import contextlib
import gc
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

EXIT_FAILED = 1
EXIT_BROKEN = 2
"""As dbt's own exit codes: 1 = a model or test failed, 2 = dbt itself could not go on."""


_NO_LOGGERS = ("--log-level", "none", "--log-level-file", "none")
"""dbt's own loggers make a line of every debug event, twice, before they find it unwanted: that is
a seventh of a build. `_EventLog` takes their place."""


class _EventLog:
    """Writes dbt's events as its JSON log does, those that somebody reads alone."""

    def __init__(self, log: TextIO) -> None:
        self.log = log
        self.lock = threading.Lock()

    def __call__(self, message: Any) -> None:
        """Take one event; dbt calls this from each of its threads."""
        if message.info.level not in ("info", "warn", "error"):
            return
        from dbt_common.events.functions import env_scrubber, msg_to_json

        line = env_scrubber(msg_to_json(message)) + "\n"
        with self.lock:
            sys.stdout.write(line)
            sys.stdout.flush()
            self.log.write(line)
            self.log.flush()


def main(partial_parse: str) -> int:
    """Warm up, wait for the arguments, run dbt once.

    Args:
        partial_parse: dbt's parsed project; when it does not exist dbt parses by itself.
    """
    # What is imported stays: collecting it over and over costs a fifth of the start-up.
    gc.disable()
    with _silenced():
        runner = _warm_runner(Path(partial_parse), Path.cwd())
    gc.freeze()
    gc.enable()
    line = sys.stdin.readline()
    if not line:
        return 0
    threading.Thread(target=_end_with_parent, daemon=True).start()
    arguments = json.loads(line)
    folder = Path(arguments[arguments.index("--log-path") + 1])
    with (folder / "dbt.log").open("a", encoding="utf-8") as log:
        runner.callbacks.append(_EventLog(log))
        result = runner.invoke([*_NO_LOGGERS, *arguments])
    if result.exception is not None:
        _report(f"{type(result.exception).__name__}: {result.exception}")
        return EXIT_BROKEN
    return 0 if result.success else EXIT_FAILED


def _warm_runner(partial_parse: Path, project_dir: Path) -> Any:
    """Import what `dbt build` needs, load the parsed project, and rehearse its set-up."""
    from dbt.cli.main import dbtRunner

    manifest = None
    if partial_parse.exists():
        from dbt.contracts.graph.manifest import Manifest
        from dbt.parser.manifest import extended_mashumuro_decoder

        # The parent made sure that this is the parse of the present files (`prepare_manifest`).
        # Handing it over spares the comparison with them, and the whole parse that dbt would
        # otherwise repeat for each data home, because the profile names another warehouse.
        manifest = Manifest.from_msgpack(
            partial_parse.read_bytes(), decoder=extended_mashumuro_decoder
        )
    runner = dbtRunner(manifest=manifest)
    if manifest is not None:
        # A command that opens no database: it reads the profile and the project, and builds the
        # validators of both, which are kept. The build is spared 0.4 s.
        with tempfile.TemporaryDirectory() as scratch:
            runner.invoke(
                [
                    *("--quiet", "--no-version-check", "--log-level-file", "none"),
                    *("list", "--select", "fqn:nothing-at-all"),
                    *("--project-dir", str(project_dir), "--profiles-dir", str(project_dir)),
                    *("--target-path", scratch, "--log-path", scratch),
                ]
            )
    return runner


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Send standard output nowhere for a while: the parent does not read it yet."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - not a path of ours
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _end_with_parent() -> None:
    """Wait for the end of standard input, then end this process at once."""
    sys.stdin.read()
    # Not sys.exit: only this thread would end. An interrupted DuckDB transaction rolls back.
    os._exit(EXIT_BROKEN)


def _report(message: str) -> None:
    """Write an error the way dbt writes its log, for the parent to read."""
    event = {"info": {"name": "WorkerFailed", "level": "error", "msg": message}, "data": {}}
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    code = main(sys.argv[1])
    # Closing the warehouse and the log is all that must happen; taking thousands of modules apart
    # would keep the run waiting for another 0.4 s.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)
