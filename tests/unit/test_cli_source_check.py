"""`agentledger source check`, and adding a mapped source on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agentledger.cli.main import main
from agentledger.settings import HOME_VARIABLE

Run = Callable[..., tuple[int, str, str]]

MAPPING = """
name = "shop"
where = 'kind == "task"'
ignore = ["usage.region"]
[fields]
agent_id = "who"
occurred_at = { from = "at", unit = "epoch_s" }
cost_cents = { from = "usage.usd", unit = "usd" }
"""
RECORDS = [
    {"kind": "task", "who": "a", "at": 1770000000, "usage": {"usd": 0.5, "region": 1, "zap": 2}},
    {"kind": "task", "who": "two words and more of them", "at": 1770000001, "extra": "x"},
    {"kind": "start", "at": 1770000002},
    {"kind": "task", "who": "no time"},
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps(record) for record in RECORDS] + ["{broken"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "shop.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_command(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run_command


def test_a_check_tells_what_would_land_and_writes_nothing(
    run: Run, log: Path, mapping: Path, home: Path
) -> None:
    """First rows, unmapped members inside and out, share of unknown values, refused lines."""
    code, out, _ = run("source", "check", log, "--mapping", mapping, "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["mapping"], report["kind"]) == ("shop", "mapped")
    [file] = report["files"]
    assert (file["format"], file["variant"], file["state"]) == ("mapped", "lines", "partial")
    assert file["message"] == "1 record(s) left out by the mapping's `where`"
    assert (file["records"], file["accepted"], file["rejected"]) == (4, 2, 2)
    [table] = report["tables"]
    assert [row["agent_id"] for row in table["first_rows"]] == ["a", "other"]
    assert [row["cost_cents"] for row in table["first_rows"]] == ["50", None]
    fields = {fact["field"]: fact for fact in table["fields"]}
    assert (fields["cost_cents"]["null_share"], fields["cost_cents"]["unit"]) == (0.5, "usd")
    assert (fields["occurred_at"]["from"], fields["occurred_at"]["column"]) == ("at", "ts")
    assert fields["agent_id"]["other"] == 1
    assert fields["success"] | {"from": None, "null_share": 1.0} == fields["success"]
    assert report["unmapped"] == [
        {"name": "extra", "occurrences": 1},
        {"name": "usage.zap", "occurrences": 1},
    ]
    assert [(item["line_no"], item["reason"]) for item in report["rejected"]] == [
        (4, "unknown_type"),
        (5, "malformed_record"),
    ]
    assert "more of them" not in out
    assert not home.exists()
    assert (
        "Not mapped, so unknown: event_id"
        in run("source", "check", "mapped", log, "--mapping", mapping)[1]
    )


def test_an_ordinary_kind_is_checked_too(run: Run, tmp_path: Path, home: Path) -> None:
    """Should recognise the format by itself, and say so per file."""
    folder = tmp_path / "logs"
    folder.mkdir()
    event = {"event_id": "u1", "agent_id": "a", "occurred_at": "2026-01-01T00:00:00Z", "odd": 1}
    (folder / "u.jsonl").write_text(json.dumps(event) + "\n")
    (folder / "v.json").write_text('{"what": "is this"}')
    code, out, _ = run("source", "check", "events", folder, "--json")
    report = json.loads(out)
    assert code == 0
    assert [(item["format"], item["state"]) for item in report["files"]] == [
        ("usage_events", "loaded"),
        ("events", "unrecognised_format"),
    ]
    assert report["unmapped"] == [{"name": "odd", "occurrences": 1}]
    assert report["tables"][0]["table"] == "raw.usage_events"
    assert not home.exists()


def test_a_check_of_which_nothing_would_land_fails(run: Run, tmp_path: Path, log: Path) -> None:
    code, out, err = run("source", "check", log, "--mapping", "tau2-bench")
    assert (code, "Nothing would land" in err) == (1, True)
    assert "unrecognised_format" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["LOG"], "Give the kind and the location"),
        (["events", "LOG", "--mapping", "aider"], "for no other kind"),
        (["mapped", "LOG"], "Give --mapping"),
        (["LOG", "--mapping", "nosuch"], "aider, mini-swe-agent, tau2-bench"),
        (["LOG", "--mapping", "/etc/passwd"], "TOML"),
        (["/nowhere", "--mapping", "aider"], "nothing at"),
        (["LOG", "--mapping", "aider", "--zone", "Mars/Base"], "time zone"),
    ],
)
def test_wrong_usage_of_a_check_ends_with_2(
    run: Run, log: Path, arguments: list[str], said: str
) -> None:
    code, _, err = run("source", "check", *(str(log) if a == "LOG" else a for a in arguments))
    assert (code, said in err) == (2, True), err


def test_a_bad_mapping_is_named_before_anything_is_written(
    run: Run, log: Path, mapping: Path, home: Path
) -> None:
    """File, line, field and what to do, with exit code 2."""
    mapping.write_text(MAPPING + "latency_ms = 'took'\n")
    for command in (("check",), ("add", "mapped")):
        code, _, err = run("source", *command, log, "--mapping", mapping)
        assert code == 2
        assert f"{mapping}, line 9: latency_ms: say in which unit" in err
    assert not home.exists()


def test_a_mapped_source_is_added_listed_and_removed(
    run: Run, log: Path, mapping: Path, tmp_path: Path
) -> None:
    """The configuration keeps the name or whole path of the mapping, which says the zone."""
    mapping.write_text('zone = "Asia/Tokyo"\n' + MAPPING)
    assert run("source", "add", "mapped", log)[0] == 2
    assert run("source", "add", "events", log, "--mapping", "aider")[0] == 2
    assert run("source", "add", "mapped", log, "--mapping", mapping)[0] == 0
    [source] = json.loads(run("source", "list", "--json")[1])["sources"]
    assert (source["kind"], source["mapping"], source["zone"]) == ("mapped", str(mapping), None)
    assert run("source", "add", "mapped", log, "--mapping", "aider")[0] == 0
    [source] = json.loads(run("source", "list", "--json")[1])["sources"]
    assert source["mapping"] == "aider"
    assert run("source", "remove", "mapped", log)[0] == 0
