"""What readers get: the snapshot, and the documentation site.

Belongs here: the two assets downstream of the models. Does not belong here: writing a snapshot
(`agentledger/publish.py`), which relations are published (`meta.publish` in the dbt YAML).
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import dagster as dg
import pandas as pd

from agentledger import knowledge_export, purge, status
from agentledger.errors import PublishRefusedError
from agentledger.publish import PublishReport, publish
from orchestration import docs_site, history, progress
from orchestration.assets.raw import ATTEMPTS
from orchestration.dbt_project import published_relations
from orchestration.dbt_words import MAINTAINERS
from orchestration.previews import as_markdown
from orchestration.resources import LedgerRun
from orchestration.run_scope import DOCS, KNOWLEDGE, SNAPSHOT

SNAPSHOT_FRESHNESS = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=24), fail_window=timedelta(days=7)
)
"""As that of raw: runs happen when sources are newer, so a day of silence is worth a look."""


def build_publish_assets(manifest: Mapping[str, Any]) -> list[dg.AssetsDefinition]:
    """Make the assets of what is published.

    Args:
        manifest: dbt's, which says what is published and therefore what the snapshot waits for.
    """
    relations = published_relations(manifest)
    models = [dg.AssetKey([relation.schema, relation.name]) for relation in relations]

    @dg.asset(
        key=SNAPSHOT,
        deps=models,
        group_name="publish",
        kinds={"duckdb"},
        owners=[MAINTAINERS],
        tags={"layer": "published"},
        freshness_policy=SNAPSHOT_FRESHNESS,
        retry_policy=ATTEMPTS,
    )
    def snapshot(ledger_run: LedgerRun) -> dg.MaterializeResult:
        """The read-only snapshot that the CLI, agents and dashboards read; facts stay home."""
        ledger_run.step("publish")
        refuse_unbuilt(ledger_run)
        report = publish(
            ledger_run.settings, relations, run_id=ledger_run.run_id, as_of=ledger_run.as_of
        )
        status.record_facts(ledger_run.settings, build_id=report.build_id)
        progress.listener().published(report)
        complete_purges(ledger_run)
        return dg.MaterializeResult(metadata=snapshot_metadata(report))

    @dg.asset(
        key=DOCS,
        deps=models,
        group_name="publish",
        kinds={"dbt"},
        owners=[MAINTAINERS],
        tags={"layer": "published"},
        retry_policy=ATTEMPTS,
    )
    def docs(ledger_run: LedgerRun) -> dg.MaterializeResult:
        """The dbt docs site: every table, column, test and where it comes from.

        One static file in the data home; `agentledger docs` serves it.
        """
        ledger_run.step("docs")
        page = docs_site.generate(ledger_run.settings)
        return dg.MaterializeResult(metadata={"page": dg.MetadataValue.path(page)})

    @dg.asset(
        key=KNOWLEDGE,
        deps=[SNAPSHOT],
        group_name="publish",
        owners=[MAINTAINERS],
        tags={"layer": "published"},
        retry_policy=ATTEMPTS,
    )
    def knowledge(context: dg.AssetExecutionContext, ledger_run: LedgerRun) -> dg.MaterializeResult:
        """Patterns that passed every gate, as files that may be shared; never without consent."""
        report = knowledge_export.export(ledger_run.settings)
        facts = {
            "exported": len(report.exported) if report.path else 0,
            "refused": len(report.refused),
            "file": str(report.path) if report.path else "none",
            "reason": report.reason or "written",
        }
        context.log.info(f"knowledge export: {json.dumps(facts)}")
        return dg.MaterializeResult(metadata=facts)

    return [snapshot, docs, knowledge]


def refuse_unbuilt(ledger_run: LedgerRun) -> None:
    """Publish only what this very run built and tested.

    Raises:
        PublishRefusedError: When the run did not build the models, or dbt failed.
    """
    if not ledger_run.is_built:
        raise PublishRefusedError(
            "This run did not build the models, so there is no tested build of its own to publish. "
            "Start the job `refresh` (Jobs → refresh → Materialize all, or `agentledger run`)."
        )


def complete_purges(ledger_run: LedgerRun) -> None:
    """Readers have the new build: whatever else still holds rows that were removed goes now."""
    if not ledger_run.is_whole or not purge.is_pending(ledger_run.settings):
        return
    ledger_run.step("purge")
    settings, run_id = ledger_run.settings, ledger_run.run_id
    for line in purge.finish(
        settings, run_id=run_id, forget_history=partial(history.forget, settings, run_id=run_id)
    ):
        progress.listener().say(line)


def snapshot_metadata(report: PublishReport) -> dict[str, Any]:
    """What a person wants to know about a published build."""
    rows = pd.DataFrame(
        [{"relation": name, "rows": count} for name, count in sorted(report.rows.items())]
    )
    return {
        "build": report.build_id,
        "file": dg.MetadataValue.path(report.path),
        "copied": report.copied,
        "dagster/row_count": sum(report.rows.values()),
        "rows per relation": dg.MetadataValue.md(as_markdown(rows)),
    }
