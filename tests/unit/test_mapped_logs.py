"""Mapped logs from file to raw: every kind of file, growing files, copies, a changed mapping."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.ingest import plan
from tests.unit.conftest import Ledger

MAPPING = """
name = "shop"
where = 'kind == "task"'
[fields]
agent_id = "who"
occurred_at = { from = "at", unit = "epoch_ms" }
cost_cents = { from = "usage.usd", unit = "usd" }
latency_ms = { from = "took", unit = "s" }
prompt_tokens = "usage.in + usage.cached"
success = { from = "result", map = { done = true, broke = false } }
model = "part(model, '/', 2) ?? model"
error_type = "error"
"""


def task(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "task", "who": "tester", "at": 1_770_000_000_000 + number, "took": 1.5,
        "usage": {"usd": 0.0001107, "in": 100, "cached": 20}, "result": "done",
        "model": "acme/m-1", "error": None,
    } | changes  # fmt: skip


class Shop:
    """A folder of logs with a mapping beside it."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self.folder = folder / "logs"
        self.folder.mkdir()
        self.mapping = folder / "shop.toml"

    def map(self, text: str = MAPPING) -> None:
        self.mapping.write_text(text, encoding="utf-8")
        registry.add_source(
            self.ledger.settings, "mapped", str(self.folder), "UTC", mapping=str(self.mapping)
        )

    def write(self, name: str, *records: Any) -> Path:
        path = self.folder / name
        path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
        return path

    def append(self, name: str, *records: Any) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as stream:
            stream.write("".join(json.dumps(record) + "\n" for record in records))

    def counts(self) -> dict[str, int]:
        return self.ledger.collect().totals()

    def rows(self, columns: str = "ts, cost_cents") -> list[tuple[Any, ...]]:
        return self.ledger.rows(f"select {columns} from raw.usage_events order by all")


@pytest.fixture
def shop(ledger: Ledger, tmp_path: Path) -> Shop:
    made = Shop(ledger, tmp_path)
    made.map()
    return made


def test_a_record_lands_in_the_units_of_the_contract(shop: Shop) -> None:
    """Money in cents exactly, seconds as milliseconds, stated epochs as seconds."""
    shop.write("a.jsonl", task(), {"kind": "start", "who": "x", "at": 1})
    counts = shop.counts()
    assert (counts["records_read"], counts["accepted"]) == (1, 1)
    assert shop.rows(
        "agent_id, ts, cost_cents, latency_ms, prompt_tokens, success, model, variant, flags"
    ) == [
        ("tester", "1770000000.001", "0.01107", "1500", "120", "true", "m-1", "mapped:shop",
         "derived_id"),
    ]  # fmt: skip
    [(message,)] = shop.ledger.rows("select message from raw.files")
    assert message == "1 record(s) left out by the mapping's `where`"
    assert shop.ledger.rows("select field_name from raw.unknown_fields") == []


def test_reading_twice_changes_nothing_and_appended_lines_are_read_alone(shop: Shop) -> None:
    """Should resume at the offset where the last run ended."""
    shop.write("a.jsonl", task(1), task(2))
    assert shop.counts()["accepted"] == 2
    assert shop.counts()["files_skipped"] == 1
    shop.append("a.jsonl", task(3), task(1))
    counts = shop.counts()
    assert (counts["records_read"], counts["accepted"]) == (2, 2)
    assert len(shop.rows()) == len({row for (row,) in shop.rows("record_key")}) == 4


def test_equal_records_of_a_file_are_repeats_and_those_of_its_copy_are_not(shop: Shop) -> None:
    """Two equal lines are two events, in one read as in two; a copied file adds no event."""
    shop.write("a.jsonl", task(1), task(1))
    shop.counts()
    shop.append("a.jsonl", task(1))
    shop.counts()
    keys = {row for (row,) in shop.rows("record_key")}
    assert len(keys) == 3
    shop.write("b.jsonl", task(1), task(1), task(1), task(2))
    shop.counts()
    assert len({row for (row,) in shop.rows("record_key")} - keys) == 1


def test_a_window_that_slid_brings_what_is_new_alone(shop: Shop) -> None:
    """Old lines that vanish stay known; those still there are recognised."""
    shop.write("a.jsonl", task(1), task(2), task(2))
    shop.counts()
    shop.write("a.jsonl", task(2), task(2), task(3))
    assert shop.counts()["accepted"] == 1
    assert len(shop.rows()) == 4


