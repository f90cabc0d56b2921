"""Nothing is lost, torn or raised: processes, forks, kills, full queues, bad disks."""

import errno
import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agentledger.emit import EventWriter, IntentRecorder, spool

ROOT = Path(spool.__file__).parents[2]


def lines(home: Path) -> list[dict[str, Any]]:
    files = sorted((home / "spool").iterdir())
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def start(code: str, *args: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_eight_processes_lose_and_tear_nothing(tmp_path: Path) -> None:
    """Should flush at exit without being asked, each process into its own file."""
    code = (
        "import sys; from agentledger.emit import EventWriter; w = EventWriter(sys.argv[1])\n"
        "for n in range(1000): w.write('usage_events', {'p': sys.argv[2], 'n': n})"
    )
    for process in [start(code, tmp_path, number) for number in range(8)]:
        process.communicate(timeout=30)
        assert process.returncode == 0
    seen = [(event["p"], event["n"]) for event in lines(tmp_path)]
    assert sorted(seen) == sorted((str(p), n) for p in range(8) for n in range(1000))
    files = list((tmp_path / "spool").iterdir())
    assert len(files) == 8
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700


def test_a_forked_child_writes_its_own_events_only(tmp_path: Path) -> None:
    """The tempting change is to keep the queue: the child would write the parent's events again."""
    code = """
import os, sys
from agentledger.emit import EventWriter
w = EventWriter(sys.argv[1], linger_seconds=0.3)
w.write('usage_events', {'who': 'before'}); w.flush()
w.write('usage_events', {'who': 'waiting'})
child = os.fork()
if not child:
    w.write('usage_events', {'who': 'child'})
    assert w.stats()['written'] + w.stats()['queued'] == 1
    sys.exit(0)
w.write('usage_events', {'who': 'parent'})
os.waitpid(child, 0)
"""
    process = start(code, tmp_path)
    process.communicate(timeout=30)
    assert sorted(event["who"] for event in lines(tmp_path)) == [
        "before",
        "child",
        "parent",
        "waiting",
    ]
    assert len(list((tmp_path / "spool").iterdir())) == 2


def _emit_one(writer: EventWriter) -> None:
    writer.write("usage_events", {"pid": os.getpid()})


def test_children_of_multiprocessing_flush_as_they_end(tmp_path: Path) -> None:
    """The tempting change is to trust `atexit`, which multiprocessing does not run."""
    writer = EventWriter(tmp_path, linger_seconds=5)
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_emit_one, args=(writer,)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(10)
    assert {event["pid"] for event in lines(tmp_path)} == {child.pid for child in children}


def test_a_kill_loses_only_what_was_not_flushed(tmp_path: Path) -> None:
    """Should keep every event up to the last flush, with at most the last line torn."""
    code = """
import sys
from agentledger.emit import EventWriter
w, n = EventWriter(sys.argv[1], rotate_bytes=20000, linger_seconds=0), 0
while True:
    w.write('usage_events', {'n': n, 'pad': 'x' * 200}); n += 1
    if n % 50 == 0:
        w.flush()
        print(n, flush=True)
"""
    process = start(code, tmp_path)
    assert process.stdout is not None
    flushed = 0
    deadline = time.monotonic() + 0.7
    for text in process.stdout:
        flushed = int(text)
        if time.monotonic() > deadline:
            process.kill()
            break
    assert flushed > 0
    for text in process.stdout:
        flushed = int(text) if text.endswith("\n") else flushed
    process.wait(10)
    assert process.returncode == -signal.SIGKILL
    kept, torn = set(), 0
    for file in (tmp_path / "spool").iterdir():
        *whole, tail = file.read_bytes().split(b"\n")
        kept |= {json.loads(line)["n"] for line in whole}
        torn += tail != b""
    assert torn <= 1
    assert set(range(flushed)) <= kept


def test_a_full_queue_drops_and_counts(tmp_path: Path) -> None:
    """Should refuse at once instead of making the host wait."""
    writer = EventWriter(tmp_path, queue_events=10, linger_seconds=60)
    with writer._writing:  # a disk that hangs
        accepted = [writer.write("usage_events", {"n": n}) for n in range(25)]
        assert not writer.flush(0.01)
        assert accepted == [True] * 10 + [False] * 15
        assert writer.stats()["queued"] == 10
    writer.close()
    assert not writer.write("usage_events", {})
    assert writer.stats() == {
        "queued": 0,
        "written": 10,
        "dropped": 16,
        "failed": 0,
        "last_error": None,
    }


@pytest.mark.parametrize("home", ["none", "a file", "below a file"])
def test_a_home_that_cannot_be_written_is_counted(tmp_path: Path, home: str) -> None:
    """Should never raise, whatever the disk says (tests may run as root: no chmod)."""
    (tmp_path / "file").write_text("")
    paths = {"none": None, "a file": tmp_path / "file", "below a file": tmp_path / "file" / "home"}
    writer = EventWriter(paths[home])
    writer.write("usage_events", {"n": 1})
    writer.write("../escape", {"n": 1})
    writer.write("usage_events", {"n": {1, 2}})
    assert not writer.write("usage_events", 7)  # type: ignore[arg-type]
    writer.close()
    # Without a home nothing is looked at further; a set and a number are no events anywhere.
    lost = (2, 2) if home == "none" else (1, 3)
    assert (writer.stats()["dropped"], writer.stats()["failed"]) == lost
    assert writer.stats()["queued"] == 0
    assert writer.stats()["last_error"] is not None


def test_a_full_disk_counts_and_recovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tempting change is to go on in the same file: two halves would make one bad line."""
    writer = EventWriter(tmp_path, linger_seconds=60)
    room, real = [14], os.write

    def limited(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "full")
        n = real(descriptor, bytes(data)[: room[0]])
        room[0] -= n
        return n

    for n in range(3):
        writer.write("usage_events", {"n": n})  # 8 bytes each
    monkeypatch.setattr(os, "write", limited)
    writer.flush()
    monkeypatch.undo()
    writer.write("usage_events", {"n": 9})
    writer.close()
    stats = writer.stats()
    assert (stats["written"], stats["dropped"], stats["failed"], stats["queued"]) == (2, 2, 0, 0)
    assert stats["last_error"] == "OSError"
    contents = sorted(file.read_bytes() for file in (tmp_path / "spool").iterdir())
    assert contents == [b'{"n":0}\n{"n":1', b'{"n":9}\n']


def test_a_read_only_spool_raises_the_drop_counter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should count what the disk refused as dropped, tell the trace, and go on afterwards."""

    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, "read-only")

    recorder = IntentRecorder(writer=EventWriter(tmp_path, linger_seconds=60))
    with recorder.utterance("before the key is there") as first:
        pass
    monkeypatch.setattr(os, "open", refuse)
    recorder.flush()
    assert first.telemetry_persisted is False
    monkeypatch.undo()
    with recorder.utterance("later") as second:
        pass
    recorder.flush()
    assert second.telemetry_persisted is True
    stats = recorder.stats()
    assert (stats["written"], stats["dropped"], stats["failed"]) == (1, 1, 0)


