"""dbt as Dagster sees it: arguments, translation, what the YAML says."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from agentledger.fingerprints import Context
from orchestration.dbt_project import (
    LedgerTranslator,
    dbt_args,
    full_refresh_reason,
    group_of,
    public_columns,
    published_relations,
)

BUILT = Context(load_seq=7, projects="p", sources="0", models="m")


def node(name: str, folders: list[str], **config: Any) -> dict[str, Any]:
    """A model as the manifest has it, with what the translator reads."""
    return {
        "unique_id": f"model.agentledger.{name}",
        "resource_type": "model",
        "name": name,
        "alias": name,
        "database": "warehouse",
        "schema": folders[0],
        "fqn": ["agentledger", *folders, name],
        "description": "What it holds.",
        "original_file_path": f"models/{name}.sql",
        "config": {"materialized": "table", "meta": {}, "group": "other", **config},
        "meta": config.get("meta", {}),
        "columns": {},
        "tags": [],
        "depends_on": {"nodes": []},
        "checksum": {"checksum": "c"},
    }


def manifest_of(*nodes: dict[str, Any]) -> dict[str, Any]:
    """A manifest of models and one raw source."""
    source = {
        "unique_id": "source.agentledger.raw.skill_usage",
        "resource_type": "source",
        "source_name": "raw",
        "name": "skill_usage",
        "schema": "raw",
        "database": "warehouse",
        "fqn": ["agentledger", "staging", "raw", "skill_usage"],
        "meta": {"dagster": {"asset_key": ["raw", "skill_usage"]}},
        "config": {"meta": {"dagster": {"asset_key": ["raw", "skill_usage"]}}},
        "columns": {
            "skill_name": {"config": {"meta": {"privacy": "PUBLIC"}}},
            "session_id": {"config": {"meta": {"privacy": "SENSITIVE"}}},
            "variant": {},
        },
        "description": "",
        "tags": [],
    }
    return {
        "metadata": {"adapter_type": "duckdb", "project_name": "agentledger"},
        "nodes": {one["unique_id"]: one for one in nodes},
        "sources": {source["unique_id"]: source},
        "groups": {},
        "exposures": {},
        "metrics": {},
        "parent_map": {},
        "child_map": {},
    }


@pytest.mark.parametrize("full_refresh", [False, True])
def test_a_build_leaves_unit_tests_out_and_asks_nobody_for_versions(full_refresh: bool) -> None:
    """Unit tests belong to CI; the version check would ask the package index."""
    arguments = dbt_args(full_refresh=full_refresh, target_path=Path("/t"), project_dir=Path("/p"))
    assert ("--full-refresh" in arguments) is full_refresh
    position = arguments.index("--exclude-resource-type")
    assert arguments[position + 1] == "unit_test"
    for flag in ("--no-version-check", "--no-send-anonymous-usage-stats"):
        assert arguments.index(flag) < arguments.index("build")
    assert "--vars" not in arguments
    assert "--no-partial-parse" not in arguments


@pytest.mark.parametrize(
    ("folders", "group"),
    [
        (["staging"], "staging"),
        (["intermediate"], "intermediate"),
        (["marts", "skills"], "skills"),
        (["marts", "ops"], "ops"),
    ],
    ids=lambda value: "/".join(value) if isinstance(value, list) else value,
)
def test_the_group_is_the_folder(folders: list[str], group: str) -> None:
    """The tempting change is dbt's own group, which says who owns a model, not where it lies."""
    assert group_of(node("m", folders)) == group


def test_the_translator_names_assets_by_schema_and_joins_sources() -> None:
    """A source that is not joined to the raw asset would cut the lineage in two."""
    model = node("stg_x", ["staging"], materialized="view")
    model["depends_on"] = {"nodes": ["source.agentledger.raw.skill_usage"]}
    manifest = manifest_of(model)
    spec = LedgerTranslator().get_asset_spec(manifest, model["unique_id"], None)
    assert spec.key == dg.AssetKey(["staging", "stg_x"])
    assert spec.group_name == "staging"
    assert spec.kinds == {"dbt", "duckdb", "view"}
    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey(["raw", "skill_usage"])]


def test_a_model_that_depends_on_a_model_uses_its_translated_key() -> None:
    """Specs are memoised by the base class with its own keys; dependencies must follow ours."""
    first, second = node("int_a", ["intermediate"]), node("b", ["marts", "skills"])
    second["depends_on"] = {"nodes": [first["unique_id"]]}
    spec = LedgerTranslator().get_asset_spec(manifest_of(first, second), second["unique_id"], None)
    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey(["intermediate", "int_a"])]


def test_only_what_the_yaml_marks_is_published() -> None:
    """Facts carry exact times and ids: they stay home because nobody marked them."""
    manifest = manifest_of(
        node("skill_aggregates", ["marts", "skills"], meta={"publish": True}),
        node("top_skills", ["marts", "skills"], meta={"publish": True}, materialized="view"),
        node("fct_skill_invocations", ["marts", "skills"]),
    )
    assert [(one.name, one.kind) for one in published_relations(manifest)] == [
        ("skill_aggregates", "table"),
        ("top_skills", "view"),
    ]


def test_a_preview_shows_public_columns_alone() -> None:
    """A column without a class is not shown, either: silence is no permission."""
    assert public_columns(manifest_of(), "skill_usage") == ["skill_name"]
    assert public_columns(manifest_of(), "unheard_of") == []


@pytest.mark.parametrize(
    ("now", "published", "words"),
    [
        (BUILT, BUILT, None),
        (BUILT, None, "nothing is published"),
        (Context(9, "other", "0", "m"), BUILT, None),
        (Context(9, "p", "1", "m"), BUILT, "time zone"),
        (Context(9, "p", "0", "n"), BUILT, "models"),
    ],
    ids=["same", "never published", "projects changed", "zone changed", "models changed"],
)
def test_a_full_refresh_has_a_reason(
    now: Context, published: Context | None, words: str | None
) -> None:
    """Registering a project must not cost a rebuild of all history: the models follow it."""
    reason = full_refresh_reason(now, published)
    assert (reason is None) if words is None else (words in str(reason))
