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
    "ops/source_drift": "source_kind what name occurrences n_files example_file_id "
    "example_line_no unparsed_share unparsed_share_before is_alarm",
    "usage/reconciliation": "reconciliation_key comparison project_id session_key model "
    "first_source second_source measure calls first_value second_value gap gap_share "
    "is_within_tolerance occurred_on",
    "skills/skill_project_comparison": "skill_name project_id shrunk_rank shrunk_rate "
    "known_outcomes success_rate success_rate_low success_rate_high pooled_rate pooled_outcomes "
    "prior_strength rest_success_rate rate_difference p_value differs evidence",
    "skills/skill_attribution": "skill_name project_id rule invocations calls input_fresh_tokens "
    "cache_write_5m_tokens cache_write_1h_tokens cache_read_tokens output_tokens unpriced_calls "
    "cost_usd cost_is_lower_bound missing_subagents lowest_cost_usd highest_cost_usd "
    "cost_spread_usd",
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
    "intents/intent_daily": "event_date prompt_version event_count success_count friction_count "
    "failure_count deny_count override_count override_event_count macro_deny_count "
    "macro_check_count low_confidence_count ambiguous_count scored_count execution_failure_count "
    "execution_known_count forced_execution_failure_count forced_execution_known_count",
    "intents/intent_verbs_daily": "event_date prompt_version verb event_count success_count "
    "clarify_count clarify_args_count failure_count arg_event_count low_confidence_count "
    "ambiguous_count first_clarified_at last_clarified_at last_seen_at",
    "intents/intent_args_daily": "event_date prompt_version verb missing_arg failure_count "
    "first_seen_at last_seen_at",
    "intents/intent_denies_daily": "event_date prompt_version deny_source denied_verb deny_count "
    "event_count first_denied_at last_denied_at",
    "intents/intent_overrides_daily": "event_date prompt_version pre_choice forced_verb "
    "override_count first_seen_at last_seen_at",
    "intents/intent_failure_modes_daily": "event_date prompt_version outcome error_code "
    "outcome_class event_count first_seen_at last_seen_at",
    "intents/v_intent_top_clarify_verbs": "verb clarify_count event_count clarify_rate "
    "clarify_rate_low clarify_rate_high evidence last_seen_at",
    "intents/v_intent_semreg_denies": "denied_verb deny_count event_count session_count deny_rate "
    "deny_rate_low deny_rate_high evidence last_denied_at",
    "intents/v_intent_macro_denies": "denied_verb deny_count event_count session_count deny_rate "
    "deny_rate_low deny_rate_high evidence last_denied_at",
    "intents/v_intent_arg_fill_failures": "verb missing_arg failure_count event_count "
    "failure_rate failure_rate_low failure_rate_high evidence last_seen_at",
    "intents/v_intent_failure_modes": "outcome error_code outcome_class event_count total_count "
    "share share_low share_high evidence",
    "intents/v_intent_semreg_overrides": "event_key occurred_at chosen_verb forced_verb "
    "selection_source semreg_mode prompt_version",
    "intents/intent_by_prompt_version": "metric prompt_version",
    "intents/verb_boost_rules": "scope_bucket subject_kind phase verb_fqn accepted_count "
    "rejected_count session_count boost_weight reason",
    "intents/verb_alias_proposals": "verb rephrase_count session_count last_seen_at",
    "usage/usage_quarter_hours": "quarter_start project_id session_key model calls api_errors "
    "sidechain_calls input_fresh_tokens cache_write_5m_tokens cache_write_1h_tokens "
    "cache_read_tokens output_tokens cache_ttl_assumed_tokens web_search_requests "
    "cost_usd unpriced_calls unpriced_tokens cost_as_billed_usd billed_calls cost_today_usd "
    "unpriced_today_calls cache_savings_usd unknown_savings_calls first_called_at last_called_at",
    "usage/turn_stop_reasons": "project_id time_window bucket_start stop_reason_base chat_mode "
    "turns rounds_sum rounds_n first_ended_at last_ended_at",
    "usage/turn_cutoff_rates": "project_id time_window bucket_start chat_mode turns known_turns "
    "early_cutoffs early_aborts",
    "usage/turns_cut_off_early": "ended_at occurred_on project_id session_key turn_seq "
    "stop_reason_base stop_detail chat_mode turn_intent model rounds tool_call_count llm_calls "
    "total_tokens duration_ms turn_key",
    "usage/dim_model_prices": "provider model service_tier token_class context_threshold "
    "usd_per_token usd_as_quoted valid_from valid_to source source_version matched_provider "
    "matched_model",
    "agents/agent_metrics": "agent_id window_size window_start window_end task_count succeeded "
    "failed unknown success_rate success_rate_low success_rate_high total_cost_cents "
    "avg_cost_cents p50_cost_cents max_cost_cents cost_known_count cost_cents_sum avg_latency_ms "
    "p50_latency_ms p95_latency_ms latency_n latency_ms_sum latency_zero_n latency_hist "
    "patterns_used",
    "agents/agent_metrics_rolling": "agent_id window_name window_start task_count unknown "
    "success_rate success_rate_low success_rate_high total_cost_cents avg_cost_cents "
    "p50_cost_cents avg_latency_ms p50_latency_ms p95_latency_ms cost_outlier_n "
    "total_cost_without_outliers_cents patterns_used",
    "agents/agent_health": "agent_id as_of health priority",
    "agents/agent_feedback_issues": "agent_id as_of issue_type severity evidence measured "
    "measured_without_outliers threshold n",
    "agents/agent_suggestions": "agent_id as_of issue_type suggestion confidence "
    "expected_gain_pct gain_basis effort",
    "agents/agent_evolution": "agent_id change_id changed_at metric decision reason "
    "before_succeeded before_known after_succeeded after_known rate_difference_low "
    "rate_difference_high p_value",
    "agents/validated_patterns": "pattern tasks uses agents succeeded failed known_outcomes "
    "success_rate success_rate_low success_rate_high quality judged_at passes_usage "
    "passes_success_rate passes_quality passes_wilson_low is_validated reason",
    "agents/agent_scores": "agent_id score_name score_kind window_name window_start score_count "
    "value_count mean_value min_value max_value boolean_count true_count true_rate true_rate_low "
    "true_rate_high category_counts source_counts previous_count previous_mean_value "
    "previous_true_rate change change_low change_high trend last_scored_at",
    "usage/v_unpriced_models": "provider model calls unpriced_calls unpriced_tokens reason "
    "last_called_at",
}
"""Columns that `agentledger.query` and `agentledger.cli` name, by model."""


@pytest.mark.parametrize("model", READ)
def test_every_column_that_a_reader_names_is_published(model: str) -> None:
    """A renamed column would otherwise show as a dash or as a missing column of a table."""
    document = yaml.safe_load((MODELS / f"{model}.yml").read_text(encoding="utf-8"))
    (declared,) = (item for item in document["models"] if item["name"] == Path(model).name)
    assert declared["config"]["meta"]["publish"] is True
    assert set(READ[model].split()) <= {column["name"] for column in declared["columns"]}
