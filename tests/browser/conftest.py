"""Fixtures of the browser tests: headless Chromium, and a page whose every request is recorded.

Belongs here: fixtures alone. Does not belong here: the ledger and its servers (`services.py`).

The driver is imported when a test runs, not before: `make test` collects these files, too, and
`make setup` does not install it.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentledger.settings import Settings
from orchestration.manifest import prepare_manifest
from tests.browser import services

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WAIT_MILLISECONDS = 120_000
"""How long a page may take to show what is expected; it takes seconds on an idle machine."""

CHROMIUM_FLAGS = (
    "--no-sandbox",  # CI runs as root, for whom Chromium has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Names lead nowhere: what would leave this machine fails, and stands in the record of requests.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)

LOCAL = re.compile(r"^(https?|wss?)://127\.0\.0\.1(:\d+)?/|^(data|blob|about):")


@pytest.fixture(scope="session", autouse=True)
def prepared_manifest(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What `make manifest` does; nothing when it is up to date."""
    prepare_manifest(Settings(home=tmp_path_factory.mktemp("manifest"), host_zone="UTC"))


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A data home that one run has filled and published; a fifth of its records is rejected."""
    return services.make_ledger(tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="session")
def ui(ledger: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the Dagster UI of the ledger."""
    log = tmp_path_factory.mktemp("ui") / "dev.log"
    with services.served(ledger, "dev", log, services.answers) as address:
        yield address


@pytest.fixture(scope="session")
def docs(ledger: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the dbt docs site of the ledger."""
    log = tmp_path_factory.mktemp("docs") / "docs.log"
    with services.served(ledger, "docs", log, services.says_so) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium of the system, with an empty profile."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="`make test-browser` installs the driver of Chromium"
    )
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "no Chromium on PATH: `make test-browser` says how to install it"
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        yield started
        started.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Let the fixture of the page know whether its test failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture
def page(browser: "Browser", request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Page"]:
    """A page of its own; afterwards no request of it may have left this machine.

    Its last look is kept as `page.png` in the test's folder, and named when the test failed.
    """
    context = browser.new_context(viewport={"width": 1500, "height": 950})
    context.set_default_timeout(WAIT_MILLISECONDS)
    asked: list[str] = []
    context.on("request", lambda one: asked.append(one.url))
    opened = context.new_page()
    opened.on("websocket", lambda one: asked.append(one.url))
    yield opened
    picture = tmp_path / "page.png"
    opened.screenshot(path=picture)
    if request.node.stash.get(FAILED, False):
        print(f"what the page looked like: {picture}")  # noqa: T201 - shown with the failure
    context.close()
    assert asked, "nothing was requested: the record of requests is broken"
    assert [url for url in asked if not LOCAL.match(url)] == []
