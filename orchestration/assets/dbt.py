"""The dbt models as assets.

Belongs here: the one `@dbt_assets` definition, the stream of dbt's events. Does not belong here:
arguments and translation (`dbt_project.py`), the models (`models/`).

One definition, not several: between two, a failing dbt test would not hold back what is downstream.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DbtCliInvocation, DbtProject, dbt_assets

from agentledger import purge, raw_marks, ticks
from agentledger.fingerprints import context_of_published, context_of_warehouse
from agentledger.publish import PublishedRelation
from orchestration import progress
from orchestration.affected import EVERYTHING, Extent, extent_of, extent_of_all
from orchestration.dbt_project import (
    LedgerTranslator,
    dbt_args,
    full_refresh_reason,
    public_columns,
    published_relations,
)
from orchestration.dbt_resource import LocalDbtResource
from orchestration.kept_outputs import KeptOutputs, empty_checks, kept_checks
from orchestration.previews import PreviewBudget, relation_metadata
from orchestration.progress import BuildCounts
from orchestration.resources import LedgerRun, WarehouseResource
from orchestration.run_scope import FULL_REFRESH_TAG, TICK_JOBS

NOISE = frozenset({"unique_id", "invocation_id", "status"})
"""Metadata that dagster-dbt adds to each materialisation and that tells a person nothing."""


def build_dbt_assets(
    project: DbtProject, translator: LedgerTranslator, manifest: Mapping[str, Any]
) -> dg.AssetsDefinition:
    """Make the assets of all models; a function, because the decorator reads the manifest."""
    published = {
        dg.AssetKey([relation.schema, relation.name]).to_python_identifier(): relation
        for relation in published_relations(manifest)
    }

    @dbt_assets(
        name="build",
        manifest=manifest,
        project=project,
        dagster_dbt_translator=translator,
        retry_policy=dg.RetryPolicy(max_retries=1, delay=1),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def build_models(
        context: dg.AssetExecutionContext,
        dbt: LocalDbtResource,
        warehouse: WarehouseResource,
        ledger_run: LedgerRun,
    ) -> Iterator[Any]:
        """Build and test the models; what depends on a model that fails its tests is skipped."""
        ledger_run.step("build")
        if context.run.job_name in TICK_JOBS:
            advance_clock(warehouse, ledger_run)
        target = dbt.new_target(ledger_run.run_id)
        full_refresh = must_refresh_fully(context, warehouse, ledger_run)
        seen, extent = find_extent(manifest, warehouse, ledger_run, full_refresh=full_refresh)
        arguments = dbt_args(
            full_refresh=full_refresh,
            target_path=target,
            project_dir=Path(project.project_dir),
        )
        invocation = dbt.cli(
            arguments,
            context=context,
            target_path=target,
            raise_on_error=False,
            select=extent.selectors,
            exclude=extent.untested,
        )
        counts = BuildCounts(kept=len(extent.kept))
        kept = KeptOutputs(manifest, extent.kept)
        # Previews need the database, which dbt holds until it has ended.
        held: list[dg.Output] = []
        tested: set[dg.AssetCheckKey] = set()
        for event in dagster_events(invocation, counts):
            if isinstance(event, dg.Output) and event.output_name in published:
                held.append(event)
                continue
            if isinstance(event, dg.AssetCheckResult) and event.asset_key and event.check_name:
                tested.add(dg.AssetCheckKey(event.asset_key, event.check_name))
            yield from kept.before(event)
            yield event
        if invocation.is_successful():
            held = kept.among(held)
            missing = missing_checks(context, tested)
            yield from kept_checks(manifest, missing, extent.kept)
            yield from empty_checks(manifest, missing, extent.empty)
        yield from previewed(held, manifest, published, warehouse)
        raise_if_failed(invocation, counts)
        if ledger_run.is_whole:
            with warehouse.get_connection() as connection:
                raw_marks.remember(connection, seen)
        ledger_run.mark_built()

    return build_models


def advance_clock(warehouse: WarehouseResource, ledger_run: LedgerRun) -> None:
    """Make this instant the ledger's, for what ages by it."""
    with warehouse.get_connection() as connection:
        ticks.advance(
            ledger_run.settings, connection, run_id=ledger_run.run_id, as_of=ledger_run.as_of
        )


