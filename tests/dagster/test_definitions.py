"""The code location: it imports anywhere, and its graph is the one we mean."""

import difflib
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from agentledger.errors import AgentLedgerError
from agentledger.settings import Settings
from orchestration.definitions import build_defs
from orchestration.manifest import require_manifest

REPO_ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).with_name("golden_graph.txt")

IMPORT_ALONE = """
import sys
def refuse(event, arguments):
    if event.startswith("socket.") and event not in ("socket.__new__", "socket.gethostname"):
        raise RuntimeError(f"import used the network: {event} {arguments}")
    if event == "subprocess.Popen":
        raise RuntimeError(f"import started a process: {arguments}")
sys.addaudithook(refuse)
from orchestration.definitions import defs
print(len(list(defs.resolve_all_asset_specs())))
"""


def test_the_code_location_imports_with_nothing_but_a_manifest(tmp_path: Path) -> None:
    """No environment, no network, no child process, no warehouse file: and none is made."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALONE],
        cwd=REPO_ROOT,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20
    assert list(tmp_path.iterdir()) == []


def test_a_missing_manifest_says_how_to_make_it(tmp_path: Path) -> None:
    """Nothing is parsed on import; the message names the command."""
    with pytest.raises(AgentLedgerError, match="make manifest"):
        require_manifest(tmp_path)


def describe(defs: dg.Definitions) -> str:
    """The whole graph as text."""
    graph = defs.resolve_asset_graph()
    specs = sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key)
    lines = ["# assets: key · group · depends on"]
    lines += [
        f"{spec.key.to_user_string()} · {spec.group_name} · "
        f"{', '.join(sorted(dep.asset_key.to_user_string() for dep in spec.deps)) or '-'}"
        for spec in specs
    ]
    lines += ["", "# asset checks"]
    lines += sorted(
        f"{key.asset_key.to_user_string()}:{key.name}" for key in graph.asset_check_keys
    )
    lines += ["", "# jobs, schedules, sensors"]
    lines += sorted(f"job {job.name}" for job in defs.jobs or [])
    lines += sorted(
        f"schedule {one.name} {one.cron_schedule} {one.execution_timezone} → {one.job_name} "
        f"({one.default_status.value})"
        for one in defs.schedules or []
    )
    lines += sorted(
        f"sensor {one.name} → {one.job_name} ({one.default_status.value})"
        for one in defs.sensors or []
    )
    return "\n".join(lines) + "\n"


def test_the_graph_is_the_golden_one(tmp_path: Path) -> None:
    """A model that got lost, a check that collided or a schedule that stopped shows here."""
    found = describe(build_defs(settings=Settings(home=tmp_path, host_zone="UTC")))
    actual = tmp_path / "golden_graph.txt"
    actual.write_text(found)
    difference = "\n".join(
        difflib.unified_diff(
            GOLDEN.read_text().splitlines(), found.splitlines(), "golden", "found", lineterm="", n=0
        )
    )
    assert not difference, f"{difference}\n\nIf it is meant: cp {actual} {GOLDEN}"


def test_lineage_runs_unbroken_from_the_source_file_to_the_snapshot(tmp_path: Path) -> None:
    """A source key that dbt and the raw assets spell differently would break it in the middle."""
    graph = build_defs(settings=Settings(home=tmp_path, host_zone="UTC")).resolve_asset_graph()
    upstream = graph.get_ancestor_asset_keys(dg.AssetKey(["published", "snapshot"]))
    path = (
        ("source_files", "skill_metrics"),
        ("raw", "skill_usage"),
        ("staging", "stg_skill_metrics__invocations"),
        ("marts", "fct_skill_invocations"),
        ("marts", "skill_aggregates"),
    )
    assert {dg.AssetKey(list(step)) for step in path} <= upstream
    for key in upstream:
        if key.path[0] not in ("source_files",):
            assert graph.get(key).is_executable, f"{key} is a stub: nothing makes it"


def test_the_hourly_job_leaves_nothing_out_but_what_is_made_of_the_published(
    tmp_path: Path,
) -> None:
    """The tempting change is a job of the skill marts alone.

    It would publish the other marts as they were, or fail where they were never built.
    """
    defs = build_defs(settings=Settings(home=tmp_path, host_zone="UTC"))
    everything = defs.resolve_asset_graph().executable_asset_keys
    hourly = defs.resolve_schedule_def("skill_aggregates_hourly").job_name
    keys = defs.resolve_job_def(hourly).asset_layer.selected_asset_keys
    of_the_published = {dg.AssetKey(["published", "docs"]), dg.AssetKey(["exports", "knowledge"])}
    assert everything - set(keys) == of_the_published


def test_only_the_collection_makes_the_raw_intent_events(tmp_path: Path) -> None:
    """A second asset that writes the table would count an utterance twice."""
    defs = build_defs(settings=Settings(home=tmp_path, host_zone="UTC"))
    makers = {
        definition.op.name
        for definition in defs.assets or ()
        if isinstance(definition, dg.AssetsDefinition)
        and dg.AssetKey(["raw", "intent_events"]) in definition.keys
    }
    assert makers == {"collect"}
