"""The Dagster UI, as a person works with it: look, start, and see what is wrong."""

import contextlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import duckdb
import pytest

from agentledger import warehouse
from agentledger.settings import Settings
from tests.browser import services

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Response

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]

ADDS_UP = "skill_aggregates__all_projects__add_up"

DRAWN_EDGES = """() => [...document.querySelectorAll('svg path')].filter(path =>
    path.closest('svg').querySelector('foreignObject') && path.getBBox().width > 20).length"""


def test_the_asset_graph_shows_the_lineage(ui: str, page: "Page") -> None:
    """Should draw every layer from the source files to the snapshot, in that order."""
    # Only what lies within the window is drawn.
    page.set_viewport_size({"width": 2400, "height": 1800})
    page.goto(f"{ui}/assets/published/snapshot?view=lineage&lineageScope=upstream&lineageDepth=99")
    nodes = page.locator("foreignObject")
    names = ("skill_metrics", "skill_usage", "fct_", "skill_aggregates", "top_skills", "snapshot")
    places = []
    for name in names:
        node = nodes.filter(has_text=re.compile(f"^{name}")).first
        node.wait_for()
        box = node.bounding_box()
        assert box is not None, f"{name} is not drawn"
        places.append(box["x"])
    assert places == sorted(places), dict(zip(names, places, strict=True))
    labels = nodes.all_text_contents()
    for group in ("source_files", "raw", "staging", "intermediate", "skills", "publish"):
        assert group in labels
    assert page.evaluate(DRAWN_EDGES) >= len(names) - 1


def test_a_materialisation_started_here_succeeds_and_shows_its_rows(ui: str, page: "Page") -> None:
    """Should end well, and show row count and first rows; of public columns alone."""
    page.goto(f"{ui}/assets/marts/skill_aggregates")
    with page.expect_response(is_launch) as launched:
        button(page, "Materialize").click()
    run_id = re.findall(r'"(?:runId|id)":\s*"([0-9a-f-]{36})"', launched.value.text())[0]
    page.goto(f"{ui}/runs/{run_id}")
    page.get_by_text(re.compile("^(Success|Failure)$")).first.wait_for()
    assert page.get_by_text("Success", exact=True).first.is_visible()

    page.goto(f"{ui}/assets/marts/skill_aggregates")
    page.get_by_text("Row count", exact=True).wait_for()
    row = page.get_by_role("row").filter(has_text="preview (public columns)")
    row.get_by_text("[Show Markdown]").click()
    preview = page.get_by_role("dialog")
    preview.get_by_text("skill_name").wait_for()
    assert "review" in preview.inner_text()
    assert services.PRIVATE_TEXT not in page.content()


def test_an_asset_says_what_it_is_and_where_it_comes_from(ui: str, page: "Page") -> None:
    """Should show description, owner, tags and the files of SQL and contract."""
    page.goto(f"{ui}/assets/marts/top_skills")
    page.locator("a", has_text="top_skills.sql").first.wait_for()
    page.get_by_text("models/marts/skills/top_skills.yml").first.wait_for()
    # The description is rendered by a part of the page that loads later than the rest.
    page.get_by_text("bucket_start and skill_name.").first.wait_for()
    said = page.inner_text("body")
    for words in (
        "One row per project_id, time_window, bucket_start and skill_name.",
        "Published: readers find it in the snapshot.",
        "agentledger-maintainers",
        "layer: marts",
    ):
        assert words in said


def test_a_warning_is_visible_as_such(ui: str, page: "Page") -> None:
    """Should show the check that a fifth of the records was rejected, with count and reason."""
    page.goto(f"{ui}/assets/raw/rejects?view=checks&checkDetail=few_records_are_rejected")
    page.get_by_text("5 of 25 record(s) rejected: missing_skill_name (5)").wait_for()
    assert page.get_by_text("Failed", exact=False).first.is_visible()
    assert "A warning only" in page.inner_text("body")


def test_an_error_is_visible_as_such(ui: str, ledger: Settings, page: "Page") -> None:
    """Should turn the check red when records are missing from the count."""
    with one_record_lost(ledger):
        page.goto(f"{ui}/assets/raw/file_loads?view=checks&checkDetail=no_record_is_lost")
        page.get_by_text("Passed", exact=True).first.wait_for()
        button(page, "Execute").click()
        page.get_by_text("Records are missing from the count").wait_for()
        assert page.get_by_text("Failed", exact=True).first.is_visible()


def test_a_check_says_what_it_claims(ui: str, page: "Page") -> None:
    """Should say it in a sentence, where the name is for programs."""
    check = "skill_aggregates__grain__unique"
    page.goto(f"{ui}/assets/marts/skill_aggregates?view=checks&checkDetail={check}")
    page.get_by_text("One row per").first.wait_for()
    assert "no two rows have the same" in page.inner_text("body")
    page.goto(f"{ui}/assets/marts/skill_aggregates?view=checks&checkDetail={ADDS_UP}")
    page.get_by_text("is the sum of its project rows, sessions included").first.wait_for()


def test_nobody_is_asked_to_sign_up(ui: str, page: "Page") -> None:
    """Should open on the runs of this ledger, without a window in front of them."""
    page.goto(ui)
    page.get_by_text("refresh", exact=True).first.wait_for()
    assert page.get_by_role("dialog").count() == 0


def test_jobs_and_schedules_say_what_they_are_for(ui: str, page: "Page") -> None:
    """Should describe a job where it is started."""
    page.goto(f"{ui}/jobs")
    page.get_by_text("refresh", exact=True).first.click()
    page.get_by_text("The whole ledger").first.wait_for()


def button(page: "Page", words: str) -> "Locator":
    """A button by its words; its accessible name holds that of its icon, too."""
    return page.locator("button", has_text=re.compile(f"^{words}$"))


def is_launch(response: "Response") -> bool:
    """Whether the UI was told the id of a run it had asked for."""
    return "graphql" in response.url and "LaunchRunSuccess" in response.text()


@contextlib.contextmanager
def one_record_lost(settings: Settings) -> Iterator[None]:
    """Falsify the count of the last collection, under the lock, and put it right afterwards."""

    def add(number: int) -> None:
        with (
            warehouse.hold_run_lock(settings),
            duckdb.connect(str(settings.warehouse_path)) as connection,
        ):
            connection.execute(
                f"update raw.file_loads set accepted = accepted + {number} "
                "where run_id = (select collected_by from raw.run_context)"
            )

    add(-1)
    try:
        yield
    finally:
        add(1)
