"""Figures of usage events: kept as they were written, and told when they are none."""

from tests.unit.event_logs import Logs


def test_a_text_in_the_place_of_a_figure_is_told_and_not_kept(logs: Logs) -> None:
    """Should land a figure as written, nothing as NULL, and all else as NaN.

    The tempting change is NULL for all that is no number: then a cost that nobody could read
    looks like one that nobody told.
    """
    figures = [2.5, "2.50", None, "", "NaN", "about 3 cents", -1, True]
    lines = [
        {"event_id": f"e-{n}", "agent_id": "a", "occurred_at": "2026-08-01T10:00:00Z",
         "cost_cents": figure}
        for n, figure in enumerate(figures)
    ]  # fmt: skip
    logs.write("usage_events.jsonl", *lines)
    logs.ledger.collect()
    assert [
        row[0]
        for row in logs.ledger.rows("select cost_cents from raw.usage_events order by event_id")
    ] == ["2.5", "2.50", None, None, "NaN", "NaN", "-1", "NaN"]
    assert b"about 3" not in logs.ledger.settings.warehouse_path.read_bytes()
