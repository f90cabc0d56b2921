"""Land the prices of every model that raw names.

Belongs here: which raw tables name models, when names are looked up anew, the fingerprint that
makes every cost be computed anew. Does not belong here: what a model's prices are (`prices.py`),
any cost (`models/`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Final

import duckdb

from agentledger import prices
from agentledger.price_overrides import PriceOverride
from agentledger.prices import STANDARD, STANDARD_NAMES, NamedModel


@dataclass(frozen=True, slots=True)
class NamedIn:
    """Where a raw table names models; expressions over its columns."""

    table: str
    model: str
    provider: str = "null"
    service_tier: str = "null"
    condition: str = "true"


def _attribute(*names: str) -> str:
    found = ", ".join(f"json_extract_string(attributes, '$.\"{name}\"')" for name in names)
    return f"coalesce({found})" if len(names) > 1 else found


NAMED_IN: Final = (
    NamedIn(
        "claude_code_lines", "coalesce(model, 'unknown')", "'anthropic'", "service_tier",
        "has_usage and model is distinct from '<synthetic>'",
    ),
    # The provider stands at the head of a rollout, the model in its turns.
    NamedIn(
        "codex_lines", "model",
        "(select max(head.model_provider) from raw.codex_lines as head "
        "where head.file_id = codex_lines.file_id)",
    ),
    NamedIn("langfuse_observations", "model"),
    # In the order in which the staging models take the names of an attribute.
    NamedIn(
        "otlp_spans",
        _attribute(
            "gen_ai.response.model", "llm.response.model_name", "gen_ai.request.model",
            "llm.request.model_name", "llm.model_name", "model",
        ),
        _attribute("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    ),
    NamedIn(
        "otlp_logs", _attribute("model", "gen_ai.response.model", "gen_ai.request.model"),
        "'anthropic'",
    ),
    NamedIn("agent_telemetry", "model"),
    NamedIn("usage_events", "model", "provider"),
)  # fmt: skip
"""Every raw table that tells of model calls, one line each."""

CANONICAL_PROVIDERS: Final = {
    "az.ai.openai": "azure.ai.openai",
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""What facts call a provider that a source spells otherwise: both names get the prices."""


def write(
    connection: duckdb.DuckDBPyConnection,
    overrides: Sequence[PriceOverride],
    *,
    run_id: str,
    as_of: datetime,
) -> str:
    """Bring `raw.priced_models` and `raw.model_prices` up to date, in the caller's transaction.

    Only names that arrived since the last run are looked up, unless the prices changed or rows were
    removed.

    Returns:
        The fingerprint of the run's prices: another one makes every cost be computed anew.
    """
    built = _built(connection)
    digest = prices.fingerprint(overrides)
    generation = built.generation
    is_known = built.digest == digest
    judged_at = built.judged_at
    if is_known and judged_at is not None and _price_began(connection, judged_at, as_of):
        # Only what a call would cost today moves with time.
        generation += 1
    looks_at_all = not is_known or _has_removed(connection, run_id)
    if looks_at_all:
        connection.execute("delete from raw.model_prices")
        connection.execute("delete from raw.priced_models")
    known = {
        NamedModel(*row)
        for row in connection.execute(
            "select provider, model, service_tier from raw.priced_models"
        ).fetchall()
    }
    seen = _seen(connection, -1 if looks_at_all else built.load_seq)
    _write(connection, prices.price_models(sorted(seen - known, key=astuple), overrides))
    return f"{digest}.{generation}"


def expected(built: str | None, overrides: Sequence[PriceOverride]) -> str:
    """The fingerprint that a run would find with the same instant, without looking at any price."""
    generation = (built or "").partition(".")[2] or "0"
    return f"{prices.fingerprint(overrides)}.{generation}"


@dataclass(frozen=True, slots=True)
class _Built:
    digest: str
    generation: int
    judged_at: datetime | None
    """When a run looked at the prices last. Not `as_of`, which ticks move past the beginning of a
    price without computing any cost."""
    load_seq: int


def _built(connection: duckdb.DuckDBPyConnection) -> _Built:
    row = connection.execute(
        "select coalesce(prices_fingerprint, ''), coalesce(prices_judged_at, as_of), load_seq "
        "from raw.run_context"
    ).fetchone()
    if row is None:
        return _Built("", 0, None, -1)
    digest, _, generation = row[0].partition(".")
    return _Built(digest, int(generation or 0), row[1], row[2])


def _price_began(connection: duckdb.DuckDBPyConnection, before: datetime, now: datetime) -> bool:
    """Whether a price began or ended between two instants, in either direction."""
    [(began,)] = connection.execute(
        """
        select exists (
            select 1
            from (
                select valid_from as instant from raw.model_prices
                union all
                select valid_to from raw.model_prices where valid_to is not null
            )
            where instant > least($before, $now) and instant <= greatest($before, $now)
        )
        """,
        {"before": before, "now": now},
    ).fetchall()
    return began


def _has_removed(connection: duckdb.DuckDBPyConnection, run_id: str) -> bool:
    """Whether this run removed rows: a name that only they told must go with them."""
    [(removed,)] = connection.execute(
        "select exists (select 1 from raw.purges where run_id = ?)", [run_id]
    ).fetchall()
    return removed


def _seen(connection: duckdb.DuckDBPyConnection, since: int) -> set[NamedModel]:
    """Models that rows after `since` name, in every spelling of their provider that facts have."""
    standard = ", ".join(f"'{name}'" for name in STANDARD_NAMES)
    found: set[NamedModel] = set()
    for place in NAMED_IN:
        rows = connection.execute(
            f"""
            select distinct
                coalesce(lower(trim({place.provider})), ''),
                lower(trim({place.model})),
                case when coalesce(lower(trim({place.service_tier})), '') in ({standard})
                    then '{STANDARD}' else lower(trim({place.service_tier})) end
            from raw.{place.table}
            where load_seq > ? and {place.model} is not null and {place.condition}
            """,
            [since],
        ).fetchall()
        for provider, model, tier in rows:
            found.add(NamedModel(provider, model, tier))
            found.add(NamedModel(str(CANONICAL_PROVIDERS.get(provider, provider)), model, tier))
    return found


def _write(connection: duckdb.DuckDBPyConnection, models: Iterable[prices.PricedModel]) -> None:
    for model in models:
        name = astuple(model.name)
        connection.execute(
            "insert into raw.priced_models values (?, ?, ?, ?, ?)",
            [*name, model.matched_provider, model.matched_model],
        )
        rows = [
            [*name, p.token_class, p.context_threshold, p.usd_per_token, p.valid_from, p.valid_to,
             p.source, p.source_version]
            for p in model.prices
        ]  # fmt: skip
        if rows:
            marks = ", ".join("(" + ", ".join("?" * len(row)) + ")" for row in rows)
            connection.execute(
                f"insert into raw.model_prices values {marks}",
                [value for row in rows for value in row],
            )
