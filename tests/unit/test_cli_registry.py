"""Registering projects and sources, listing them, and what the ledger knows of them."""

import json
from pathlib import Path

import duckdb
import pytest

from agentledger.settings import Settings
from tests.unit.conftest import Run
from tests.unit.published_ledger import publish_ledger


def test_projects_work_before_the_first_run(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "my shöp"
    folder.mkdir()
    assert run("register", str(folder) + "/", "--name", "shop", "--type", "web")[0] == 0
    code, out, _ = run("projects", "--json")
    assert code == 0
    (project,) = json.loads(out)["projects"]
    assert (project["name"], project["type"], project["path"]) == ("shop", "web", str(folder))
    assert (project["state"], project["ledger"]) == ("not read yet", {})
    assert "not read yet" in run("projects")[1]


def test_a_project_that_vanished_is_shown_as_missing(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    run("register", str(folder))
    folder.rmdir()
    assert "missing" in run("projects")[1]
    assert run("unregister", str(folder))[0] == 0
    assert json.loads(run("projects", "--json")[1])["projects"] == []


def test_projects_still_in_the_snapshot_are_shown_as_unregistered(
    run: Run, settings: Settings
) -> None:
    """Until the next run their numbers count, and the list says so."""
    publish_ledger(settings)
    projects = json.loads(run("projects", "--json")[1])["projects"]
    assert {(item["name"], item["state"]) for item in projects} >= {("shop", "unregistered")}
    assert "gone" not in {item["name"] for item in projects}


def test_folders_of_the_ledger_itself_are_no_projects(run: Run, settings: Settings) -> None:
    """Nobody registered them; one that holds uses of skills is shown, for they count."""
    with duckdb.connect(str(publish_ledger(settings))) as connection:
        connection.execute(
            "insert into marts.dim_projects (project_id, project_name, project_type, "
            "total_invocations, is_active) values ('r', '(reads)', 'own', 0, true), "
            "('s', '(spool)', 'own', 3, true), ('x', 'exports', 'source', 0, true)"
        )
    names = {item["name"] for item in json.loads(run("projects", "--json")[1])["projects"]}
    assert names >= {"shop", "(spool)", "exports"}
    assert "(reads)" not in names


def test_sources_are_added_listed_and_removed(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    assert run("source", "add", "skill-metrics", str(folder), "--zone", "Europe/Paris")[0] == 0
    (source,) = json.loads(run("source", "list", "--json")[1])["sources"]
    assert (source["location"], source["zone"]) == (str(folder), "Europe/Paris")
    assert "Europe/Paris" in run("source", "list")[1]
    assert run("source", "remove", "skill-metrics", str(folder))[0] == 0
    assert json.loads(run("source", "list", "--json")[1])["sources"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("register", "/there/is/no/such/folder"),
        ("register", ".", "--zone", "Mars/Base"),
        ("unregister", "/there/is/no/such/folder"),
        ("source", "add", "tea-leaves", "."),
        ("source", "remove", "skill-metrics", "/there/is/no/such/folder"),
        ("register",),
    ],
    ids=" ".join,
)
def test_bad_input_is_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err
    assert "Traceback" not in err
