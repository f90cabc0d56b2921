"""The numbers of the shared reference page, from real writers' files, through the whole pipeline.

The expected numbers were computed independently of this project, straight from the files.
"""

import json
from typing import Any

import pytest

# project → skill → (invocations, completed, abandoned, pending); an abandoned one is a failure.
V0 = {"crackerjack-init": (1, 0, 0, 1), "crackerjack-run": (2, 2, 0, 0),
      "session-checkpoint": (1, 0, 1, 0)}  # fmt: skip
V1 = {"crackerjack-run": (2, 1, 0, 1), "session-checkpoint": (1, 0, 1, 0), "x": (1, 1, 0, 0)}
V2 = {"code-review": (1, 0, 0, 1), "pytest-run": (1, 0, 1, 0), "ruff-check": (1, 1, 0, 0)}
UNION = {"code-review": (1, 0, 0, 1), "crackerjack-init": (1, 0, 0, 1),
         "crackerjack-run": (4, 3, 0, 1), "pytest-run": (1, 0, 1, 0), "ruff-check": (1, 1, 0, 0),
         "session-checkpoint": (2, 0, 2, 0), "x": (1, 1, 0, 0)}  # fmt: skip
EXPECTED = {
    "V0_crackerjack_export": V0, "V0_crackerjack_skill_metrics": V0,
    "V1_sessionbuddy_export": V1, "V1_sessionbuddy_skill_metrics": V1,
    "V2_sessionbuddy_export": V2, "union": UNION,
}  # fmt: skip


def measured(home: Any) -> dict[str, dict[str, tuple[int, int, int, int]]]:
    """What the published snapshot says, by project and skill."""
    rows = home.ask(
        "sql",
        "select p.project_name, a.skill_name, a.total_invocations, a.successful_completions, "
        "a.failed_invocations, a.unknown_outcomes from marts.skill_aggregates a "
        "join marts.dim_projects p using (project_id) where a.time_window = 'all'",
        "--format", "json",
    )  # fmt: skip
    found: dict[str, dict[str, tuple[int, int, int, int]]] = {}
    for row in rows if isinstance(rows, list) else rows["rows"]:
        project, skill, *counts = row.values() if isinstance(row, dict) else row
        found.setdefault(project, {})[skill] = tuple(counts)  # type: ignore[assignment]
    return found


@pytest.fixture
def reference(home, metrics_samples, place, tmp_path) -> Any:
    """A home that has read every sample once."""
    for number, sample in enumerate(metrics_samples):
        place(sample, tmp_path / sample.stem)
        place(sample, tmp_path / "union", f"skill_metrics_{number}.json")
    home.register(*(tmp_path / name for name in EXPECTED))
    home.call("run")
    return home


def test_counts_equal_the_reference_on_the_first_and_the_second_run(reference) -> None:
    """The second finds nothing to do."""
    assert measured(reference) == EXPECTED
    assert "nothing" in reference.call("run").lower()
    assert measured(reference) == EXPECTED


@pytest.mark.slow
@pytest.mark.rebuilds
def test_counts_equal_the_reference_ever_after(reference, tmp_path) -> None:
    """Everything from scratch, a file rewritten, an older export, a project that goes."""
    home = reference
    home.call("run", "--full-refresh")
    assert measured(home) == EXPECTED

    # The tracker rewrites its file with one more record, and an older export, in which what is
    # completed now was still pending, is found last.
    project = tmp_path / "V1_sessionbuddy_skill_metrics"
    current = project / ".session-buddy" / "skill_metrics.json"
    document = json.loads(current.read_text())
    older = json.loads(current.read_text())
    for record in older["invocations"]:
        record.update(completed=False, duration_seconds=None, error_type=None)
    older |= {"summary": {}, "exported_at": "2026-11-20T09:11:31"}
    document["invocations"].append(
        {**document["invocations"][0], "skill_name": "x", "invoked_at": "2026-11-20T10:00:00.5"}
    )
    current.write_text(json.dumps(document, indent=2))
    home.call("run")
    one_more = V1 | {"x": (2, 2, 0, 0)}
    assert measured(home) == EXPECTED | {project.name: one_more}
    (project / "metrics").mkdir()
    (project / "metrics" / "skill_metrics_old.json").write_text(json.dumps(older))
    home.call("run")
    assert measured(home) == EXPECTED | {project.name: one_more}

    # Opting out takes a project out of every aggregate; coming back brings it back.
    home.call("unregister", str(tmp_path / "union"))
    home.call("run")
    without = {name: skills for name, skills in EXPECTED.items() if name != "union"}
    assert measured(home) == without | {project.name: one_more}
    top = home.ask("skills", "top")["rows"]
    assert {row["skill_name"]: row["total_invocations"] for row in top} == {
        "crackerjack-run": 8, "session-checkpoint": 4, "x": 3, "crackerjack-init": 2,
        "code-review": 1, "pytest-run": 1, "ruff-check": 1,
    }  # fmt: skip
