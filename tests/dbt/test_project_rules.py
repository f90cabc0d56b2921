"""Rules of the dbt project, checked on its manifest.

Each rule is a finding that names what breaks it: an empty list means that the project keeps it.
"""

from typing import Any

import pytest

Manifest = dict[str, Any]
Node = dict[str, Any]

MAY_READ = {
    "staging": {"source"},
    "intermediate": {"staging", "intermediate"},
    "marts": {"staging", "intermediate", "marts"},
}
PRIVACY = {"public", "sensitive", "private"}
PUBLISHABLE_SENSITIVE = {"time", "project_name", "keyed_hash"}
FORBIDDEN_TEXT = ("now(", "current_timestamp", "current_date", "today(", "::", "qualify ")
NO_LOGIC = {
    # unions and casts alone; the rules of versions are tested with the tasks
    "int_agent_task_versions", "int_suggestion_feedback__versioned", "fct_suggestion_feedback",
    "fct_scores",
    "stg_events__agent_changes",
    # 1:1 views and copies: rename and select only.
    "stg_ledger__projects", "stg_ledger__run_context", "stg_ledger__load_context",
    "stg_ledger__collection_runs",
    "stg_ledger__files", "stg_ledger__rejects", "stg_ledger__unknown_fields", "collection_runs",
    "v_intent_semreg_overrides", "stg_ledger__working_directories",
    "stg_ledger__priced_models", "stg_ledger__model_prices",
    "stg_claude_code__line_shapes", "stg_codex__line_shapes",
    # What other models decided, one below the other.
    "int_llm_call_versions", "int_tool_call_versions", "int_skill_invocation_versions",
}  # fmt: skip


def models_of(manifest: Manifest) -> list[Node]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def checks_of(manifest: Manifest, node: Node) -> list[Node]:
    return [
        test
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test" and test.get("attached_node") == node["unique_id"]
    ]


def layer_of(manifest: Manifest, unique_id: str) -> str:
    if unique_id.startswith("source."):
        return "source"
    return str(manifest["nodes"][unique_id]["schema"])


def privacy_of(column: Node) -> dict[str, Any]:
    return column.get("config", {}).get("meta") or column.get("meta") or {}


def published(manifest: Manifest) -> list[Node]:
    return [node for node in models_of(manifest) if node["config"]["meta"].get("publish")]


def test_a_layer_reads_only_what_lies_before_it(manifest: Manifest) -> None:
    """Should find no mart that reads a source, no staging model that reads a model."""
    broken = [
        (node["name"], parent)
        for node in models_of(manifest)
        for parent in node["depends_on"]["nodes"]
        if layer_of(manifest, parent) not in MAY_READ[node["schema"]]
    ]
    assert broken == []


def test_a_model_lives_where_its_name_says(manifest: Manifest) -> None:
    """Should find stg_ in staging and int_ in intermediate, and neither in marts."""
    prefixes = {"stg_": "staging", "int_": "intermediate"}
    broken = [
        node["name"]
        for node in models_of(manifest)
        if prefixes.get(node["name"][:4], "marts") != node["schema"]
    ]
    assert broken == []


def test_every_model_proves_its_grain(manifest: Manifest) -> None:
    """Should find meta.grain, `<model>__grain__unique` on those columns, and a sentence on it."""
    broken = []
    for node in models_of(manifest):
        grain = node["config"]["meta"].get("grain")
        tests = {test["name"]: test for test in checks_of(manifest, node)}
        unique = tests.get(f"{node['name']}__grain__unique")
        if (
            not grain
            or unique is None
            or unique["test_metadata"]["kwargs"]["columns"] != grain
            or "One row per" not in node["description"]
        ):
            broken.append(node["name"])
    assert broken == []


def test_marts_are_public_contracts_and_the_rest_is_not_public(manifest: Manifest) -> None:
    """Should find access, contract and group on every mart."""
    broken = [
        node["name"]
        for node in models_of(manifest)
        if not node["config"]["group"]
        or (node["schema"] == "marts") != (node["access"] == "public")
        or (node["schema"] == "marts") != node["config"]["contract"]["enforced"]
    ]
    assert broken == []


@pytest.mark.parametrize("kind", ["models", "sources"])
def test_every_column_is_described_typed_and_classified(manifest: Manifest, kind: str) -> None:
    """Should find a description, a data type and meta.privacy on each column."""
    relations = models_of(manifest) if kind == "models" else list(manifest["sources"].values())
    assert relations
    assert [relation["name"] for relation in relations if not relation["columns"]] == []
    broken = [
        (relation["name"], column["name"])
        for relation in relations
        for column in relation["columns"].values()
        if not column["description"]
        or not column["data_type"]
        or privacy_of(column).get("privacy") not in PRIVACY
    ]
    assert broken == []


def test_sources_name_their_dagster_asset(manifest: Manifest) -> None:
    """Should find [raw, table], which is how ingest and dbt meet in one graph."""
    broken = [
        source["name"]
        for source in manifest["sources"].values()
        if source["config"]["meta"].get("dagster") != {"asset_key": ["raw", source["name"]]}
    ]
    assert broken == []


