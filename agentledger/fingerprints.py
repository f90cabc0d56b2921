"""Fingerprints of what is not a row: projects, sources, prices and the code of the models.

Belongs here: computing them, and comparing those of the configuration, the warehouse and the
published build. A changed fingerprint makes a run rebuild what depends on it.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from agentledger.settings import Settings

if TYPE_CHECKING:
    from agentledger.ingest.scan_roots import ScanRoot

CODE_FOLDERS = ("models", "dbt_project/macros", "dbt_project/seeds", "dbt_project/tests")
CODE_FILES = ("dbt_project/dbt_project.yml",)
CODE_SUFFIXES = (".sql", ".yml", ".yaml", ".csv", ".md")


@dataclass(frozen=True, slots=True)
class Context:
    """What a build depends on besides the rows of raw."""

    load_seq: int
    projects: str
    sources: str
    models: str
    prices: str = ""


def current_context(
    connection: duckdb.DuckDBPyConnection,
    roots: Sequence["ScanRoot"],
    load_seq: int,
    prices: str = "",
) -> Context:
    """Fingerprints of the configuration and the code as they are now.

    Args:
        connection: The warehouse, whose `raw.sources` still holds the zones of the last run.
        roots: What the user opted in to.
        load_seq: Highest load sequence number in the ledger.
        prices: Fingerprint of the prices (`ingest/model_prices.py`).
    """
    built = context_of_warehouse(connection)
    projects = projects_fingerprint(roots)
    return Context(
        load_seq=load_seq,
        projects=projects,
        sources=_source_generation(connection, roots, projects, built),
        models=models_fingerprint(),
        prices=prices,
    )


def projects_fingerprint(roots: Iterable["ScanRoot"]) -> str:
    """Changes when a project is registered, unregistered, renamed or gets another type.

    So it does when a source begins or ceases to count sessions of unregistered projects, or a
    folder of its sessions is renamed. The
    folders of the data home itself appear with their first file; that is no change of what a person
    opted in to.
    """
    return _digest(
        sorted(
            (
                r.project_id,
                r.project_name,
                r.project_type or "",
                *(["all"] * r.all_projects),
                *sorted(f"{item.old} > {item.new}" for item in r.renames),
            )
            for r in roots
            if r.project_type != "own"
        )
    )


SHARED_TABLES = (
    "intent_events", "intent_executions", "chat_events", "workflow_executions", "usage_events",
    "agent_telemetry", "suggestion_feedback",
)  # fmt: skip
"""Raw tables of events that are known by an id of their own, in whichever project they stand."""


def _source_generation(
    connection: duckdb.DuckDBPyConnection,
    roots: Sequence["ScanRoot"],
    projects: str,
    built: Context | None,
) -> str:
    """Count how often what is known of the sources changed the meaning of rows that lie in raw.

    A known source got another time zone: every instant of it may move. Or another mapping: its rows
    of the one before are gone. Or the projects changed, and an event stands in several of them:
    which of its copies counts is to be decided anew. A source that is merely added brings its own
    rows, so it must not cause a full rebuild, which a digest over all of them would.
    """
    if built is None:
        return "0"
    rows = connection.execute("select source_id, zone, mapping from raw.sources").fetchall()
    before = {row[0]: row[1:] for row in rows}
    moved = any(_reads_otherwise(root, *before.get(root.source_id, (None, None))) for root in roots)
    if moved or built.projects != projects and _projects_share_events(connection):
        return str(int(built.sources) + 1)
    return built.sources


def _reads_otherwise(root: "ScanRoot", zone: str | None, mapping: str | None) -> bool:
    """Whether what was read of a source before means something else now."""
    # A mapping that cannot be used now leaves what was read as it is.
    if root.mapping is not None and mapping not in (None, root.mapping.fingerprint):
        return True
    return zone not in (None, root.zone)


def _projects_share_events(connection: duckdb.DuckDBPyConnection) -> bool:
    return any(
        connection.execute(
            f"select exists (select 1 from raw.{table} group by record_key "
            "having min(project_id) <> max(project_id))"
        ).fetchall()
        == [(True,)]
        for table in SHARED_TABLES
    )


def models_fingerprint(repository: Path | None = None) -> str:
    """Changes with any line of the models, macros, seeds, tests or variables.

    Args:
        repository: Folder that holds `models/` and `dbt_project/`; default: beside this package.
    """
    base = repository or Path(__file__).resolve().parents[1]
    files = [base / name for name in CODE_FILES]
    for folder in CODE_FOLDERS:
        files += [path for path in (base / folder).rglob("*") if path.suffix in CODE_SUFFIXES]
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(files):
        if path.is_file():
            digest.update(path.relative_to(base).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def differences(now: Context, built: Context | None) -> list[str]:
    """Say in words which fingerprints changed since the warehouse was built."""
    if built is None:
        return ["nothing was built yet"]
    reasons = []
    if now.projects != built.projects:
        reasons.append("the registered projects changed")
    if now.sources != built.sources:
        reasons.append("the time zone or mapping of a source, or what projects share, changed")
    if now.models != built.models:
        reasons.append("the models changed")
    if now.prices != built.prices:
        reasons.append("the prices of models changed")
    return reasons


def context_of_warehouse(connection: duckdb.DuckDBPyConnection) -> Context | None:
    """Read what the last run wrote to `raw.run_context`; None before the first run."""
    rows = connection.execute(
        "select load_seq, projects_fingerprint, sources_fingerprint, models_fingerprint, "
        "coalesce(prices_fingerprint, '') from raw.run_context"
    ).fetchall()
    return Context(*rows[0]) if rows else None


def context_of_published(settings: Settings) -> Context | None:
    """Read the context of the published build from its pointer; None when there is none.

    The pointer's sidecar is read, not the snapshot: opening a database takes longer than this
    whole question may.
    """
    sidecar = settings.published_dir / "current.json"
    try:
        facts = json.loads(sidecar.read_text(encoding="utf-8"))
        return Context(
            *(facts[name] for name in ("load_seq", "projects", "sources", "models", "prices"))
        )
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return None


def is_published(settings: Settings, context: Context, as_of: datetime) -> bool:
    """Whether the published build is of this very context, and tells of this instant.

    What ages by the clock differs between two instants although no row came in between.
    """
    if context_of_published(settings) != context:
        return False
    facts = json.loads((settings.published_dir / "current.json").read_text(encoding="utf-8"))
    return facts.get("as_of") == as_of.isoformat()


def _digest(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
