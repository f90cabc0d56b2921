"""Where everything lives, and every limit with its reason.

Belongs here: the data home and the paths in it, sizes and waits that several modules share. This is
the only module that reads environment variables. Does not belong here: what the user opted in to
(`registry.py`), anything that opens a file.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "AGENTLEDGER_HOME"
"""Environment variable that names the data home."""

LOCK_WAIT_SECONDS = 30 * 60.0
"""How long a run started by hand waits for another run: a full build of 10 million records fits."""

WAREHOUSE_WAIT_SECONDS = 60.0
"""How long to wait for DuckDB's own file lock: a dbt child of a killed run ends within seconds."""

WAREHOUSE_MEMORY_LIMIT = "2500MB"
"""DuckDB's share of the 4 GB that a run may take; Python, Dagster and dbt need the rest."""

WAREHOUSE_THREADS = 2
"""More threads cost memory per thread and gain little on the machines this is meant for."""

AS_OF_VARIABLE = "AGENTLEDGER_AS_OF"
AS_OF_STEP_MINUTES = 5
"""The instant of a run is floored to this: the shortest window that is reported; runs moments apart
agree."""

KEPT_BUILDS = 3
"""Published builds kept on disk, so that a reader that opened an older one can finish."""

DUCKDB_MEMORY_LIMIT_READERS = "1GB"
"""A reader answers from a small snapshot; it must never compete with a run for memory."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths of one data home and the facts of the host that decisions depend on."""

    home: Path
    host_zone: str
    """IANA name of the host's time zone: the default zone of sources without an offset."""
    as_of_override: str | None = None
    """ISO instant that replaces the clock of a run, so that a past run can be replayed."""

    @property
    def config_path(self) -> Path:
        """`config.toml`: what the user opted in to."""
        return self.home / "config.toml"

    @property
    def key_path(self) -> Path:
        """Secret of the keyed hashes."""
        return self.home / "key"

    @property
    def run_lock_path(self) -> Path:
        """OS lock held for the whole of every run that writes."""
        return self.home / "run.lock"

    @property
    def status_path(self) -> Path:
        """State of the last and the current run."""
        return self.home / "status.json"

    @property
    def warehouse_path(self) -> Path:
        """The warehouse: raw, staging, intermediate and marts schemas."""
        return self.home / "warehouse.duckdb"

    @property
    def spill_dir(self) -> Path:
        """Where DuckDB spills what does not fit in memory."""
        return self.home / "spill"

    @property
    def published_dir(self) -> Path:
        """Snapshots that readers open."""
        return self.home / "published"

    @property
    def published_pointer(self) -> Path:
        """File that names the current snapshot."""
        return self.published_dir / "current"

    @property
    def reads_dir(self) -> Path:
        """Log of what readers asked of this ledger, one file per month."""
        return self.home / "reads"

    @property
    def changes_dir(self) -> Path:
        """Changes of agents that were declared, one line each."""
        return self.home / "changes"

    @property
    def docs_dir(self) -> Path:
        """Static dbt docs site."""
        return self.published_dir / "docs"

    @property
    def spool_dir(self) -> Path:
        """Events that programs wrote with `agentledger.emit`."""
        return self.home / "spool"

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME of this ledger."""
        return self.home / "dagster"

    @property
    def dbt_target_dir(self) -> Path:
        """Where dbt writes its artifacts, one folder per run, pruned."""
        return self.home / "dbt"

    @property
    def purges_dir(self) -> Path:
        """Purges that were asked for and are not complete: one small file each."""
        return self.home / "purges"

    @property
    def vault_path(self) -> Path:
        """Private text, for sources whose owner wants it kept."""
        return self.home / "vault.duckdb"

    @property
    def lake_dir(self) -> Path:
        """Raw tables as Parquet, for other engines."""
        return self.home / "lake"

    @property
    def exports_dir(self) -> Path:
        """Data sets and reports made from the ledger."""
        return self.home / "exports"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment; nothing on disk is touched but the zone link.

    Args:
        environ: Replaces the process environment, for tests.
    """
    env = os.environ if environ is None else environ  # noqa: TID251 - the one reader of it
    named = env.get(HOME_VARIABLE, "").strip()
    home = Path(named).expanduser() if named else _default_home()
    return Settings(
        home=Path(os.path.abspath(home)),  # noqa: PTH100 - resolve() would follow a link on purpose set
        host_zone=_host_zone(env),
        as_of_override=env.get(AS_OF_VARIABLE) or None,
    )


def environment_value(name: str) -> str | None:
    """An environment variable that a person named for a secret; None when it is not set."""
    return os.environ.get(name, "").strip() or None  # noqa: TID251 - the one reader of it


def claude_code_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Where Claude Code keeps its transcripts: `$CLAUDE_CONFIG_DIR/projects`, else its default.

    Args:
        environ: Replaces the process environment, for tests.
    """
    env = os.environ if environ is None else environ  # noqa: TID251 - the one reader of it
    named = env.get("CLAUDE_CONFIG_DIR", "").strip()
    base = Path(named).expanduser() if named else Path(env.get("HOME") or Path.home()) / ".claude"
    return base / "projects"


def codex_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Where the Codex CLI keeps its rollouts: `$CODEX_HOME`, else its default.

    Args:
        environ: Replaces the process environment, for tests.
    """
    env = os.environ if environ is None else environ  # noqa: TID251 - the one reader of it
    named = env.get("CODEX_HOME", "").strip()
    return Path(named).expanduser() if named else Path(env.get("HOME") or Path.home()) / ".codex"


def _default_home() -> Path:
    # Here, so that a producer that names its home needs nothing but the standard library.
    import platformdirs

    return Path(platformdirs.user_data_dir("agentledger"))


def process_environment(settings: Settings, extra: Mapping[str, str]) -> dict[str, str]:
    """Environment of a child process of ours: this one's, this data home, telemetry off.

    The directory of the running interpreter leads PATH, so that `dbt` and `dagster` are found when
    the virtual environment is used without being activated.
    """
    env = dict(os.environ)  # noqa: TID251 - the one reader of it
    bin_dir = str(Path(sys.executable).parent)
    env.update(
        {
            HOME_VARIABLE: str(settings.home),
            "DAGSTER_HOME": str(settings.dagster_home),
            "DO_NOT_TRACK": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "PATH": bin_dir + os.pathsep + env.get("PATH", os.defpath),
            "PYTHONUNBUFFERED": "1",
        }
    )
    env.update(extra)
    return env


def _host_zone(env: Mapping[str, str]) -> str:
    """IANA zone of the host: TZ, else the system's link, else UTC."""
    named = env.get("TZ", "").lstrip(":")
    if named and _is_zone(named):
        return named
    link = Path("/etc/localtime")
    if link.is_symlink():
        parts = link.resolve().parts
        if "zoneinfo" in parts:
            zone = "/".join(parts[parts.index("zoneinfo") + 1 :])
            if _is_zone(zone):
                return zone
    return "UTC"


def _is_zone(name: str) -> bool:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
