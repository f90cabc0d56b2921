"""The dbt docs site.

Belongs here: generating the one static page and serving it on this machine. Does not belong here:
what the page says (descriptions beside the models).
"""

import functools
import http.server
import subprocess
import tempfile
from pathlib import Path

from agentledger.errors import AgentLedgerError
from agentledger.settings import Settings
from orchestration import manifest

LOCAL_HOST = "127.0.0.1"
"""The only address anything here listens on."""


def generate(settings: Settings, project_dir: Path = manifest.DBT_PROJECT_DIR) -> Path:
    """Write `docs/index.html` in the data home; the caller holds the run lock.

    Raises:
        AgentLedgerError: When dbt fails; carries what it said.
    """
    settings.dbt_target_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.docs_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=settings.dbt_target_dir, prefix="docs-") as target:
        command = [
            *(str(manifest.dbt_executable()), "--no-use-colors", "--no-version-check", "--quiet"),
            *("docs", "generate", "--static"),
            *("--project-dir", str(project_dir), "--profiles-dir", str(project_dir)),
            *("--target-path", target, "--log-path", target),
        ]
        done = subprocess.run(  # noqa: S603 - our own interpreter's dbt, fixed arguments
            command,
            env=manifest.dbt_environment(settings),
            cwd=project_dir,
            capture_output=True,
            text=True,
            check=False,
        )
        built = Path(target) / "static_index.html"
        if done.returncode != 0 or not built.exists():
            raise AgentLedgerError(
                "dbt cannot make the docs site:\n"
                f"{(done.stdout + done.stderr).strip()}\nMend what it names, then try again."
            )
        page = settings.docs_dir / "index.html"
        built.chmod(0o600)
        # Same file system, so the old page is there until the new one is whole.
        built.replace(page)
    return page


def serve(settings: Settings, port: int) -> http.server.ThreadingHTTPServer:
    """A server of the docs folder on this machine alone; the caller runs and closes it.

    Raises:
        AgentLedgerError: When the port is taken.
    """
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(settings.docs_dir)
    )
    try:
        return http.server.ThreadingHTTPServer((LOCAL_HOST, port), handler)
    except OSError as error:
        raise AgentLedgerError(
            f"Port {port} of {LOCAL_HOST} is taken ({error.strerror}). Choose another: --port N."
        ) from error
