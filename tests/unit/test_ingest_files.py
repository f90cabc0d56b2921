"""Which files are read, when, and what the ledger of files remembers."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry
from agentledger.ingest import plan

Build = Callable[..., dict[str, Any]]


def v2(*records: dict[str, Any]) -> dict[str, Any]:
    return {"invocations": list(records)}


def test_an_unchanged_file_is_not_opened(ledger, make_invocation: Build, monkeypatch) -> None:
    path = ledger.write(v2(make_invocation()))
    ledger.collect()
    read = Path.read_bytes

    def refuse(self: Path) -> bytes:
        return pytest.fail("the source was opened") if self == path else read(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    report = ledger.collect()
    assert report.totals()["files_skipped"] == 1


def test_a_rewrite_of_same_length_and_time_is_seen(ledger, make_invocation: Build) -> None:
    """The tempting change is to compare size and modification time only."""
    path = ledger.write(v2(make_invocation(session_id="s-1")))
    before = path.stat()
    ledger.collect()
    path.write_text(path.read_text().replace("s-1", "s-2"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert ledger.collect().totals()["accepted"] == 1


def test_found_equals_collected_plus_skipped_plus_quarantined(
    ledger, make_invocation: Build
) -> None:
    ledger.write(v2(make_invocation()))
    ledger.collect()
    ledger.write(b"junk", name="skill_metrics_other.json")
    ledger.write(v2(make_invocation(session_id="b")), name="skill_metrics.export.json")
    totals = ledger.collect().totals()
    assert [
        totals[f"files_{name}"] for name in ("found", "collected", "skipped", "quarantined")
    ] == [3, 1, 1, 1]
    assert ledger.rows(
        "select count(*) from raw.collection_runs where found <> collected + skipped + quarantined"
    ) == [(0,)]


def test_accepted_rejected_and_known_add_up_to_what_was_read(
    ledger, make_invocation: Build
) -> None:
    ledger.write(v2(make_invocation(), make_invocation(skill_name=None)))
    ledger.collect()
    ledger.write(
        v2(make_invocation(), make_invocation(skill_name=None), make_invocation(session_id="c"))
    )
    ledger.collect()
    assert ledger.rows(
        "select records_read, accepted, rejected, already_known from raw.file_loads "
        "order by load_seq"
    ) == [(2, 1, 1, 0), (3, 1, 1, 1)]
    assert ledger.rows("select count(*) from raw.rejects") == [(1,)]


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "quote'd",
        'double"quote',
        "glob*[a]?",
        "-dash",
        "ünïcödé 漢字",
        "new\nline",
        "a" * 200,
    ],
)
def test_any_folder_name_is_data(ledger, make_invocation: Build, name: str) -> None:
    ledger.write(v2(make_invocation()), project=name)
    assert ledger.collect().totals()["accepted"] == 1


def test_a_file_name_that_is_not_utf8_is_read(ledger, make_invocation: Build) -> None:
    folder = ledger.project()
    name = os.fsencode(folder / ".session-buddy") + b"/skill_metrics_\xff.json"
    with open(name, "wb") as stream:  # noqa: PTH123 - a bytes path
        stream.write(json.dumps(v2(make_invocation())).encode())
    assert ledger.collect().totals()["accepted"] == 1


def test_links_and_second_paths_count_once(ledger, make_invocation: Build) -> None:
    path = ledger.write(v2(make_invocation()))
    path.with_name("skill_metrics_link.json").symlink_to(path)
    os.link(path, path.with_name("skill_metrics_hard.json"))
    (path.parent / "loop").symlink_to(path.parent)
    ledger.projects.joinpath("alias").symlink_to(ledger.projects / "alpha")
    registry.register_project(ledger.settings, str(ledger.projects / "alias"))
    registry.register_project(ledger.settings, str(ledger.projects / "alpha") + "/")
    totals = ledger.collect().totals()
    assert (totals["files_found"], totals["accepted"]) == (1, 1)


def test_a_link_out_of_the_project_is_refused(
    ledger, make_invocation: Build, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps(v2(make_invocation())))
    folder = ledger.project()
    (folder / ".session-buddy" / "skill_metrics.json").symlink_to(outside)
    report = ledger.collect()
    assert report.totals()["accepted"] == 0
    assert [problem.reason for problem in report.sources[0].problems] == ["outside_root"]


def test_a_directory_or_a_pipe_in_place_of_a_file_is_named(ledger) -> None:
    folder = ledger.project() / ".session-buddy"
    (folder / "skill_metrics.json").mkdir()
    os.mkfifo(folder / "skill_metrics_pipe.json")
    report = ledger.collect()
    assert [problem.reason for problem in report.sources[0].problems] == ["not_a_file"] * 2


def test_an_unreadable_file_costs_that_file(ledger, make_invocation: Build, monkeypatch) -> None:
    ledger.write(v2(make_invocation()), "good")
    bad = ledger.write(v2(make_invocation()), "bad")
    read = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self == bad:
            raise PermissionError(13, "Permission denied")
        return read(self)

    # Root may read everything, so the refusal is made here.
    monkeypatch.setattr(Path, "read_bytes", refuse)
    report = ledger.collect()
    assert report.totals() | {"accepted": 1, "files_quarantined": 1} == report.totals()
    problem = next(source for source in report.sources if source.problems).problems[0]
    assert (problem.path, problem.reason, problem.detail) == (
        str(bad), "unreadable", "Permission denied",
    )  # fmt: skip


def test_the_innermost_project_owns_a_file(ledger, make_invocation: Build) -> None:
    ledger.project("outer")
    inner = ledger.projects / "outer" / "packages" / "inner"
    (inner / ".session-buddy").mkdir(parents=True)
    (inner / ".session-buddy" / "skill_metrics.json").write_text(json.dumps(v2(make_invocation())))
    registry.register_project(ledger.settings, str(inner))
    report = ledger.collect()
    assert {s.project_name: s.accepted for s in report.sources} == {"outer": 0, "inner": 1}


def test_the_source_is_never_opened_for_writing(ledger, make_invocation: Build) -> None:
    path = ledger.write(v2(make_invocation()))
    path.chmod(0o400)
    before = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ctime_ns)
    ledger.collect()
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ctime_ns) == before


def test_a_file_that_keeps_changing_is_read_again_next_time(
    ledger, make_invocation: Build, monkeypatch
) -> None:
    from agentledger.ingest import source_file

    path = ledger.write(v2(make_invocation()))
    sizes = iter(range(1000))
    monkeypatch.setattr(source_file, "facts", lambda _path: (next(sizes), 0, 0))
    monkeypatch.setattr(source_file, "STABLE_READ_WAIT_SECONDS", 0.0)
    ledger.collect()
    assert ledger.rows("select state, accepted from raw.files") == [("changing", 1)]
    monkeypatch.undo()
    report = ledger.collect()
    assert path.exists()
    assert report.totals()["already_known"] == 1


def test_new_work_is_level_triggered(ledger, make_invocation: Build) -> None:
    """An edge-triggered answer would lose a tick; this one says yes until the work is done."""
    assert plan.new_work(ledger.settings).anything
    ledger.write(v2(make_invocation()))
    for _ in range(3):
        assert plan.new_work(ledger.settings).anything


def test_a_vanished_project_is_a_problem_and_no_crash(ledger) -> None:
    folder = ledger.project()
    (folder / ".session-buddy").rmdir()
    folder.rmdir()
    report = ledger.collect()
    assert report.sources[0].problems[0].reason == "vanished"


def test_a_second_attempt_at_a_run_counts_the_first_one_too(
    ledger, make_invocation: Build, monkeypatch
) -> None:
    """The tempting change is a plain insert: the retry of a failed step met its own rows."""
    ledger.write(v2(make_invocation()))
    ledger.collect()
    ledger.write(v2(make_invocation(), make_invocation(session_id="b")), "beta")
    monkeypatch.setattr(ledger, "runs", [])  # the same run id again
    report = ledger.collect()
    assert (report.totals()["files_collected"], report.totals()["accepted"]) == (2, 3)
    assert ledger.rows(
        "select sum(found), sum(collected), sum(accepted) from raw.collection_runs"
    ) == [(2, 2, 3)]


def test_a_worktree_is_read_where_it_lies_and_counts_to_its_repository(
    ledger, make_invocation: Build
) -> None:
    main = ledger.project("main")
    tree = ledger.project("tree")
    (main / ".git" / "worktrees" / "tree").mkdir(parents=True)
    (tree / ".git").write_text(f"gitdir: {main}/.git/worktrees/tree\n")
    ledger.write(v2(make_invocation()), "main")
    ledger.write(v2(make_invocation(session_id="b")), "tree")
    assert ledger.collect().totals()["accepted"] == 2
    assert ledger.rows("select project_name from raw.projects where is_active") == [("main",)]
    assert ledger.rows("select count(distinct project_id), count(*) from raw.skill_usage") == [
        (1, 2)
    ]


@pytest.mark.parametrize("is_file", [True, False])
def test_a_source_outside_the_projects_is_read_from_file_or_folder(
    ledger, make_invocation: Build, tmp_path: Path, is_file: bool
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    file = folder / ("any-name.json" if is_file else "skill_metrics_export.json")
    file.write_text(json.dumps(v2(make_invocation())))
    registry.add_source(ledger.settings, "skill-metrics", str(file if is_file else folder))
    assert ledger.collect().totals()["accepted"] == 1
    registry.remove_source(ledger.settings, "skill-metrics", str(file if is_file else folder))
    ledger.collect()
    assert ledger.rows("select count(*) from raw.projects where is_active") == [(0,)]


def test_a_load_that_gave_nothing_does_not_forget_the_rows_of_the_file(
    ledger, make_invocation: Build
) -> None:
    """The tempting change is to ask the last load alone: emptied and refilled, all would double."""
    content = {"invocations": [make_invocation(), make_invocation(session_id="s-2")]}
    ledger.write(content)
    ledger.collect()
    ledger.write(b"")
    ledger.collect()
    ledger.write(content)
    totals = ledger.collect().totals()
    assert (totals["accepted"], totals["already_known"]) == (0, 2)
    assert ledger.rows("select count(*) from raw.skill_usage") == [(2,)]
