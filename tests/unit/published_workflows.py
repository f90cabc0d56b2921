"""Marts of workflows beside those of a published ledger, with the figures of analyses.md B3 to B6.

Belongs here: the tables as `publish` leaves them. Does not belong here: the marts of skills
(`published_ledger.py`).
"""

from pathlib import Path
from typing import Any

from agentledger.settings import Settings
from tests.unit.published_ledger import BLOG, SHOP, UGLY_SKILL, publishing_more

TABLES = """
create table marts.workflow_skill_correlation (
    project_id varchar, workflow_name varchar, skill_name varchar, usage_count bigint,
    occurrences bigint, known_runs bigint, completed_with bigint, failed_with bigint,
    unknown_with bigint, completed_without bigint, failed_without bigint, success_rate double,
    success_rate_low double, success_rate_high double, success_rate_without double, phi double,
    fisher_p double, flagged_bh boolean, evidence varchar, duration_n bigint,
    avg_duration_ms double
);
create table marts.workflow_sequences (
    project_id varchar, workflow_name varchar, sequence varchar, steps varchar[],
    sequence_rank bigint, is_recommended boolean, runs bigint, completed_runs bigint,
    failed_runs bigint, unknown_runs bigint, known_runs bigint, stale_runs bigint,
    workflow_known_runs bigint, success_rate double, success_rate_low double,
    success_rate_high double, duration_n bigint, p50_duration_ms double, evidence varchar,
    is_modal_of_fastest10 boolean, last_started_at timestamptz
);
create table marts.workflow_step_decisions (
    project_id varchar, skill_name varchar, decision varchar, evidence varchar, reason varchar,
    recommendation varchar, total_invocations bigint, successful_completions bigint,
    failed_invocations bigint, unknown_outcomes bigint, known_outcomes bigint,
    success_rate double, success_rate_low double, success_rate_high double,
    include_step_rate double, workflow_count bigint, workflow_runs bigint,
    workflow_runs_completed bigint, workflow_runs_failed bigint
);
create table marts.skill_project_comparison (
    skill_name varchar, project_id varchar, shrunk_rank bigint, shrunk_rate double,
    total_invocations bigint, successful_completions bigint, failed_invocations bigint,
    unknown_outcomes bigint, known_outcomes bigint, success_rate double,
    success_rate_low double, success_rate_high double, project_count bigint, pooled_rate double,
    pooled_outcomes bigint, prior_strength double, rest_successes bigint, rest_outcomes bigint,
    rest_success_rate double, rate_difference double, z_score double, p_value double,
    differs boolean, evidence varchar
);
"""

CORRELATION = (
    # analyses.md B4, and a skill with too few runs.
    ("__all__", "feature-dev", "review", 20, 41, 40, 18, 2, 0, 12, 8, 0.9, 0.6990, 0.9721, 0.6,
     0.3464, 0.0648, False, "provisional", 20, 1100.0),
    ("__all__", "feature-dev", "rare", 2, 2, 40, 2, 0, 0, 28, 10, 1.0, 0.3424, 1.0, 0.7368,
     None, None, None, "insufficient_data", 0, None),
    ("__all__", "feature-dev", "sure", 20, 20, 40, 20, 0, 0, 0, 20, 1.0, 0.8389, 1.0, 0.0,
     1.0, 1.45e-11, True, "confirmed", 0, None),
    ("__all__", "release", UGLY_SKILL, 1, 1, 1, 1, 0, 0, 0, 0, 1.0, 0.2065, 1.0, None,
     None, None, None, "insufficient_data", 0, None),
)  # fmt: skip
SEQUENCES = (
    # analyses.md B5.
    ("__all__", "feature-dev", "plan>implement>test", ["plan", "implement", "test"], 1, True, 15,
     14, 1, 0, 15, 0, 29, 0.9333, 0.7018, 0.9881, 14, 840000.0, "provisional", False,
     "2026-03-02 10:00:00+00"),
    ("__all__", "feature-dev", "implement>test", ["implement", "test"], 2, False, 13, 9, 3, 1, 12,
     1, 29, 0.75, 0.4677, 0.9110, 9, 480000.0, "provisional", True, "2026-03-02 10:00:00+00"),
    ("__all__", "feature-dev", "implement", ["implement"], None, False, 2, 2, 0, 0, 2, 0, 29, 1.0,
     0.3424, 1.0, 2, 180000.0, "insufficient_data", False, "2026-03-02 10:00:00+00"),
    ("__all__", "release", UGLY_SKILL, [UGLY_SKILL], None, False, 1, 1, 0, 0, 1, 0, 1, 1.0,
     0.2065, 1.0, 0, None, "insufficient_data", False, "2026-03-02 10:00:00+00"),
)  # fmt: skip


