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
    "usage/usage_quarter_hours": "quarter_start project_id session_key model calls api_errors "
    "sidechain_calls input_fresh_tokens cache_write_5m_tokens cache_write_1h_tokens "
    "cache_read_tokens output_tokens cache_ttl_assumed_tokens web_search_requests "
    "first_called_at last_called_at",
}
"""Columns that `agentledger.query` and `agentledger.cli` name, by model."""


@pytest.mark.parametrize("model", READ)
def test_every_column_that_a_reader_names_is_published(model: str) -> None:
    """A renamed column would otherwise show as a dash or as a missing column of a table."""
    document = yaml.safe_load((MODELS / f"{model}.yml").read_text(encoding="utf-8"))
    (declared,) = (item for item in document["models"] if item["name"] == Path(model).name)
    assert declared["config"]["meta"]["publish"] is True
    assert set(READ[model].split()) <= {column["name"] for column in declared["columns"]}