def test_an_id_of_the_log_is_the_identity(shop: Shop) -> None:
    """The same id in two files is one event, whatever else the record says."""
    shop.map(MAPPING + 'event_id = "no"\n')
    shop.write("a.jsonl", task(1, no="e-1"), task(2, no="e-2"))
    shop.write("b.jsonl", task(1, no="e-1", result="broke"))
    shop.counts()
    assert len(shop.rows()) == 3
    assert len({row for (row,) in shop.rows("record_key")}) == 2
    assert shop.rows("flags") == [(None,)] * 3


def test_a_changed_mapping_reads_its_files_anew_and_no_row_counts_twice(shop: Shop) -> None:
    """The rows of the mapping before go in the transaction that brings the new ones."""
    shop.write("a.jsonl", task(1), task(2))
    shop.write("b.jsonl", {"kind": "start", "at": 1})
    shop.counts()
    with warehouse.open_warehouse(shop.ledger.settings, read_only=True) as connection:
        [(built,)] = connection.execute(
            "select sources_fingerprint from raw.run_context"
        ).fetchall()
    shop.mapping.write_text(
        "# cents after all\n" + MAPPING.replace('unit = "usd"', 'unit = "cents"')
    )
    assert plan.new_work(shop.ledger.settings).anything
    assert shop.counts()["accepted"] == 2
    assert [row[1] for row in shop.rows()] == ["0.0001107"] * 2
    [(message,)] = shop.ledger.rows("select message from raw.files where path like '%a.jsonl'")
    assert message == "the mapping changed: 2 row(s) of the one before were replaced"
    # What was built of the rows that are gone is built anew.
    assert shop.ledger.rows("select sources_fingerprint from raw.run_context") == [
        (str(int(built) + 1),)
    ]
    assert shop.counts()["files_skipped"] == 2
    shop.append("a.jsonl", task(3))
    assert shop.counts()["records_read"] == 1


def test_a_comment_in_a_mapping_changes_nothing(shop: Shop) -> None:
    shop.write("a.jsonl", task())
    shop.counts()
    shop.mapping.write_text("# why\n" + MAPPING.replace("\n", "\n\n"))
    assert shop.counts()["files_skipped"] == 1


def test_a_mapping_that_broke_costs_its_source_alone(shop: Shop, ledger: Ledger) -> None:
    """What was read stays; the report says what to mend."""
    shop.write("a.jsonl", task())
    shop.counts()
    ledger.project("alpha")
    shop.mapping.write_text('name = "shop"\n[fields]\nagent_id = "who("\n')
    report = ledger.collect()
    [problem] = [item for source in report.sources for item in source.problems]
    assert problem.reason == "bad_mapping"
    assert "line 2" in problem.detail or "fields" in problem.detail
    assert len(shop.rows()) == 1
    shop.mapping.unlink()
    assert any(source.problems for source in ledger.collect().sources)
    shop.map()
    assert shop.counts()["files_skipped"] == 1


DOCUMENT = {"name": "nightly", "runs": [task(1), task(2), "no record", {"kind": "other"}]}


@pytest.mark.parametrize(
    ("records", "write"),
    [
        ("lines", lambda path: path.with_suffix(".json").write_text(
            json.dumps([task(1), task(2)]))),
        ("$.runs", lambda path: path.with_suffix(".json").write_text(json.dumps(DOCUMENT))),
        ("$.a.runs", lambda path: path.with_suffix(".json").write_text(
            json.dumps([{"a": {"runs": [task(1)]}}, {"a": {"runs": [task(2)]}}]))),
        ("document", lambda path: (
            path.with_suffix(".json").write_text(json.dumps(task(1), indent=1)),
            path.with_name("other.json").write_text(json.dumps(task(2))),
        )),
    ],
)  # fmt: skip
def test_records_stand_in_lines_lists_or_documents(
    shop: Shop, records: str, write: Callable[[Path], Any]
) -> None:
    """Should find each record where the mapping says, and give the same rows."""
    shop.map(f'records = "{records}"\n' + MAPPING)
    write(shop.folder / "log")
    shop.counts()
    assert shop.rows() == [("1770000000.001", "0.01107"), ("1770000000.002", "0.01107")]
    assert shop.counts()["records_read"] == 0


def test_what_stands_around_the_records_can_be_read_and_nothing_beyond(shop: Shop) -> None:
    """`$` is the document, wherever in it the list stands."""
    document = {"runs": [task(1, who=None)], "info": {"agent": "a-1", "secret": {"k": "v"}}}
    shop.map('records = "$.runs"\n' + MAPPING.replace('"who"', '"who ?? $.info.agent"'))
    (shop.folder / "a.json").write_text(json.dumps(document))
    shop.counts()
    assert shop.rows("agent_id") == [("a-1",)]