def _decision(
    skill: str, decision: str, evidence: str, reason: str, ok: int, known: int, *rate: float | None,
    project: str = "__all__",
) -> tuple[Any, ...]:  # fmt: skip
    return (
        project, skill, decision, evidence, reason, f"Because it is {reason}.", known, ok,
        known - ok, 0, known, *rate, 0.9, 0, 0, 0, 0,
    )  # fmt: skip


DECISIONS = (
    # analyses.md B6; in the shop the unreliable one is not known well enough.
    _decision("few", "keep_default", "insufficient_data", "too_few_outcomes", 9, 10, 0.9, 0.5958,
              0.9821),
    _decision("likely", "include", "provisional", "probably_reliable", 19, 20, 0.95, 0.7639,
              0.9911),
    _decision("sure", "include", "confirmed", "proven_reliable", 176, 180, 0.9778, 0.9443, 0.9913),
    _decision("bad", "exclude", "confirmed", "proven_unreliable", 60, 80, 0.75, 0.6452, 0.8319),
    _decision("bad", "keep_default", "insufficient_data", "too_few_outcomes", 6, 8, 0.75, 0.4093,
              0.9285, project=SHOP),
    _decision("open", "keep_default", "provisional", "undecided", 18, 20, 0.9, 0.6990, 0.9721),
    _decision(UGLY_SKILL, "exclude", "confirmed", "proven_unreliable", 0, 20, 0.0, 0.0, 0.1611),
)  # fmt: skip
COMPARISON = (
    # p4 and p5 of analyses.md B3 as shop and blog, and a project with too few outcomes.
    ("B", SHOP, 1, 0.8580, 30, 27, 3, 0, 30, 0.9, 0.7438, 0.9654, 5, 0.7652, 132, 13.5812, 74,
     102, 0.7255, 0.1745, 1.9820, 0.0475, True, "confirmed"),
    ("B", "c" * 32, 2, 0.7953, 2, 2, 0, 0, 2, 1.0, 0.3424, 1.0, 5, 0.7652, 132, 13.5812, 99,
     130, 0.7615, 0.2385, None, None, None, "insufficient_data"),
    ("B", BLOG, 5, 0.6419, 40, 24, 16, 0, 40, 0.6, 0.4460, 0.7365, 5, 0.7652, 132, 13.5812, 77,
     92, 0.8370, -0.2370, -2.9515, 0.003163, True, "confirmed"),
)  # fmt: skip

ROWS = {
    "workflow_skill_correlation": CORRELATION,
    "workflow_sequences": SEQUENCES,
    "workflow_step_decisions": DECISIONS,
    "skill_project_comparison": COMPARISON,
}


def publish_workflows(settings: Settings, *, is_empty: bool = False) -> Path:
    """Publish a ledger with the marts of workflows; `is_empty` leaves these without a row."""
    with publishing_more(settings, TABLES) as (path, connection):
        for table, rows in () if is_empty else ROWS.items():
            marks = ", ".join("?" for _ in rows[0])
            connection.executemany(f"insert into marts.{table} values ({marks})", list(rows))
    return path
