"""The dbt manifest, without importing Dagster or dbt.

Belongs here: where the dbt project lies, whether its manifest is missing or older than the files it
was made from, making it (`make manifest`). Does not belong here: reading the manifest into assets
(`dbt_project.py`), running models (`dbt_process.py`), which change of the model code needs a full
refresh (`agentledger/fingerprints.py`).

Importing this module must stay cheap: the headless run asks it before Dagster is imported.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import filelock

from agentledger.errors import AgentLedgerError
from agentledger.settings import Settings, process_environment

REPO_ROOT = Path(__file__).resolve().parent.parent
DBT_PROJECT_DIR = REPO_ROOT / "dbt_project"
MODELS_DIR = REPO_ROOT / "models"

PREPARE_WAIT_SECONDS = 120.0
"""How long to wait while another process parses; a parse from nothing takes a few seconds."""

_GENERATED_FOLDERS = frozenset({"target", "logs", "dbt_packages", "__pycache__"})
_SOURCE_SUFFIXES = frozenset({".sql", ".yml", ".yaml", ".csv", ".md", ".py"})


def target_dir(project_dir: Path) -> Path:
    """Folder of the prepared manifest, beside the project it belongs to."""
    return project_dir / "target"


def manifest_path(project_dir: Path = DBT_PROJECT_DIR) -> Path:
    """The prepared `manifest.json`."""
    return target_dir(project_dir) / "manifest.json"


def partial_parse_path(project_dir: Path = DBT_PROJECT_DIR) -> Path:
    """The parsed project in dbt's own binary form: loading it spares each run a parse."""
    return target_dir(project_dir) / "partial_parse.msgpack"


def content_hash(roots: Iterable[Path]) -> str:
    """Hash names and contents of the sources under some folders; dbt's own output is left out."""
    digest = hashlib.sha256()
    for root in roots:
        for path in _source_files(root):
            content = path.read_bytes()
            name = f"{root.name}/{path.relative_to(root).as_posix()}"
            # Lengths keep two neighbours from being read as one.
            digest.update(f"{len(name)}:{name}:{len(content)}:".encode())
            digest.update(content)
    return digest.hexdigest()


def prepare_manifest(
    settings: Settings,
    *,
    project_dir: Path = DBT_PROJECT_DIR,
    models_dir: Path = MODELS_DIR,
    force: bool = False,
) -> bool:
    """Parse the dbt project when its manifest is missing or stale.

    Args:
        settings: Environment of the dbt child; the warehouse itself is not opened.
        project_dir: The dbt project.
        models_dir: The models it reads.
        force: Parse even when nothing changed.

    Returns:
        Whether dbt was started.

    Raises:
        AgentLedgerError: When dbt finds the project wrong; carries what dbt said.
    """
    wanted = _manifest_fingerprint(project_dir, models_dir)
    if not force and _recorded_fingerprint(project_dir) == wanted:
        return False
    target = target_dir(project_dir)
    target.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(str(target / ".prepare.lock"), timeout=PREPARE_WAIT_SECONDS):
        if not force and _recorded_fingerprint(project_dir) == wanted:
            return False
        with tempfile.TemporaryDirectory(dir=target, prefix=".prepare-") as scratch_name:
            scratch = Path(scratch_name)
            _parse_reusing(partial_parse_path(project_dir), settings, project_dir, scratch)
            # Readers of the manifest never meet half a file: each is moved into its place, and the
            # fingerprint, which declares them valid, last.
            _fingerprint_path(project_dir).unlink(missing_ok=True)
            for path in (partial_parse_path(project_dir), manifest_path(project_dir)):
                (scratch / path.name).replace(path)
            fingerprint = scratch / "fingerprint"
            fingerprint.write_text(wanted)
            fingerprint.replace(_fingerprint_path(project_dir))
    return True


def require_manifest(project_dir: Path = DBT_PROJECT_DIR) -> Path:
    """Path of the prepared manifest.

    Raises:
        AgentLedgerError: When there is none; nothing is parsed on import.
    """
    path = manifest_path(project_dir)
    if not path.exists():
        raise AgentLedgerError(
            f"The dbt manifest {path} is missing. Run `make manifest` "
            "(or `python -m orchestration manifest`), then try again."
        )
    return path


def dbt_environment(settings: Settings) -> dict[str, str]:
    """Environment of every dbt child: which warehouse, no telemetry."""
    return process_environment(
        settings,
        {
            "AGENTLEDGER_WAREHOUSE": str(settings.warehouse_path),
            "AGENTLEDGER_SPILL": str(settings.spill_dir),
        },
    )


def dbt_executable() -> Path:
    """`dbt` of the running interpreter; PATH is not asked, the environment may not be active."""
    return Path(sys.executable).with_name("dbt")


def _parse_reusing(earlier: Path, settings: Settings, project_dir: Path, target: Path) -> None:
    """Parse what changed since the earlier parse, or all of it when dbt cannot go on from that.

    A description that moved to another file is such a change: dbt says it stands there twice.
    """
    if earlier.exists():
        shutil.copy(earlier, target)
        try:
            _parse(settings, project_dir, target)
        except AgentLedgerError:
            (target / earlier.name).unlink(missing_ok=True)
        else:
            return
    _parse(settings, project_dir, target)


def _parse(settings: Settings, project_dir: Path, target: Path) -> None:
    command = [
        *(str(dbt_executable()), "--no-use-colors", "--quiet", "parse"),
        *("--project-dir", str(project_dir), "--profiles-dir", str(project_dir)),
        *("--target-path", str(target), "--log-path", str(target)),
    ]
    done = subprocess.run(  # noqa: S603 - our own interpreter's dbt, fixed arguments
        command,
        env=dbt_environment(settings),
        cwd=project_dir,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AgentLedgerError(
            f"dbt cannot parse the project {project_dir}:\n"
            f"{(done.stdout + done.stderr).strip()}\nMend the file it names, then try again."
        )


def _source_files(root: Path) -> list[Path]:
    return sorted(
        path
        for path in root.rglob("*")
        if path.suffix in _SOURCE_SUFFIXES
        and not path.name.startswith(".")
        and not _GENERATED_FOLDERS.intersection(path.relative_to(root).parts)
        and path.is_file()
    )


def _manifest_fingerprint(project_dir: Path, models_dir: Path) -> str:
    # Another dbt writes another manifest, and another checkout has other paths in it.
    versions = " ".join(f"{name}={version(name)}" for name in ("dbt-core", "dbt-duckdb"))
    return f"{content_hash((project_dir, models_dir))} {versions} {project_dir}"


def _fingerprint_path(project_dir: Path) -> Path:
    return target_dir(project_dir) / "manifest.fingerprint"


def _recorded_fingerprint(project_dir: Path) -> str | None:
    """Fingerprint of the prepared manifest, if one is there to be used."""
    paths = (
        manifest_path(project_dir),
        partial_parse_path(project_dir),
        _fingerprint_path(project_dir),
    )
    if not all(path.exists() for path in paths):
        return None
    return _fingerprint_path(project_dir).read_text()
