"""What the pages say: the docs page, checks and models in words, previews."""

import copy
import threading
import urllib.request
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from agentledger.errors import AgentLedgerError
from orchestration import dbt_words, docs_page
from orchestration.local_server import require_free_port, serve_folder
from orchestration.previews import PREVIEW_KEY, PreviewBudget, as_markdown, relation_metadata

TEMPLATE = (
    "<html><head><title>dbt Docs</title></head>"
    f"<script>{docs_page.MANIFEST_SLOT},{docs_page.CATALOG_SLOT}</script></html>"
)
MODEL: dict[str, Any] = {
    "unique_id": "model.agentledger.top_skills",
    "resource_type": "model",
    "name": "top_skills",
    "schema": "marts",
    "group": "skills",
    "description": "Skills ranked | by use.\nOne row per skill.",
    "original_file_path": "../models/marts/skills/top_skills.sql",
    "patch_path": "agentledger://../models/marts/skills/top_skills.yml",
    "raw_code": "select 1",
    "columns": {"skill_name": {}},
    "meta": {"grain": ["project_id", "skill_name"], "publish": True},
    "config": {
        "contract": {"enforced": True},
        "meta": {"grain": ["project_id", "skill_name"], "publish": True},
    },
}


def manifest() -> dict[str, Any]:
    """A manifest of one published model and the overview."""
    return {
        "nodes": {MODEL["unique_id"]: copy.deepcopy(MODEL)},
        "groups": {"g": {"name": "skills", "description": "How.", "owner": {"name": "A team!"}}},
        "docs": {
            "d": {"name": "__overview__", "block_contents": f"Hello\n\n{docs_page.LIST_SENTENCE}"}
        },
    }


def test_the_overview_lists_what_is_published() -> None:
    """A model that somebody adds must stand there without anybody editing the page."""
    shown = docs_page.presented(manifest())
    overview = shown["docs"]["d"]["block_contents"]
    assert "[top_skills](#!/model/model.agentledger.top_skills)" in overview
    assert "Skills ranked \\| by use. One row per skill." in overview
    assert "**skills**: How." in overview
    assert docs_page.LIST_SENTENCE not in overview


def test_the_overview_of_the_project_still_holds_the_sentence_that_is_replaced() -> None:
    """Rewording it would leave the list out without a word."""
    repository = Path(__file__).resolve().parents[2]
    assert docs_page.LIST_SENTENCE in (repository / "models" / "docs.md").read_text("utf-8")


def test_meta_is_shown_in_words_and_files_from_the_root() -> None:
    """The tempting thing is to leave dbt's own: JSON, and a folder called ".."."""
    [node] = docs_page.presented(manifest())["nodes"].values()
    assert node["meta"] == {
        "one row per": "project_id, skill_name",
        "published": "yes, readers see it",
    }
    assert node["original_file_path"] == "models/marts/skills/top_skills.sql"


def test_a_description_cannot_end_the_script_of_the_page() -> None:
    """Descriptions are ours, names of columns in the catalogue need not be."""
    one = manifest()
    one["docs"]["d"]["block_contents"] = "</script><script>alert(1)</script>"
    page = docs_page.compose(TEMPLATE, one, {"nodes": {"x": "</script>"}})
    assert page.count("</script>") == 1
    assert page.index("Content-Security-Policy") < page.index("<title>AgentLedger docs")


def test_a_template_of_another_dbt_is_refused() -> None:
    """A page without data would look like an empty ledger."""
    with pytest.raises(AgentLedgerError, match="make setup"):
        docs_page.compose("<html></html>", manifest(), {})


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ({"description": "Said  so."}, "Said so."),
        ({"test_metadata": {"name": "not_null", "kwargs": {"column_name": "a"}}}, "`a` is never"),
        (
            {"test_metadata": {"name": "unique_combination", "kwargs": {"columns": ["a", "b"]}}},
            "One row per `a`, `b`",
        ),
        (
            {"test_metadata": {"name": "row_expression", "kwargs": {"expression": "a\n > 1"}}},
            "In every row: `a > 1`",
        ),
        (
            {
                "test_metadata": {
                    "name": "accepted_values",
                    "kwargs": {"column_name": "a", "values": ["x", "y"]},
                }
            },
            "`a` is one of `x`, `y`.",
        ),
        ({"raw_code": "{#- It adds up. -#}\nselect 1"}, "It adds up."),
        ({"raw_code": "select 1", "name": "a__adds_up"}, "a  adds up"),
    ],
    ids=["own", "not_null", "grain", "expression", "values", "comment", "name"],
)
def test_a_check_is_a_sentence(test: dict[str, Any], words: str) -> None:
    """A name like `top_skills__grain__unique` is for programs."""
    assert words in dbt_words.describe_check(test)


def test_a_model_names_its_owner_its_files_and_its_fate() -> None:
    """Dagster takes an address or a team for an owner, and dbt's owner has a name alone."""
    assert dbt_words.owner_of(manifest(), MODEL) == "team:a-team"
    assert dbt_words.owner_of({"groups": {}}, MODEL) == dbt_words.MAINTAINERS
    assert "Published" in dbt_words.describe_model(MODEL)
    linked = dbt_words.link_model(MODEL)
    assert linked["SQL file"] == "models/marts/skills/top_skills.sql"
    assert linked["contract, enforced (1)"] == "models/marts/skills/top_skills.yml"
    assert linked["one row per"] == "project_id, skill_name"


def test_a_cell_is_text_whatever_stands_in_it() -> None:
    """As markdown, an image in a skill's name would be fetched by the reader's browser."""
    shown = as_markdown(pd.DataFrame({"skill": ["![x](http://a.b/c)", "__all__", None]}))
    assert "![" not in shown
    assert "http://" not in shown
    assert "\\_\\_all\\_\\_" in shown


def test_a_preview_that_would_take_too_long_is_left_out() -> None:
    """A view is computed whole for its first row; the run must not wait for that."""
    with duckdb.connect() as connection:
        connection.execute("create view endless as select * from range(1000000000000) t (n)")
        connection.execute("create table short as select 1 as n")
        budget = PreviewBudget(0.1)
        slow = "(select count(*) as n from endless where n % 7 = 3) as endless"
        assert relation_metadata(connection, slow, ["n"], budget) == {}
        assert relation_metadata(connection, "short", ["n"], budget) == {}
        shown = relation_metadata(connection, "short", ["n"], PreviewBudget())
        assert shown["dagster/row_count"].value == 1
        assert "1" in shown[PREVIEW_KEY].md_str


def test_a_taken_port_is_said_before_the_work(tmp_path: Path) -> None:
    """Dagster would need half a minute to find out."""
    (tmp_path / "index.html").write_text("hello")
    with serve_folder(tmp_path, 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/index.html"
        with urllib.request.urlopen(address, timeout=10) as response:  # noqa: S310 - our own
            assert response.read() == b"hello"
        for ask in (require_free_port, lambda port: serve_folder(tmp_path, port)):
            with pytest.raises(AgentLedgerError, match=r"is taken\. Choose another with --port"):
                ask(server.server_port)
        server.shutdown()
    require_free_port(server.server_port)
