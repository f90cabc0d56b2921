"""Other tools that tell the same usage: installing them into a scratch folder, asking them.

Belongs here: ccusage and agentsview, their commands and the shape of their daily table. Does not
belong here: what is compared (`peers.py`, `peer_page.py`, `peer_speed.py`).

Nothing of them is installed into the checkout or the home of the user, and they are told to send
nothing: HOME points to the scratch folder, telemetry and update checks are off, prices are theirs
inside the package.
"""

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from agentledger.settings import Settings, process_environment
from benchmarks.processes import Measured, run_measured

CCUSAGE = "20.0.24"
AGENTSVIEW = "0.46.1"
INSTALL_SECONDS = 300
LIMIT_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class DayUse:
    """What a tool says of one day; cache writes are not always told apart."""

    fresh: int
    written: int
    read: int
    output: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Sources:
    """The files that all tools read."""

    claude: Path
    """The folder that holds `projects`."""
    codex: Path | None = None
    """The folder that holds `sessions`."""


class Tool:
    """A tool on given sources, with a home of its own."""

    name = ""
    version = ""

    def __init__(self, scratch: Path, sources: Sources, home: Path) -> None:
        self.scratch = scratch
        self.sources = sources
        self.home = home
        home.mkdir(parents=True, exist_ok=True)

    def environment(self) -> dict[str, str]:
        """The environment of the tool: nothing of ours but the search path."""
        path = process_environment(Settings(home=self.home, host_zone="UTC"), {})["PATH"]
        return {"HOME": str(self.home), "PATH": path, "TZ": "UTC", "LANG": "C.UTF-8"}

    def measured(self, command: Sequence[str]) -> Measured:
        """Run a command of the tool."""
        return run_measured(command, self.environment(), limit_seconds=LIMIT_SECONDS, cwd=self.home)


class Ccusage(Tool):
    """Reads all files on each question."""

    name, version = "ccusage", CCUSAGE

    def environment(self) -> dict[str, str]:
        """Point the tool to the files."""
        codex = self.sources.codex or self.home / "no-codex"
        return super().environment() | {
            "CLAUDE_CONFIG_DIR": str(self.sources.claude), "CODEX_HOME": str(codex),
        }  # fmt: skip

    def daily(self) -> Measured:
        """Ask for the daily table; every file is read."""
        program = str(self.scratch / "npm" / "node_modules" / ".bin" / "ccusage")
        return self.measured([program, "daily", "--offline", "--json", "--timezone", "UTC"])

    @staticmethod
    def days(output: str) -> dict[date, DayUse]:
        """Read the daily table."""
        return {
            date.fromisoformat(row["period"]): DayUse(
                row["inputTokens"], row["cacheCreationTokens"], row["cacheReadTokens"],
                row["outputTokens"], Decimal(str(row["totalCost"])),
            )
            for row in json.loads(output)["daily"]
        }  # fmt: skip


class Agentsview(Tool):
    """Keeps what it read in SQLite."""

    name, version = "agentsview", AGENTSVIEW

    def environment(self) -> dict[str, str]:
        """Point the tool to the files; send nothing, start nothing in the background."""
        codex = self.sources.codex or self.home / "no-codex"
        return super().environment() | {
            "CLAUDE_PROJECTS_DIR": str(self.sources.claude / "projects"),
            "CODEX_SESSIONS_DIR": str(codex / "sessions"),
            "AGENTSVIEW_DATA_DIR": str(self.home / "agentsview"),
            "AGENTSVIEW_TELEMETRY_ENABLED": "0", "AGENTSVIEW_DISABLE_UPDATE_CHECK": "1",
            "AGENTSVIEW_NO_DAEMON": "1",
        }  # fmt: skip

    def _program(self) -> str:
        return str(self.scratch / "python" / "bin" / "agentsview")

    def sync(self) -> Measured:
        """Read what is new."""
        return self.measured([self._program(), "sync"])

    def daily(self, *, without_sync: bool = False) -> Measured:
        """Ask for the daily table; by default the tool looks for new files first."""
        command = [self._program(), "usage", "daily", "--all", "--offline", "--json"]
        command += ["--timezone", "UTC"]
        return self.measured(command + (["--no-sync"] if without_sync else []))

    @staticmethod
    def days(output: str) -> dict[date, DayUse]:
        """Read the daily table; money comes in millionths."""
        return {
            date.fromisoformat(row["date"]): DayUse(
                row["inputTokens"], row["cacheCreationTokens"], row["cacheReadTokens"],
                row["outputTokens"], _dollars(row["totalCost"]),
            )
            for row in json.loads(output)["daily"]
        }  # fmt: skip


def _dollars(cost: Any) -> Decimal | None:
    if isinstance(cost, Mapping):
        return Decimal(cost["microdollars"]) / 1_000_000
    return None if cost is None else Decimal(str(cost))


def install(scratch: Path) -> dict[str, str]:
    """Install the peers where they are not yet; name of each that is absent → why."""
    absent = {}
    for name, put in (("ccusage", _install_ccusage), ("agentsview", _install_agentsview)):
        try:
            put(scratch)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            absent[name] = " ".join(str(said).split())[-300:]
    return absent


def _install_ccusage(scratch: Path) -> None:
    folder = scratch / "npm"
    if (folder / "node_modules" / ".bin" / "ccusage").exists():
        return
    if shutil.which("npm") is None:
        raise FileNotFoundError("npm is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    packages = [f"ccusage@{CCUSAGE}"]
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        packages.append(f"@ccusage/ccusage-linux-x64@{CCUSAGE}")
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    _quietly(["npm", "install", *options, "--prefix", str(folder), *packages])


def _install_agentsview(scratch: Path) -> None:
    folder = scratch / "python"
    if (folder / "bin" / "agentsview").exists():
        return
    _quietly([sys.executable, "-m", "venv", str(folder)])
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    _quietly([*pip, "--disable-pip-version-check", f"agentsview=={AGENTSVIEW}"])


def _quietly(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