def test_a_broken_record_of_a_list_costs_itself_alone(shop: Shop) -> None:
    shop.map('records = "$.runs"\n' + MAPPING)
    good = json.dumps(task(1))
    (shop.folder / "a.json").write_text(f'{{"runs": [{good}, {{"kind" "task"}}, {good}, 7]}}')
    counts = shop.counts()
    assert (counts["accepted"], counts["rejected"], counts["records_read"]) == (2, 2, 4)


FLAT = """
name = "flat"
delimiter = ";"
[fields]
agent_id = "agent"
occurred_at = { from = "`finished at`", unit = "iso" }
cost_cents = { from = "cost", unit = "cents", unknown = ["n/a", -1] }
success = 'status == "ok"'
"""


def test_a_table_as_csv_is_read_by_a_real_parser(shop: Shop) -> None:
    """Quoted line breaks, another delimiter, odd names, sentinels for unknown."""
    shop.map(FLAT)
    (shop.folder / "a.csv").write_text(
        'agent;finished at;cost;status;note\nx;2026-01-01 10:00:00;1.5;ok;"two\nlines; here"\n'
        "y;2026-01-01 10:00:01;n/a;bad;\nz;2026-01-01 10:00:02;-1.0;;\n"
    )
    counts = shop.counts()
    assert (counts["accepted"], counts["rejected"]) == (3, 0)
    assert shop.rows("agent_id, ts, cost_cents, success") == [
        ("x", "2026-01-01 10:00:00", "1.5", "true"),
        ("y", "2026-01-01 10:00:01", None, "false"),
        ("z", "2026-01-01 10:00:02", None, None),
    ]
    assert shop.ledger.rows("select field_name from raw.unknown_fields") == [("note",)]


def test_a_table_as_parquet_is_read_whatever_its_file_is_called(shop: Shop) -> None:
    """A name with the signs of a pattern is a name."""
    import duckdb

    shop.map(FLAT)
    plain = shop.folder / "plain.parquet"
    duckdb.execute(
        "copy (select 'a' || i as agent, timestamptz '2026-01-01 10:00:00+02' as \"finished at\", "
        "case when i = 0 then 'nan'::double else 0.5 end as cost, 'ok' as status "
        f"from range(3) t(i)) to '{plain}' (format parquet)"
    )
    plain.rename(shop.folder / "a[*]?'.parquet")
    (shop.folder / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    assert shop.counts()["accepted"] == 3
    assert shop.rows("agent_id, ts, cost_cents") == [
        ("a0", "2026-01-01 08:00:00+00", None),
        ("a1", "2026-01-01 08:00:00+00", "0.5"),
        ("a2", "2026-01-01 08:00:00+00", "0.5"),
    ]
    assert shop.counts()["accepted"] == 0
    assert shop.ledger.rows("select state from raw.files where path like '%broken%'") == [
        ("unreadable",)
    ]


def test_free_text_that_a_mapping_points_at_does_not_land(shop: Shop) -> None:
    """A mapped value is judged like a field of the contract."""
    sentence = "please deploy the blue lobster to production now thanks"
    shop.write(
        "a.jsonl", task(who=sentence, error=sentence, model=f"acme/{sentence}", took=sentence)
    )
    shop.counts()
    [(row,)] = shop.ledger.rows("select to_json(e)::varchar from raw.usage_events as e")
    assert "lobster" not in row
    assert shop.rows("agent_id, error_class, model, latency_ms") == [
        ("other", "other", "other", None)
    ]


def test_broken_lines_cost_one_line_each(shop: Shop) -> None:
    path = shop.write("a.jsonl", task(1), task(2))
    lines = path.read_bytes().splitlines(keepends=True)
    nan = b'{"kind": "task", "who": "a", "at": 5, "usage": {"usd": NaN}}\n'
    other = b'{"kind": "task", "who": "no time"}\n'
    path.write_bytes(lines[0] + b"{broken\n" + nan + other + b"[1]\n" + lines[1])
    counts = shop.counts()
    assert (counts["accepted"], counts["rejected"]) == (3, 3)
    assert counts["records_read"] == 6


def test_two_mappings_share_a_run(shop: Shop, ledger: Ledger, tmp_path: Path) -> None:
    """Files of both land in one batch, each by its own."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.jsonl").write_text('{"agent":"b","finished at":"2026-01-01T00:00:00Z"}\n')
    mapping = tmp_path / "flat.toml"
    mapping.write_text(FLAT)
    registry.add_source(ledger.settings, "mapped", str(other), "UTC", mapping=str(mapping))
    shop.write("a.jsonl", task())
    assert shop.counts()["accepted"] == 2
    assert {row for (row,) in shop.rows("variant")} == {"mapped:shop", "mapped:flat"}
