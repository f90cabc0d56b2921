"""The dbt project as Dagster sees it.

Belongs here: the cached `DbtProject`, the arguments of `dbt build` (pure), the translator from dbt
nodes to assets, what the manifest says about publishing and privacy. Does not belong here:
model names (the YAML beside the models holds them), what a person reads about a node
(`dbt_words.py`), starting dbt (`dbt_process.py`), making the
manifest (`manifest.py`).
"""

from collections.abc import Mapping, Set
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

from agentledger.fingerprints import Context
from agentledger.publish import PublishedRelation
from orchestration import dbt_words
from orchestration import manifest as dbt_manifest

PUBLIC = "public"
"""Privacy class (column `meta.privacy`) of what may be shown anywhere, the Dagster UI included."""


@cache
def get_dbt_project(project_dir: Path = dbt_manifest.DBT_PROJECT_DIR) -> DbtProject:
    """The dbt project with its prepared manifest.

    Raises:
        AgentLedgerError: When the manifest is missing; says `make manifest`.
    """
    dbt_manifest.require_manifest(project_dir)
    return DbtProject(project_dir=project_dir, profiles_dir=project_dir)


def dbt_args(*, full_refresh: bool, target_path: Path, project_dir: Path) -> list[str]:
    """Arguments of the one dbt invocation of a run.

    Unit tests check the SQL against fixtures, not data: CI runs them, a production build does not.

    Args:
        full_refresh: Rebuild the incremental models from all of raw.
        target_path: Folder for the log and the compiled SQL of this run.
        project_dir: The dbt project, which holds the profile, too.
    """
    arguments = [
        *("--log-format", "json", "--no-use-colors", "--no-send-anonymous-usage-stats"),
        # The check for newer releases asks the package index.
        "--no-version-check",
        "build",
        *("--exclude-resource-type", "unit_test"),
        *("--project-dir", str(project_dir), "--profiles-dir", str(project_dir)),
        *("--target-path", str(target_path), "--log-path", str(target_path)),
        # A run needs neither manifest.json nor run_results.json: writing them costs 0.2 s.
        "--no-write-json",
    ]
    if full_refresh:
        arguments.append("--full-refresh")
    return arguments


def full_refresh_reason(now: Context | None, published: Context | None) -> str | None:
    """Why incremental models must be rebuilt whole, or None.

    A change of the registered projects is no reason: the models that read it follow it themselves.

    Args:
        now: Fingerprints of this run; None when nothing was ever collected.
        published: Those of the last published build; None when nothing is published.
    """
    if now is None or published is None:
        return "nothing is published yet"
    reasons = []
    if now.sources != published.sources:
        reasons.append("the time zone or mapping of a source, or what projects share, changed")
    if now.models != published.models:
        reasons.append("the models changed")
    return " and ".join(reasons) or None


class LedgerTranslator(DagsterDbtTranslator):
    """dbt node → asset: key `[schema, name]`, group = the folder, owners from dbt groups."""

    def __init__(self) -> None:
        """Load tests as asset checks, those on sources too."""
        super().__init__(
            settings=DagsterDbtTranslatorSettings(
                enable_asset_checks=True, enable_source_tests_as_checks=True
            )
        )

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Complete the default spec with what the folder and the YAML say."""
        memo = (id(manifest), unique_id)
        if memo in self._specs:
            return self._specs[memo]
        spec = super().get_asset_spec(manifest, unique_id, project)
        props = self.get_resource_props(manifest, unique_id)
        changes: dict[str, Any] = {}
        if props["resource_type"] != "source":
            changes["key"] = dg.AssetKey([props["schema"], props["name"]])
            changes["group_name"] = group_of(props)
            changes["kinds"] = {*spec.kinds, str(props["config"].get("materialized", "table"))}
            changes["description"] = dbt_words.describe_model(props)
            changes["owners"] = [dbt_words.owner_of(manifest, props)]
            changes["tags"] = {**spec.tags, **dbt_words.tag_model(props)}
            changes["metadata"] = {**spec.metadata, **dbt_words.link_model(props)}
        spec = spec.replace_attributes(**changes) if changes else spec
        self._specs[memo] = spec
        return spec

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """The default check, with what it claims; its name stays dbt's, by which it is found."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        said = dbt_words.describe_check(self.get_resource_props(manifest, unique_id))
        return dg.AssetCheckSpec(
            name=spec.name,
            asset=spec.asset_key,
            description=said,
            additional_deps=spec.additional_deps,
            blocking=spec.blocking,
            metadata=spec.metadata,
            automation_condition=spec.automation_condition,
        )

    @property
    def _specs(self) -> dict[tuple[int, str], dg.AssetSpec]:
        return self.__dict__.setdefault("_ledger_specs", {})


def group_of(props: Mapping[str, Any]) -> str:
    """Asset group of a node: its folder, without the layer `marts` that would hold everything."""
    folders = [name for name in props["fqn"][1:-1] if name != "marts"]
    return folders[0] if folders else str(props["resource_type"])


def published_relations(manifest: Mapping[str, Any]) -> list[PublishedRelation]:
    """Relations whose YAML says `meta.publish: true`, in the order of their names."""
    chosen = [
        props
        for props in manifest["nodes"].values()
        if props["resource_type"] in ("model", "seed")
        and props["config"].get("meta", {}).get("publish") is True
    ]
    return [
        PublishedRelation(
            schema=props["schema"],
            name=props["name"],
            kind="view" if props["config"]["materialized"] == "view" else "table",
        )
        for props in sorted(chosen, key=lambda props: props["name"])
    ]


def tagged_models(manifest: Mapping[str, Any], tags: Set[str]) -> list[dg.AssetKey]:
    """Keys of the models that have one of these dbt tags, in order."""
    return sorted(
        dg.AssetKey([props["schema"], props["name"]])
        for props in manifest["nodes"].values()
        if props["resource_type"] == "model" and tags & set(props["tags"])
    )


def model_keys(manifest: Mapping[str, Any]) -> frozenset[dg.AssetKey]:
    """Asset keys of every model."""
    return frozenset(
        dg.AssetKey([props["schema"], props["name"]])
        for props in manifest["nodes"].values()
        if props["resource_type"] == "model"
    )


def public_columns(manifest: Mapping[str, Any], table: str, schema: str = "raw") -> list[str]:
    """Columns of a raw table or a model that a preview may show: those declared public, no other.

    Args:
        manifest: dbt's.
        table: Name of the table, or of the view.
        schema: `raw`, or that of the model.
    """
    declared = manifest["sources"] if schema == "raw" else manifest["nodes"]
    for props in declared.values():
        if props.get("schema") == schema and props["name"] == table:
            return [
                name
                for name, column in props["columns"].items()
                if str(_privacy(column)).lower() == PUBLIC
            ]
    return []


def source_description(manifest: Mapping[str, Any], table: str) -> str:
    """What the dbt YAML says about a raw table; empty when it says nothing."""
    for props in manifest["sources"].values():
        if props["schema"] == "raw" and props["name"] == table:
            return " ".join(str(props.get("description") or "").split())
    return ""


def _privacy(column: Mapping[str, Any]) -> object:
    config_meta = (column.get("config") or {}).get("meta") or {}
    return config_meta.get("privacy") or (column.get("meta") or {}).get("privacy")
