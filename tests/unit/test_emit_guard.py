"""The guard finds emission outside the orchestrator, and names file and line."""

from pathlib import Path

import pytest

from agentledger.emit import guard

ORCHESTRATOR = """
from agentledger.emit import IntentRecorder
recorder = IntentRecorder()
def handle(text):
    with recorder.utterance(text) as trace:
        trace.outcome = "ready"
"""

BAD = {
    "from import": ("from agentledger.emit import IntentRecorder\nIntentRecorder()", 2),
    "alias": ("from agentledger.emit import IntentRecorder as R\n\nx = R(None)", 3),
    "module": ("import agentledger.emit\nagentledger.emit.IntentRecorder()", 2),
    "module alias": ("import agentledger.emit.recorder as e\ne.IntentRecorder()", 2),
    "from package": ("from agentledger import emit as e\ne.IntentRecorder()", 2),
    "deep": ("from agentledger.emit.writer import EventWriter\nEventWriter('h')", 2),
    "star": ("from agentledger.emit import *\nIntentRecorder()", 2),
    "assigned class": ("import agentledger.emit as e\nR = e.IntentRecorder\nR()", 3),
    "their recorder": ("from app.orchestrator import recorder\nrecorder.record(t)", 2),
    "relative": ("from .orchestrator import recorder as r\nr.utterance('x')", 2),
    "through module": ("from app import orchestrator\n\norchestrator.recorder.record(t)", 3),
    "re-exported": ("from app.facade import sink\nsink.record(t)", 2),
    "annotated": (
        "from agentledger.emit import IntentRecorder as R\ndef f(r: 'R | None'):\n    r.record(t)",
        3,
    ),
    "attribute": (
        "from app.orchestrator import recorder\nclass A:\n"
        "    def __init__(self):\n        self.sink = recorder\n"
        "    def go(self):\n        self.sink.record(1)",
        6,
    ),
    "decorator": ("from app.orchestrator import recorder\n@recorder.utterance()\ndef f(): ...", 2),
    "import_module": (
        "import importlib\nimportlib.import_module('agentledger.emit').EventWriter(1)",
        2,
    ),
    "getattr": ("from app.orchestrator import recorder\ngetattr(recorder, 'record')(t)", 2),
    "does not parse": ("x = 1\ndef broken(:\n", 2),
}

GOOD = {
    "other record": "class Tape:\n    def record(self): ...\nTape().record()",
    "filling the trace": "def f(trace):\n    trace.outcome = 'ready'\n    trace.missing_args = []",
    "type only": "from agentledger.emit import IntentTrace\nt = IntentTrace('x')",
    "results": "from app.orchestrator import recorder\nrecorder.executed('id', True)",
    "reading": "from app.orchestrator import recorder\nrecorder.stats()",
    "same name": "from elsewhere import IntentRecorder\nIntentRecorder().record(1)",
    "in a text": "text = 'IntentRecorder().record(t)'",
}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    package = tmp_path / "app"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "orchestrator.py").write_text(ORCHESTRATOR)
    (package / "facade.py").write_text("from app.orchestrator import recorder as sink\n")
    return tmp_path


@pytest.mark.parametrize(("text", "line"), BAD.values(), ids=BAD)
def test_emission_elsewhere_is_found(code: Path, text: str, line: int) -> None:
    """Should name the file and the first line at fault."""
    file = code / "app" / "rogue.py"
    file.write_text(text)
    findings = guard.scan(code, "app.orchestrator")
    assert findings
    assert [(found.path, found.line) for found in findings][0] == (str(file), line)


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_innocent_code_passes(code: Path, text: str) -> None:
    """The tempting change is to flag every `.record(`: hooks that cry wolf are removed."""
    (code / "app" / "fine.py").write_text(text)
    assert guard.scan(code, "app.orchestrator") == []


def test_the_command_prints_places_and_exit_codes(
    code: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Should work with a folder, and with files as pre-commit passes them."""
    assert guard.main([str(code), "--module", "app.orchestrator"]) == 0
    rogue = code / "app" / "rogue.py"
    rogue.write_text(BAD["from import"][0])
    assert guard.main([str(code), "--module", "app.orchestrator"]) == 1
    assert f"{rogue}:2:1: IntentRecorder" in capsys.readouterr().out
    files = [str(rogue), str(code / "app" / "orchestrator.py")]
    assert guard.main([*files, "--module", "app.orchestrator"]) == 1
    assert capsys.readouterr().out.count("\n") == 1
    assert guard.main([str(code)]) == 2
    assert guard.main([str(code / "nowhere"), "--module", "app"]) == 2


def test_a_package_may_be_the_orchestrator(code: Path) -> None:
    """Should allow all modules of the named package, and no neighbour with a longer name."""
    (code / "application.py").write_text(BAD["from import"][0])
    assert [Path(found.path).name for found in guard.scan(code, "app")] == ["application.py"]


def test_a_file_that_does_not_parse_says_so_to_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A class name of Python's and advice about traces would help nobody here."""
    (tmp_path / "broken.py").write_text("x = 1\ndef broken(:\n")
    assert guard.main([str(tmp_path), "--module", "app.orchestrator"]) == 1
    out = capsys.readouterr().out
    assert "broken.py:2:1: not checked, because this is no Python that can be parsed: " in out
    assert "mend the file or leave it out" in out
    assert "SyntaxError" not in out
    assert "trace" not in out
