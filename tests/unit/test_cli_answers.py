"""The commands that answer from the snapshot: what they print, where, and how they end."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from agentledger.settings import HOME_VARIABLE, Settings
from tests.unit.conftest import Run
from tests.unit.published_ledger import UGLY_SKILL, publish_ledger


@pytest.mark.parametrize("output_format", ["table", "json", "csv"])
def test_sql_escapes_control_characters_in_every_format(
    run: Run, settings: Settings, output_format: str
) -> None:
    publish_ledger(settings)
    query = (
        "select skill_name as \"a\x1b\" from marts.skill_aggregates where skill_name like 'ugly%'"
    )
    code, out, _ = run("sql", query, "--format", output_format)
    assert code == 0
    assert "ugly" in out
    assert not set("\x1b\x07\u202e\x9b") & set(out)
    if output_format == "json":
        assert json.loads(out) == [{"a\x1b": UGLY_SKILL}]


def test_a_rate_stands_beside_its_counts_and_interval(run: Run, settings: Settings) -> None:
    publish_ledger(settings)
    _, out, err = run("skills", "top")
    row = next(line for line in out.splitlines() if " B " in line)
    assert row.split() == ["2", "B", "50", "90.0", "%", "78.6–95.7", "%", "50", "45", "5", "0"]
    assert "As of 2026-03-12 09:00 UTC" in err


def test_unknown_is_a_dash_and_never_zero(run: Run, settings: Settings) -> None:
    publish_ledger(settings)
    _, out, _ = run("skills", "top")
    row = next(line for line in out.splitlines() if " D " in line)
    assert row.split()[:5] == ["3", "D", "30", "–", "–"]


def test_too_few_outcomes_are_called_not_enough_data(run: Run, settings: Settings) -> None:
    publish_ledger(settings)
    code, out, err = run("skills", "top", "--by", "quality", "--window", "daily")
    assert (code, out) == (0, "")
    assert "not enough data" in err
    assert "not enough data" in run("skills", "show", "B")[1]


def test_windows_reach_the_answer(run: Run, settings: Settings) -> None:
    publish_ledger(settings)
    _, out, _ = run("skills", "top", "--window", "weekly", "--since", "2w", "--json")
    assert [row["bucket_start"] for row in json.loads(out)["rows"]] == [
        "2026-03-09",
        "2026-03-09",
        "2026-03-02",
    ]
    _, out, _ = run("skills", "top", "--window", "weekly")
    assert "2026-03-09 (partial)" in out


def test_summary_shows_totals_and_both_rankings(run: Run, settings: Settings) -> None:
    publish_ledger(settings)
    code, out, _ = run("skills", "summary")
    assert code == 0
    for text in ("196", "84.3 %", "Most used", "Best", "low_success", "36.7 % (11/30)"):
        assert text in out


def test_a_broken_snapshot_is_an_error(run: Run, settings: Settings) -> None:
    publish_ledger(settings).write_bytes(b"x" * 10_000)
    code, out, err = run("skills", "top", "--json")
    assert (code, out) == (1, "")
    assert "Cannot read the snapshot" in err


def test_csv_is_csv(run: Run, settings: Settings) -> None:
    publish_ledger(settings)
    _, out, _ = run("sql", "select 'a,\"b\"' as x, null as y, true as z", "--format", "csv")
    assert list(csv.reader(io.StringIO(out))) == [["x", "y", "z"], ['a,"b"', "", "true"]]


def test_json_keeps_columns_of_one_name_apart(run: Run, settings: Settings) -> None:
    publish_ledger(settings)
    _, out, _ = run("sql", "select 1 as a, 2 as a, 'nan'::double as b", "--json")
    assert json.loads(out) == [{"a": 1, "a_2": 2, "b": None}]
    assert json.loads(run("sql", "select 1 where false", "--json")[1]) == []


def test_a_query_is_read_from_standard_input(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_ledger(settings)
    monkeypatch.setattr("sys.stdin", io.StringIO("select 41 + 1 as answer"))
    assert json.loads(run("sql", "-", "--json")[1]) == [{"answer": 42}]


def test_a_long_table_says_that_it_is_cut(run: Run, settings: Settings) -> None:
    publish_ledger(settings)
    _, out, err = run("sql", "from range(2000)")
    assert len(out.splitlines()) == 1001
    assert "first 1,000 rows" in err
    assert len(run("sql", "from range(2000)", "--format", "csv")[1].splitlines()) == 2001


def test_a_wide_table_is_not_cut_in_a_pipe(run: Run, settings: Settings) -> None:
    publish_ledger(settings)
    assert "x" * 3000 in run("sql", "select repeat('x', 3000) as wide")[1]


def test_square_brackets_in_a_name_are_not_markup(run: Run, settings: Settings) -> None:
    publish_ledger(settings)
    assert "[bold]x[/bold] :smile:" in run("sql", "select '[bold]x[/bold] :smile:' as a")[1]


@pytest.mark.parametrize(
    "command", ["skills top --help", "sql --help", "run --help", "--help"], ids=str
)
def test_help_shows_examples(run: Run, command: str) -> None:
    code, out, _ = run(*command.split())
    assert code == 0
    assert "Examples:\n  " in out.replace("  Examples", "Examples")


def test_a_closed_pipe_ends_quietly(settings: Settings) -> None:
    """`agentledger … | head` must not end in a traceback."""
    publish_ledger(settings)
    process = subprocess.Popen(
        [sys.executable, "-m", "agentledger.cli.main", "sql", "from range(500000)", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(timeout=30)


def test_a_stream_without_the_character_shows_its_code(settings: Settings) -> None:
    """The dash for unknown must not end the command on an ASCII stream."""
    publish_ledger(settings)
    command = "import sys; from agentledger.cli.main import main; main(sys.argv[1:])"
    finished = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", command, "skills", "top"],
        env={HOME_VARIABLE: str(settings.home), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert b"\\u2013" in finished.stdout


def test_sample_lists_what_it_wrote(run: Run, tmp_path: Path) -> None:
    arguments = ("--projects", "2", "--records", "50", "--seed", "3")
    code, out, _ = run("sample", str(tmp_path / "demo"), *arguments)
    assert code == 0
    assert str(tmp_path / "demo") in out
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    assert run("sample", str(tmp_path / "mine"))[0] == 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a POSIX matter")
def test_ctrl_c_ends_a_long_query_quietly(settings: Settings) -> None:
    """DuckDB hands Ctrl-C to Python as an error of another kind."""
    publish_ledger(settings)
    endless = "select count(*) from range(1000000) a, range(1000000) b where a.range * b.range = 7"
    code = (
        "import os, signal, sys, threading\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "from agentledger.cli.main import main\n"
        "main(sys.argv[1:])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code, "sql", endless],
        env={HOME_VARIABLE: str(settings.home)},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, b"", b"")
