"""A light installation: the wheel alone, without one dependency, emits events."""

import json
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

RECORD = """
import json, sys
from agentledger.emit import EventRecorder, IntentRecorder
home = sys.argv[1]
recorder = IntentRecorder(home)
with recorder.utterance("hello", outcome="ready") as trace:
    pass
EventRecorder(home).usage("agent-1", success=True, latency_ms=12)
assert recorder.flush()
print(json.dumps([recorder.stats(), trace.telemetry_persisted, sorted(
    {n.split('.')[0] for n in sys.modules} - set(sys.stdlib_module_names) - {'__main__'})]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the locked backend: no network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("agentledger-*.whl"))


@pytest.fixture(scope="module")
def bare_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that holds the wheel and nothing else, as `pip --no-deps` does."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    return folder / "bin" / "python"


def run(python: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-I", *arguments], capture_output=True, text=True, cwd=cwd, timeout=60
    )


def test_the_wheel_alone_records_an_event(bare_python: Path, tmp_path: Path) -> None:
    """The tempting change is one convenient import: every host would have to install it."""
    finished = run(bare_python, "-c", RECORD, str(tmp_path / "home"), cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    stats, persisted, loaded = json.loads(finished.stdout)
    assert (stats["written"], stats["dropped"], persisted) == (2, 0, True)
    assert loaded == ["agentledger"]
    assert len(list((tmp_path / "home" / "spool").glob("*.jsonl"))) == 2


def test_a_light_installation_guards_and_says_what_is_missing(
    bare_python: Path, tmp_path: Path
) -> None:
    """Should run the guard, and name the extra for every other command."""
    code = "from agentledger.cli import main; main()"
    (tmp_path / "app.py").write_text("from agentledger.emit import IntentRecorder\n")
    guarded = run(bare_python, "-c", code, "emit", "guard", ".", "--module", "app", cwd=tmp_path)
    assert (guarded.returncode, guarded.stdout) == (0, "")
    other = run(bare_python, "-c", code, "skills", "top", cwd=tmp_path)
    assert other.returncode == 1
    assert "agentledger[pipeline]" in other.stderr


def test_an_orchestrator_loads_reviewed_boosts_without_the_pipeline(
    bare_python: Path, tmp_path: Path
) -> None:
    """Should need neither the snapshot nor DuckDB: the orchestrator runs elsewhere."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom agentledger import query\n"
        "from agentledger.settings import Settings\n"
        "print(query.boosts(settings=Settings(Path(sys.argv[1]), 'UTC')))"
    )
    finished = run(bare_python, "-c", code, str(tmp_path), cwd=tmp_path)
    assert finished.stdout.strip() == "BoostRules(rules=(), version=0)", finished.stderr


def test_only_the_light_dependency_is_not_an_extra(wheel: Path) -> None:
    """Should keep the pipeline's dependencies behind the extra in what the index is told."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    needed = metadata.get_all("Requires-Dist") or []
    assert [n for n in needed if "extra ==" not in n] == ["platformdirs>=4.2"]
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert len(needed) == 1 + len(declared["optional-dependencies"]["pipeline"])
