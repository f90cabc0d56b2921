"""What is exported of what agents have proven: with consent, once per content."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agentledger import knowledge_export
from agentledger.settings import Settings


def row(pattern: str, reason: str | None) -> dict[str, Any]:
    return {
        "pattern": pattern,
        "reason": reason,
        "success_rate": 0.98,
        "success_rate_low": 0.93,
        "success_rate_high": 0.9945,
        "tasks": 100,
        "uses": 120,
        "agents": 2,
        "succeeded": 98,
        "failed": 2,
        "known_outcomes": 100,
        "quality": 0.9,
        "judged_at": "2026-03-01T12:34:00Z",
    }


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home whose snapshot holds one pattern that passes and one that does not."""
    build = SimpleNamespace(as_of=datetime(2026, 3, 10, tzinfo=UTC))
    answer = SimpleNamespace(
        build=build, records=lambda: [row("nats", None), row("retry", "wilson_lo")]
    )

    @contextmanager
    def opened(_: Settings) -> Iterator[None]:
        yield None

    monkeypatch.setattr(knowledge_export, "open_snapshot", opened)
    monkeypatch.setattr(knowledge_export, "read_answer", lambda *_: answer)
    home = tmp_path / "home"
    home.mkdir()
    return Settings(home=home, host_zone="UTC")


def test_nothing_leaves_without_consent(settings: Settings) -> None:
    """Should name the gate, and write no file."""
    report = knowledge_export.export(settings)
    assert report.refused == {"nats": "no_consent", "retry": "wilson_lo"}
    assert report.path is None
    assert not settings.exports_dir.exists()


def test_the_same_content_is_exported_once(settings: Settings) -> None:
    """Should write JSON and Markdown, and nothing the second time."""
    settings.config_path.write_text("[export]\nconsent = true\n", encoding="utf-8")
    first = knowledge_export.export(settings)
    assert first.path is not None
    written = json.loads(first.path.read_text("utf-8"))
    assert [one["pattern"] for one in written["patterns"]] == ["nats"]
    assert "nats" in first.path.with_suffix(".md").read_text("utf-8")
    # Made to be shared: who judged when is nobody's business.
    assert "12:34" not in first.path.read_text("utf-8")
    again = knowledge_export.export(settings)
    assert again.path is None
    assert again.reason is not None
    assert first.path.name in again.reason
    assert len(list(first.path.parent.iterdir())) == 2
