"""`python -m orchestration`: the commands that need Dagster or dbt, in a process of their own.

Belongs here: arguments and exit codes. Does not belong here: what the commands do. The command
`agentledger` starts these; the library itself never imports the orchestrator.
"""

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from agentledger.errors import AgentLedgerError, UsageError
from agentledger.settings import Settings, load_settings, process_environment
from orchestration import manifest

UI_PORT = 3000
"""Dagster's own default."""

DOCS_PORT = 8580
"""Not dbt's 8080, which half of all other programs take, too."""

EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 done, 1 failed, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    # Whatever a library writes into the data home is its owner's alone, children included.
    os.umask(0o077)
    try:
        return options.command(load_settings(), options)
    except UsageError as error:
        return _complain(error, EXIT_USAGE)
    except AgentLedgerError as error:
        return _complain(error, EXIT_FAILED)
    except KeyboardInterrupt:
        return EXIT_FAILED


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Collect, build, test and publish once."""
    from orchestration import headless

    return headless.run(
        settings,
        full_refresh=options.full_refresh,
        trigger=options.trigger,
        as_json=options.json,
    )


def dev(settings: Settings, options: argparse.Namespace) -> int:
    """Serve the Dagster UI with its daemon until it is stopped."""
    from agentledger.warehouse import prepare_home
    from orchestration.instance import prepare_dagster_home
    from orchestration.local_server import LOCAL_HOST, require_free_port

    require_free_port(options.port)
    prepare_home(settings)
    manifest.prepare_manifest(settings)
    prepare_dagster_home(settings)
    _say(f"Dagster UI: http://{LOCAL_HOST}:{options.port} (Ctrl-C ends it)")
    dagster = str(manifest.dbt_executable().with_name("dagster"))
    command = [dagster, "dev", "-w", "workspace.yaml", "-h", LOCAL_HOST, "-p", str(options.port)]
    # workspace.yaml names its working directory relative to the folder it is started in.
    os.chdir(manifest.REPO_ROOT)
    # This process becomes Dagster: signals and the exit code need no relay.
    os.execve(dagster, command, process_environment(settings, {}))  # noqa: S606 - no shell wanted
    return EXIT_FAILED


def docs(settings: Settings, options: argparse.Namespace) -> int:
    """Make the dbt docs site and serve it on this machine."""
    from agentledger.warehouse import prepare_home
    from orchestration.local_server import LOCAL_HOST, serve_folder

    prepare_home(settings)
    if not options.serve:
        sys.stdout.write(f"{_make_docs(settings)}\n")
        return EXIT_DONE
    # The port first: making the site takes ten seconds, and a taken port would waste them.
    with serve_folder(settings.docs_dir, options.port) as server:
        _make_docs(settings)
        _say(f"dbt docs: http://{LOCAL_HOST}:{server.server_port} (Ctrl-C ends it)")
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return EXIT_DONE


def _make_docs(settings: Settings) -> Path:
    from agentledger.warehouse import hold_run_lock
    from orchestration import docs_site

    manifest.prepare_manifest(settings)
    # The catalogue is read from the warehouse, which has one user at a time.
    with hold_run_lock(settings, on_wait=lambda: _say("Another run is writing; waiting for it.")):
        return docs_site.generate(settings)


def prepare(settings: Settings, options: argparse.Namespace) -> int:
    """Make the dbt manifest when it is missing or stale."""
    made = manifest.prepare_manifest(settings, force=options.force)
    _say(f"{manifest.manifest_path()} {'made' if made else 'is up to date'}")
    return EXIT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("run", help="collect, build, test and publish once")
    one.add_argument("--full-refresh", action="store_true", help="rebuild every model from all raw")
    one.add_argument("--trigger", default="cli", help="what started the run, for status and the UI")
    one.add_argument("--json", action="store_true", help="print the outcome as JSON")
    one.set_defaults(command=run)
    one = commands.add_parser("dev", help="serve the Dagster UI on this machine")
    one.add_argument("--port", type=int, default=UI_PORT)
    one.set_defaults(command=dev)
    one = commands.add_parser("docs", help="make and serve the dbt docs site on this machine")
    one.add_argument("--port", type=int, default=DOCS_PORT)
    one.add_argument("--no-serve", dest="serve", action="store_false", help="only make it")
    one.set_defaults(command=docs)
    one = commands.add_parser("manifest", help="make the dbt manifest when it is stale")
    one.add_argument("--force", action="store_true", help="make it even when it is not")
    one.set_defaults(command=prepare)
    return parser


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")


def _complain(error: Exception, code: int) -> int:
    _say(f"error: {error}")
    return code


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # All is closed by now. Taking thousands of modules apart takes Python half a second, which
    # whoever waits for the prompt would pay.
    os._exit(code)