def must_refresh_fully(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, ledger_run: LedgerRun
) -> bool:
    """Whether this run rebuilds incremental models from all of raw; says why."""
    if context.run.tags.get(FULL_REFRESH_TAG) == "true":
        reason: str | None = "asked for"
    elif purge.is_pending(ledger_run.settings):
        # No incremental model sees that a row went.
        reason = "rows were removed"
    else:
        with warehouse.get_connection() as connection:
            now = context_of_warehouse(connection)
        reason = full_refresh_reason(now, context_of_published(ledger_run.settings))
    if reason:
        context.log.info(f"Full refresh: {reason}.")
        progress.listener().say(f"full refresh: {reason}")
    return reason is not None


def find_extent(
    manifest: Mapping[str, Any],
    warehouse: WarehouseResource,
    ledger_run: LedgerRun,
    *,
    full_refresh: bool,
) -> tuple[dict[str, raw_marks.Mark], Extent]:
    """What raw holds now, and what is to be built of it.

    Only a whole run leaves anything out: whoever picks models in the UI means these models.
    """
    with warehouse.get_connection() as connection:
        seen = raw_marks.read_marks(connection)
        if full_refresh:
            # Until it is complete, no build is: the next run would trust a part of it.
            raw_marks.forget(connection)
        changed = raw_marks.changed_tables(connection, seen)
    if not ledger_run.is_whole:
        return seen, EVERYTHING
    filled = {name for name in seen if seen[name].has_rows}
    if changed is None:
        return seen, extent_of_all(manifest, filled)
    return seen, extent_of(manifest, changed, filled)


def missing_checks(
    context: dg.AssetExecutionContext, tested: Set[dg.AssetCheckKey]
) -> list[dg.AssetCheckSpec]:
    """The checks of the step that dbt did not make."""
    missing = sorted(context.selected_asset_check_keys - tested)
    return [context.assets_def.get_spec_for_check_key(key) for key in missing]


def dagster_events(invocation: DbtCliInvocation, counts: BuildCounts) -> Iterator[Any]:
    """Turn dbt's log into Dagster events while dbt runs, and tell the listener."""
    for message in invocation.stream_raw_events():
        ended = counts.see(message.raw_event)
        if ended is not None:
            progress.listener().node_done(counts, *ended)
        yield from message.to_default_asset_events(
            manifest=invocation.manifest,
            dagster_dbt_translator=invocation.dagster_dbt_translator,
            context=invocation.context,
            target_path=invocation.target_path,
            project=invocation.project,
        )


def previewed(
    outputs: Sequence[dg.Output],
    manifest: Mapping[str, Any],
    published: Mapping[str, PublishedRelation],
    warehouse: WarehouseResource,
) -> Iterator[dg.Output]:
    """The outputs in their order, those that are published with a preview."""
    with warehouse.get_connection() as connection:
        budget = PreviewBudget()
        for output in outputs:
            relation = published.get(output.output_name)
            if relation is None:
                yield output
                continue
            columns = public_columns(manifest, relation.name, relation.schema)
            yield with_preview(output, connection, relation, columns, budget)


def with_preview(
    output: dg.Output,
    connection: duckdb.DuckDBPyConnection,
    relation: PublishedRelation,
    columns: Sequence[str],
    budget: PreviewBudget,
) -> dg.Output:
    """Add the row count and the first rows of what readers will see; public columns alone."""
    name = f'"{relation.schema}"."{relation.name}"'
    shown = relation_metadata(connection, name, columns, budget)
    kept = {key: value for key, value in output.metadata.items() if key not in NOISE}
    return output.with_metadata({**shown, **kept})


def raise_if_failed(invocation: DbtCliInvocation, counts: BuildCounts) -> None:
    """End the step with what a person needs to know when dbt failed.

    Raises:
        dg.Failure: Names what failed and where the log is.
    """
    if invocation.is_successful():
        return
    log = invocation.target_path / "dbt.log"
    failed = [
        *(f"model {name} failed" for name in counts.models_failed),
        *(f"test {name} failed" for name in counts.tests_failed),
        *(f"test {name} could not run" for name in counts.tests_broken),
    ]
    said = "\n".join(dict.fromkeys(counts.errors))
    raise dg.Failure(
        description=f"dbt build failed: {'; '.join(failed) or 'dbt could not go on'}.\n{said}\n"
        f"Nothing was published; readers keep the last build. The whole log: {log}",
        # The same data fails the same test again: a second attempt would only take time.
        allow_retries=not counts.only_tests_failed,
    )