def test_files_rotate_by_size_and_survive_deletion(tmp_path: Path) -> None:
    """Should never grow a file beyond its size, nor write into one that is gone."""
    writer = EventWriter(tmp_path, rotate_bytes=100, fsync=True)
    for n in range(100):
        writer.write("usage_events", {"n": n})
    writer.flush()
    assert [event["n"] for event in sorted(lines(tmp_path), key=lambda e: e["n"])] == list(
        range(100)
    )
    files = list((tmp_path / "spool").iterdir())
    assert len(files) == 9
    assert max(file.stat().st_size for file in files) <= 100
    for file in files:
        file.unlink()
    writer.write("usage_events", {"n": "after"})
    writer.close()
    assert lines(tmp_path) == [{"n": "after"}]


def test_the_thread_writes_without_being_asked(tmp_path: Path) -> None:
    """Should write events of several threads soon, and any text as valid UTF-8."""
    writer = EventWriter(tmp_path)

    def emit() -> None:
        for n in range(200):
            writer.write("usage_events", {"n": n, "text": "\ud800\n€"})

    threads = [threading.Thread(target=emit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deadline = time.monotonic() + 5
    while writer.stats()["queued"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert writer.stats()["written"] == 800
    assert {event["text"] for event in lines(tmp_path)} == {"?\n€"}
    writer.close()
