"""The child that runs dbt tells its parent what people want to know, and nothing else."""

import io
import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration import dbt_worker


class Events:
    """What one `_EventLog` wrote, as the parent and as a person reads it."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys, self.file = capsys, io.StringIO()
        self.write = dbt_worker._EventLog(self.file)

    def written(self) -> list[dict[str, Any]]:
        told = self.capsys.readouterr().out
        assert told == self.file.getvalue()
        return [json.loads(line) for line in told.splitlines()]


@pytest.fixture
def events(capsys: pytest.CaptureFixture[str]) -> Events:
    return Events(capsys)


def _message(text: str, level: str) -> Any:
    from dbt_common.events.base_types import EventLevel, msg_from_base_event
    from dbt_common.events.types import Note

    return msg_from_base_event(Note(msg=text), level=EventLevel(level))


def test_what_people_want_to_know_reaches_the_parent_and_the_file(events: Events) -> None:
    for level in ("info", "warn", "error"):
        events.write(_message(f"a thing of level {level}", level))
    found = [(line["info"]["level"], line["info"]["msg"]) for line in events.written()]
    assert found == [(level, f"a thing of level {level}") for level in ("info", "warn", "error")]


def test_a_debug_event_is_never_made_into_a_line(events: Events) -> None:
    """Formatting them before dropping them cost a seventh of each build."""
    for level in ("debug", "test"):
        # It has no text at all: to format it would fail.
        events.write(SimpleNamespace(info=SimpleNamespace(level=level)))
    assert events.written() == []


def test_a_secret_of_the_environment_is_not_written(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_ENV_SECRET_TOKEN", "hunter2-hunter2")
    events.write(_message("connected with hunter2-hunter2", "info"))
    [line] = events.written()
    assert line["info"]["msg"] == "connected with *****"


def test_lines_of_two_threads_do_not_mix(events: Events) -> None:
    def tell(name: str) -> None:
        for number in range(200):
            events.write(_message(f"{name} {number}", "info"))

    threads = [threading.Thread(target=tell, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [line["info"]["msg"] for line in events.written()]
    assert sorted(told) == sorted(
        f"{name} {number}" for name in ("one", "two") for number in range(200)
    )