def test_published_relations_hold_nothing_private(manifest: Manifest) -> None:
    """Should find public columns, project names, times and keyed hashes, and no path at all."""
    broken = [
        (node["name"], column["name"])
        for node in published(manifest)
        for column in node["columns"].values()
        if "path" in column["name"]
        or not (
            privacy_of(column)["privacy"] == "public"
            or privacy_of(column).get("sensitive_kind") in PUBLISHABLE_SENSITIVE
        )
    ]
    assert broken == []


def test_facts_stay_home(manifest: Manifest) -> None:
    """Should publish marts alone, and of them no fact."""
    assert {node["name"] for node in published(manifest)} == {
        "skill_aggregates", "skill_totals", "top_skills", "skill_effectiveness",
        "skill_insights", "dim_projects", "dim_skills", "collection_runs", "ingest_rejects",
        "unknown_fields", "data_freshness",
        "ledger_usage",
        "skill_project_comparison", "skill_attribution",
        "workflow_skill_correlation", "workflow_sequences", "workflow_step_decisions",
        "intent_daily", "intent_verbs_daily", "intent_denies_daily", "intent_args_daily",
        "intent_failure_modes_daily", "intent_override_events", "intent_denied_sessions",
        "intent_overrides_daily", "intent_by_prompt_version", "intent_confidence",
        "intent_repeat_utterances", "verb_boost_rules", "verb_alias_proposals",
        "v_intent_top_clarify_verbs", "v_intent_semreg_overrides", "v_intent_semreg_denies",
        "v_intent_arg_fill_failures", "v_intent_macro_denies", "v_intent_failure_modes",
        "usage_quarter_hours", "dim_model_prices", "v_unpriced_models", "source_drift",
        "reconciliation",
        "agent_metrics", "agent_metrics_rolling", "agent_health", "agent_feedback_issues",
        "agent_suggestions", "agent_evolution", "validated_patterns", "suggestion_acceptance",
        "agent_scores",
        "turns_cut_off_early", "session_trajectories", "turn_cutoff_rates", "turn_stop_reasons",
    }  # fmt: skip
    assert {node["schema"] for node in published(manifest)} == {"marts"}


def test_the_exposure_of_the_snapshot_names_all_of_it(manifest: Manifest) -> None:
    """Should list every published mart and nothing else.

    Lineage ends there for whoever asks what a change reaches.
    """
    (exposure,) = (e for e in manifest["exposures"].values() if e["name"] == "published_snapshot")
    ids = {node["unique_id"] for node in published(manifest)}
    assert set(exposure["depends_on"]["nodes"]) == ids


def test_published_views_read_published_relations_only(manifest: Manifest) -> None:
    """Should find no view that a reader of the snapshot could not answer."""
    ids = {node["unique_id"] for node in published(manifest)}
    broken = [
        (node["name"], parent)
        for node in published(manifest)
        if node["config"]["materialized"] == "view"
        for parent in node["depends_on"]["nodes"]
        if parent not in ids
    ]
    assert broken == []


def test_every_test_is_named_after_its_model(manifest: Manifest) -> None:
    """Should find no generated name: two that collide would lose one check without a word."""
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    broken = [
        test["name"]
        for test in tests
        if test["name"].count("__") < 2  # <model>__<column or grain>__<claim>, or <model>__<claim>
        and not any(test["name"].startswith(node["name"] + "__") for node in models_of(manifest))
    ]
    assert broken == []
    assert len({test["name"] for test in tests}) == len(tests)


def test_models_with_logic_have_a_unit_test(manifest: Manifest) -> None:
    """Should find a worked example for each model that computes something."""
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    broken = {node["name"] for node in models_of(manifest)} - tested - NO_LOGIC
    assert broken == set()


def test_models_read_no_clock_and_keep_to_common_sql(manifest: Manifest) -> None:
    """Should find neither now() nor syntax that one engine alone knows."""
    broken = [
        (node["name"], text)
        for node in models_of(manifest)
        for text in FORBIDDEN_TEXT
        if text in node["raw_code"].lower()
    ]
    assert broken == []


def test_macros_are_documented(manifest: Manifest) -> None:
    """Should find a description of every macro that a model may call."""
    own = [
        macro
        for macro in manifest["macros"].values()
        if macro["package_name"] == "agentledger"
        and not macro["name"].startswith(("duckdb__", "spark__", "test_"))
    ]
    assert own
    assert [macro["name"] for macro in own if not macro["description"]] == []


def test_dispatched_macros_have_a_version_for_both_engines(manifest: Manifest) -> None:
    """Should find a spark__ sibling of each duckdb__ macro: the lake can be built elsewhere."""
    names = {m["name"] for m in manifest["macros"].values() if m["package_name"] == "agentledger"}
    duckdb_names = {name.removeprefix("duckdb__") for name in names if name.startswith("duckdb__")}
    assert duckdb_names
    assert {name for name in duckdb_names if f"spark__{name}" not in names} == set()
