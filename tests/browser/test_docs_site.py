"""The dbt docs site, as a reader sees it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentledger.settings import Settings, process_environment
from orchestration.manifest import manifest_path
from tests.browser import services

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]

SHOWN_IN_GRAPH = """() => {
    const graph = angular.element(document.body).injector().get('graph').graph;
    const named = ({group, data}) =>
        group === 'edges' ? [data.source, data.target] : data.unique_id;
    return graph.elements.filter(one => one.data.display === 'element').map(named);
}"""
"""The graph is drawn on a canvas: its elements are asked for where the page keeps them."""


def published_models() -> list[dict[str, Any]]:
    """Every model whose YAML says `meta.publish: true`, of whatever subject."""
    if not manifest_path().exists():
        return []
    nodes = json.loads(manifest_path().read_text("utf-8"))["nodes"].values()
    chosen = [
        node
        for node in nodes
        if node["resource_type"] == "model" and node["config"]["meta"].get("publish") is True
    ]
    return sorted(chosen, key=lambda node: node["name"])


@pytest.mark.parametrize("model", published_models(), ids=lambda model: model["name"])
def test_the_page_of_a_named_output_tells_all_about_it(
    docs: str, page: "Page", model: dict[str, Any]
) -> None:
    """Should show description, grain, every column with its meaning, and the lineage."""
    page.goto(f"{docs}/#!/model/{model['unique_id']}")
    page.get_by_role("heading", name=model["name"]).wait_for()

    assert flat(model["description"]) in flat(page.locator(".model-markdown").first.inner_text())
    details = flat(page.locator(".details").first.inner_text())
    assert f"one row per {', '.join(model['config']['meta']['grain'])}".lower() in details.lower()
    assert "readers see it" in details

    rows = [flat(row) for row in page.locator(".column-row").all_inner_texts()]
    for column in model["columns"].values():
        row = next((row for row in rows if row.startswith(f"{column['name']} ")), "")
        assert flat(column["description"]) in row, f"{column['name']}: {row!r}"

    for parent in model["depends_on"]["nodes"]:
        assert parent.rpartition(".")[2] in page.locator("#depends_on + *").inner_text()
    page.locator(".launcher-btn").first.click()
    page.locator("canvas").first.wait_for()
    page.wait_for_function(f"({SHOWN_IN_GRAPH})().length > 0")
    shown = page.evaluate(SHOWN_IN_GRAPH)
    for parent in model["depends_on"]["nodes"]:
        assert parent in shown
        assert [parent, model["unique_id"]] in shown


def test_the_overview_answers_what_a_visitor_asks(docs: str, page: "Page") -> None:
    """Should list every published relation, with links that lead to its page."""
    page.goto(docs)
    page.get_by_role("heading", name="Questions, and where the answer is").wait_for()
    overview = page.inner_text("body")
    for heading in ("How to read a number", "From a cell back to the file", "Privacy"):
        assert heading in overview
    for model in published_models():
        assert model["name"] in overview, f"{model['name']} is not on the overview"
    page.get_by_role("link", name="skill_insights", exact=True).first.click()
    page.get_by_role("heading", name="skill_insights").wait_for()
    assert page.title() == "AgentLedger docs"


def test_the_lineage_runs_from_the_source_to_the_readers(docs: str, page: "Page") -> None:
    """Should draw raw tables, models and readers; the tempting default draws every test, too."""
    page.goto(f"{docs}/#!/overview?g_v=1")
    page.locator("canvas").first.wait_for()
    page.wait_for_function(f"({SHOWN_IN_GRAPH})().length > 0")
    shown = page.evaluate(SHOWN_IN_GRAPH)
    for step in (
        ["source.agentledger.raw.skill_usage", "model.agentledger.stg_skill_metrics__invocations"],
        ["model.agentledger.fct_skill_invocations", "model.agentledger.skill_aggregates"],
        ["model.agentledger.skill_aggregates", "model.agentledger.top_skills"],
        ["model.agentledger.top_skills", "exposure.agentledger.command_line"],
    ):
        assert step in shown
    nodes = [one for one in shown if isinstance(one, str)]
    assert [one for one in nodes if one.startswith(("test.", "unit_test."))] == []


def test_the_browser_refuses_what_would_leave_the_page(docs: str, page: "Page") -> None:
    """Should hold back even what a script of the page asks for: dbt's own has a tracker."""
    page.goto(docs)
    page.get_by_role("heading", name="AgentLedger").first.wait_for()
    refused = page.evaluate(
        """async () => {
            try { await fetch('/index.html'); return 'sent'; } catch { return 'refused'; }
        }"""
    )
    assert refused == "refused"


def test_the_port_is_asked_for_before_the_work(docs: str, ledger: Settings) -> None:
    """Should say that the port is taken at once, and what to do; not after ten seconds of dbt."""
    port = docs.rpartition(":")[2]
    done = call(ledger, "docs", "--port", port)
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_site_can_be_made_before_the_first_run(tmp_path: Path) -> None:
    """Should document an empty ledger: `make docs` is what many type first."""
    done = call(Settings(home=tmp_path / "home", host_zone="UTC"), "docs", "--no-serve")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).stat().st_mode & 0o777 == 0o600
    assert "skill_aggregates" in Path(done.stdout.strip()).read_text("utf-8")


def call(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of ours to its end."""
    return subprocess.run(
        [sys.executable, "-m", "agentledger.cli.main", *arguments],
        env=process_environment(settings, {}),
        capture_output=True,
        text=True,
        timeout=services.START_SECONDS,
        check=False,
    )


def flat(text: str) -> str:
    """Text without markup and line breaks, as two writers of the same sentence agree on it."""
    return " ".join(text.replace("`", "").replace("**", "").split())
