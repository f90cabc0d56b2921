"""The readers and the models name the same columns."""

from pathlib import Path

import pytest
import yaml

MODELS = Path(__file__).parents[2] / "models" / "marts"

READ = {
    "skills/top_skills": "project_id time_window bucket_start skill_name total_invocations "
    "successful_completions failed_invocations unknown_outcomes known_outcomes success_rate "
    "success_rate_low success_rate_high rank_by_uses rank_by_quality quality_evidence",
    "skills/skill_aggregates": "project_id time_window bucket_start skill_name total_invocations "
    "successful_completions failed_invocations unknown_outcomes success_rate success_rate_low "
    "success_rate_high p50_duration_ms p95_duration_ms last_used_at evidence",
    "skills/skill_totals": "project_id time_window bucket_start distinct_skills total_invocations "
    "successful_completions failed_invocations unknown_outcomes known_outcomes success_rate "
    "success_rate_low success_rate_high last_used_at",
    "skills/skill_effectiveness": "project_id skill_name total_invocations known_outcomes",
    "skills/skill_insights": "project_id skill_name insight evidence priority recommendation "
    "value numerator denominator",
    "core/dim_projects": "project_id project_name project_type is_active total_invocations "
    "last_used_at",
    "ops/data_freshness": "project_id health last_event_at last_loaded_at uncountable_invocations",
    "ops/ledger_usage": "question subject_kind subject_name asked_count failed_count "
    "p50_duration_ms p95_duration_ms rank_by_requests rank_by_answer_time "
    "rank_by_subject_duration rank_by_subject_quality needs_improvement last_asked_at subject_uses "
    "subject_known_outcomes subject_success_rate subject_success_rate_low "
    "subject_success_rate_high subject_p95_duration_ms subject_insight",
    "skills/skill_project_comparison": "skill_name project_id shrunk_rank shrunk_rate "
    "known_outcomes success_rate success_rate_low success_rate_high pooled_rate pooled_outcomes "
    "prior_strength rest_success_rate rate_difference p_value differs evidence",
    "workflows/workflow_skill_correlation": "project_id workflow_name skill_name usage_count "
    "completed_with failed_with success_rate success_rate_low success_rate_high "
    "success_rate_without phi fisher_p evidence avg_duration_ms",
    "workflows/workflow_sequences": "project_id workflow_name sequence steps sequence_rank "
    "is_recommended known_runs unknown_runs runs success_rate success_rate_low success_rate_high "
    "p50_duration_ms evidence",
    "workflows/workflow_step_decisions": "project_id skill_name decision evidence reason "
    "recommendation success_rate success_rate_low success_rate_high successful_completions "
    "known_outcomes unknown_outcomes include_step_rate workflow_runs workflow_runs_completed "
    "workflow_runs_failed",
}
"""Columns that `agentledger.query` and `agentledger.cli` name, by model."""


@pytest.mark.parametrize("model", READ)
def test_every_column_that_a_reader_names_is_published(model: str) -> None:
    """A renamed column would otherwise show as a dash or as a missing column of a table."""
    document = yaml.safe_load((MODELS / f"{model}.yml").read_text(encoding="utf-8"))
    (declared,) = (item for item in document["models"] if item["name"] == Path(model).name)
    assert declared["config"]["meta"]["publish"] is True
    assert set(READ[model].split()) <= {column["name"] for column in declared["columns"]}
