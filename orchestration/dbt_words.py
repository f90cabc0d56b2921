"""What a person reads about a dbt node in the Dagster UI.

Belongs here: pure functions from an entry of the manifest to descriptions, owners, tags and links.
Does not belong here: asset keys, groups and dependencies (`dbt_project.py`), the texts themselves
(the YAML beside the models).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.manifest import DBT_PROJECT_DIR, REPO_ROOT

Node = Mapping[str, Any]

MAINTAINERS = "team:agentledger-maintainers"
"""Owner of the assets that no dbt group owns: Dagster wants an address or a team."""

_LEADING_COMMENT = re.compile(r"\A\s*\{#-?(?P<text>.*?)-?#\}", re.DOTALL)
_NO_TEAM_CHARACTER = re.compile(r"[^a-z0-9]+")


def describe_model(props: Node) -> str:
    """Description, and whether readers see it; the SQL is one click away (`link_model`)."""
    said = " ".join(str(props.get("description") or "").split())
    if is_published(props):
        fate = "Published: readers find it in the snapshot."
    else:
        fate = "Stays in the warehouse; readers do not see it."
    return f"{said}\n\n{fate}".strip()


def link_model(props: Node) -> dict[str, Any]:
    """Metadata of a model's definition: grain, SQL, and the files that hold SQL and contract."""
    sql_file, contract_file = model_files(props)
    columns = props.get("columns") or {}
    metadata: dict[str, Any] = {}
    if grain := props["config"].get("meta", {}).get("grain"):
        metadata["one row per"] = ", ".join(grain)
    metadata["SQL"] = dg.MetadataValue.md(f"```sql\n{str(props.get('raw_code', '')).strip()}\n```")
    metadata["SQL file"] = _from_the_root(sql_file)
    if contract_file is not None:
        enforced = (props["config"].get("contract") or {}).get("enforced")
        what = "contract, enforced" if enforced else "columns"
        metadata[f"{what} ({len(columns)})"] = _from_the_root(contract_file)
    files = [sql_file] if contract_file is None else [sql_file, contract_file]
    metadata["dagster/code_references"] = dg.CodeReferencesMetadataValue(
        code_references=[
            dg.LocalFileCodeReference(file_path=str(file), label=file.name) for file in files
        ]
    )
    return metadata


def model_files(props: Node) -> tuple[Path, Path | None]:
    """The SQL of a model and the YAML that describes it; dbt names both from its own folder."""
    sql_file = (DBT_PROJECT_DIR / str(props["original_file_path"])).resolve()
    patch = str(props.get("patch_path") or "").rpartition("://")[2]
    return sql_file, (DBT_PROJECT_DIR / patch).resolve() if patch else None


def tag_model(props: Node) -> dict[str, str]:
    """Tags to filter the catalogue by."""
    return {"layer": str(props["schema"])} | ({"published": "yes"} if is_published(props) else {})


def owner_of(manifest: Node, props: Node) -> str:
    """The owner of the node's dbt group, as the team Dagster takes it for."""
    group = props.get("group") or props["config"].get("group")
    for one in (manifest.get("groups") or {}).values():
        if one["name"] == group and (name := (one.get("owner") or {}).get("name")):
            return f"team:{_NO_TEAM_CHARACTER.sub('-', str(name).lower()).strip('-')}"
    return MAINTAINERS


def is_published(props: Node) -> bool:
    """Whether the YAML says `meta.publish: true`."""
    return props["config"].get("meta", {}).get("publish") is True


def describe_check(test: Node) -> str:
    """What a dbt test claims, as a sentence.

    Its own description comes first; then the comment that a singular test opens with; then what the
    generic test says with these arguments.
    """
    if said := " ".join(str(test.get("description") or "").split()):
        return said
    metadata = test.get("test_metadata")
    if metadata:
        return _claim(str(metadata["name"]), metadata.get("kwargs") or {})
    comment = _LEADING_COMMENT.match(str(test.get("raw_code") or ""))
    return " ".join(comment["text"].split()) if comment else str(test["name"]).replace("_", " ")


def _claim(name: str, arguments: Mapping[str, Any]) -> str:
    column = arguments.get("column_name")
    if name == "not_null":
        return f"`{column}` is never empty."
    if name == "unique":
        return f"No two rows have the same `{column}`."
    if name == "accepted_values":
        values = ", ".join(f"`{value}`" for value in arguments.get("values", []))
        return f"`{column}` is one of {values}."
    if name == "relationships":
        return f"Every `{column}` exists in {arguments.get('to')}, column `{arguments['field']}`."
    if name == "unique_combination":
        columns = ", ".join(f"`{one}`" for one in arguments.get("columns", []))
        return f"One row per {columns}: no two rows have the same."
    if name == "row_expression":
        return f"In every row: `{' '.join(str(arguments.get('expression')).split())}`"
    return f"{name.replace('_', ' ')} ({column})" if column else name.replace("_", " ")


def _from_the_root(file: Path) -> str:
    return file.relative_to(REPO_ROOT).as_posix() if file.is_relative_to(REPO_ROOT) else file.name
