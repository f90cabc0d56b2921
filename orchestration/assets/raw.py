"""Raw tables as assets, from the source files outside to the tables inside.

Belongs here: the factory of the raw assets and what their materialisations show a person. Does not
belong here: reading files (`agentledger/ingest/`), columns (`agentledger/warehouse.py`), what
may be shown (`meta.privacy` in the dbt sources).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg
import duckdb
import pandas as pd

from agentledger import status
from agentledger.ingest.collect import collect
from agentledger.ingest.event_formats import FORMATS
from agentledger.ingest.postgres_tables import TABLES as CONTRACTS
from agentledger.ingest.reports import CollectionReport
from agentledger.raw_otlp import OTLP_TABLES
from agentledger.raw_prices import PRICE_TABLES
from agentledger.raw_tables import EVENT_TABLES, RAW_TABLES
from agentledger.raw_transcripts import TRANSCRIPT_TABLES
from orchestration import progress
from orchestration.dbt_project import model_keys, public_columns, source_description
from orchestration.dbt_words import MAINTAINERS
from orchestration.previews import PreviewBudget, as_markdown, relation_metadata
from orchestration.resources import LedgerRun, WarehouseResource

SOURCE_FILES = dg.AssetKey(["source_files", "skill_metrics"])
EVENT_LOGS = dg.AssetKey(["source_files", "event_logs"])
SERVER_TABLES = dg.AssetKey(["source_files", "postgres_tables"])
TRANSCRIPTS = dg.AssetKey(["source_files", "transcripts"])
OTLP = dg.AssetKey(["source_files", "otlp"])

ATTEMPTS = dg.RetryPolicy(max_retries=1, delay=1)
"""Two attempts: a second one helps against a file that changed while it was read; a third never."""

RAW_FRESHNESS = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=24), fail_window=timedelta(days=7)
)
"""Collections follow the sources: a day without one is worth a look, a week means it is broken."""

NOT_FROM_FILES = frozenset({"projects", "sources", "run_context", "purges", *PRICE_TABLES})
"""Tables written from the registry, the installed prices and the run itself."""

POSTGRES_TABLES = frozenset(FORMATS[name].table for name in CONTRACTS)
"""Tables of records that may come from a server, too."""

DESCRIPTIONS = {
    "skill_usage": "Skill invocations as the projects' metric files tell them, uncast; one row per "
    "version of a record.",
    "intent_events": "What users asked and what an orchestrator made of it, without any text; one "
    "row per line of a log.",
    "intent_executions": "How the commands of intents ran, where an orchestrator tells it.",
    "chat_events": "Messages of the assistant: their hashes, linked to the intents.",
    "workflow_executions": "Runs of multi-step workflows, one row per state that was written.",
    "agent_changes": "Changes of agents that their owner declared; never the notes.",
    "pattern_judgements": "What people think of patterns that agents use; never the notes.",
    "ledger_reads": "Questions that readers put to this ledger; never what they typed.",
    "claude_code_lines": "Lines of Claude Code transcripts: when, which model, how many tokens; no "
    "text.",
    "claude_code_blocks": "Calls of tools and their results, from transcripts: names and error "
    "classes, no arguments.",
    "codex_lines": "Lines of Codex rollouts: counters of tokens, tools by name, no text.",
    "langfuse_observations": "Observations of Langfuse exports: types, models, tokens, cost, no "
    "text.",
    "working_directories": "Folders that transcripts name, and the project each belongs to.",
    "files": "The ledger of files: what was read of each, and when it changed last.",
    "file_loads": "One row per load of a file: the evidence that no record was lost.",
    "rejects": "What could not be read: file, position, reason, length and hash, never the text.",
    "unknown_fields": "Names of fields that no allow-list knows, never their values.",
    "projects": "Projects whose owner opted in.",
    "sources": "Where telemetry is read from, and in which time zone.",
    "collection_runs": "One row per run and source: files found, collected, skipped, quarantined.",
    "postgres_watermarks": "How far each table on a PostgreSQL server was read.",
    "purges": "What was removed for good, by a purge or by retention: counts, no names.",
    "priced_models": "Models as the sources name them, and what the price package takes them for.",
    "model_prices": "What a token of each of these models costs, since when and until when.",
    "run_context": "The run the models describe: its instant and the fingerprints of the rest.",
}


def build_raw_assets(
    manifest: Mapping[str, Any], tables: Sequence[str] = tuple(RAW_TABLES)
) -> list[dg.AssetSpec | dg.AssetsDefinition]:
    """Make the source file asset and one asset per raw table.

    Args:
        manifest: dbt's, whose sources say which columns a preview may show.
        tables: Raw tables; each is the source table of the same name in dbt.
    """
    models = model_keys(manifest)

    @dg.multi_asset(
        name="collect",
        specs=[_raw_spec(table, manifest) for table in tables],
        can_subset=True,
        retry_policy=ATTEMPTS,
    )
    def collect_sources(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource, ledger_run: LedgerRun
    ) -> Iterator[dg.MaterializeResult]:
        """Read every new or changed source file; all raw tables are written together."""
        ledger_run.step("collect")
        with warehouse.get_connection() as connection:
            report = collect(
                ledger_run.settings,
                connection,
                run_id=ledger_run.run_id,
                as_of=ledger_run.as_of,
                on_progress=progress.listener().collecting,
                is_whole_run=ledger_run.judge_extent(context.run, models),
            )
            status.record_collection(ledger_run.settings, report)
            progress.listener().collected(report)
            for key in sorted(context.selected_asset_keys):
                yield dg.MaterializeResult(
                    asset_key=key,
                    metadata=table_metadata(connection, key.path[-1], manifest)
                    | collection_metadata(key.path[-1], report),
                )

    return [*_sources(), collect_sources]


def _sources() -> list[dg.AssetSpec]:
    """What lies outside, by kind; AgentLedger only reads it."""
    return [
        _source(
            SOURCE_FILES,
            "Skill metrics of each registered project: `skill_metrics.json`, exports and SQLite "
            "stores. AgentLedger only reads them; `agentledger register PATH` opts a project in.",
        ),
        _source(
            EVENT_LOGS,
            "Logs of events: the spool that `agentledger.emit` writes, logs inside the registered "
            "projects, and what `agentledger source add events PATH` opts in.",
        ),
        _source(
            SERVER_TABLES,
            "Tables on PostgreSQL servers: `agentledger source add postgres DSN --table NAME` opts "
            "one in. Sessions are read only.",
            kind="postgres",
        ),
        _source(
            TRANSCRIPTS,
            "Transcripts of Claude Code, rollouts of Codex and exports of Langfuse: `agentledger "
            "source add claude-code`, `codex` or `langfuse` opts them in. Whatever people and "
            "models wrote stays where it is.",
        ),
        _source(
            OTLP,
            "Files that an OpenTelemetry collector wrote: `agentledger source add otlp PATH` opts "
            "them in. Messages, arguments and results stay where they are.",
        ),
    ]


def _source(key: dg.AssetKey, description: str, kind: str = "json") -> dg.AssetSpec:
    return dg.AssetSpec(
        key=key,
        group_name="source_files",
        kinds={kind},
        owners=[MAINTAINERS],
        tags={"layer": "source"},
        description=description,
    )


def _raw_spec(table: str, manifest: Mapping[str, Any]) -> dg.AssetSpec:
    said = DESCRIPTIONS.get(table) or source_description(manifest, table)
    return dg.AssetSpec(
        key=dg.AssetKey(["raw", table]),
        group_name="raw",
        kinds={"duckdb", "table"},
        description=said or f"Raw table {table}.",
        owners=[MAINTAINERS],
        tags={"layer": "raw"},
        deps=_files_behind(table),
        freshness_policy=RAW_FRESHNESS if table == "collection_runs" else None,
    )


def _files_behind(table: str) -> list[dg.AssetKey]:
    if table in NOT_FROM_FILES:
        return []
    if table in TRANSCRIPT_TABLES or table == "working_directories":
        return [TRANSCRIPTS]
    if table in OTLP_TABLES:
        return [OTLP]
    if table == "postgres_watermarks":
        return [SERVER_TABLES]
    if table in POSTGRES_TABLES:
        return [EVENT_LOGS, SERVER_TABLES]
    if table in EVENT_TABLES:
        return [EVENT_LOGS]
    return [SOURCE_FILES, EVENT_LOGS] + ([] if table == "skill_usage" else [TRANSCRIPTS, OTLP])


def table_metadata(
    connection: duckdb.DuckDBPyConnection, table: str, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Row count and first rows of a raw table, public columns only."""
    columns = public_columns(manifest, table)
    return {
        "dagster/table_name": f"raw.{table}",
        **relation_metadata(connection, f"raw.{table}", columns, PreviewBudget()),
    }


def collection_metadata(table: str, report: CollectionReport) -> dict[str, Any]:
    """What the collection did, shown where a person looks for it: at the records."""
    if table not in ("skill_usage", "intent_events", "workflow_executions", "collection_runs"):
        return {}
    totals = report.totals()
    per_project = pd.DataFrame(
        [
            {
                "project": source.project_name,
                "files": source.found,
                "read": source.records_read,
                "accepted": source.accepted,
                "already known": source.already_known,
                "rejected": source.rejected,
                "seconds": round(source.seconds, 2),
            }
            for source in report.sources
        ]
    )
    return {
        "records accepted": totals["accepted"],
        "records rejected": totals["rejected"],
        "records already known": totals["already_known"],
        "files read": totals["files_collected"],
        "duration (s)": round(report.seconds, 2),
        "records per project": dg.MetadataValue.md(as_markdown(per_project)),
    }
