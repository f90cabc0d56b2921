"""The dbt docs site.

Belongs here: generating the one static page. Does not belong here: how the page looks
(`docs_page.py`), what it says (descriptions beside the models), serving it (`local_server.py`).
"""

import json
import subprocess
import tempfile
from pathlib import Path

from agentledger import warehouse
from agentledger.errors import AgentLedgerError
from agentledger.settings import Settings
from orchestration import docs_page, manifest

WRITTEN_BY_DBT = ("index.html", "manifest.json", "catalog.json")


def generate(settings: Settings, project_dir: Path = manifest.DBT_PROJECT_DIR) -> Path:
    """Write `docs/index.html` in the data home; the caller holds the run lock.

    Raises:
        AgentLedgerError: When dbt fails; carries what it said.
    """
    with warehouse.open_warehouse(settings):
        # Makes the raw tables: dbt compiles the models that read them, before the first run, too.
        pass
    settings.dbt_target_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.docs_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=settings.dbt_target_dir, prefix="docs-") as target:
        command = [
            *(str(manifest.dbt_executable()), "--no-use-colors", "--no-version-check", "--quiet"),
            *("docs", "generate"),
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
        written = [Path(target) / name for name in WRITTEN_BY_DBT]
        if done.returncode != 0 or not all(path.exists() for path in written):
            raise AgentLedgerError(
                "dbt cannot make the docs site:\n"
                f"{_said(done.stdout + done.stderr)}\nMend what it names, then try again."
            )
        template, facts, catalog = (path.read_text("utf-8") for path in written)
        page = settings.docs_dir / "index.html"
        built = Path(target) / "page.html"
        built.write_text(
            docs_page.compose(template, json.loads(facts), json.loads(catalog)), "utf-8"
        )
        built.chmod(0o600)
        # Same file system, so the old page is there until the new one is whole.
        built.replace(page)
    return page


def _said(output: str) -> str:
    """What dbt said, without what DuckDB's binding adds about itself when a process fails."""
    return output.partition("nanobind:")[0].strip()
