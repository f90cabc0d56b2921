"""Questions about what models cost, and which of them have no price.

Belongs here: `dim_model_prices` and `v_unpriced_models`, filtered. Does not belong here: what calls
cost (`usage.py`), where prices come from (`agentledger/prices.py`).
"""

from agentledger.query.answers import Answer, read_answer
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.snapshot import open_snapshot


@recorded("usage unpriced")
def unpriced_models(*, settings: Settings | None = None) -> Answer:
    """Models with calls of unknown cost, those with the most tokens first."""
    with open_snapshot(load_settings() if settings is None else settings) as snapshot:
        return read_answer(
            snapshot,
            "select * from marts.v_unpriced_models order by unpriced_tokens desc, provider, model",
        )


@recorded("usage prices")
def model_prices(model: str | None = None, *, settings: Settings | None = None) -> Answer:
    """Every price that calls were priced with, and where it comes from.

    Args:
        model: Part of a model's name; every model by default.
        settings: Names the data home; read from the environment by default.
    """
    with open_snapshot(load_settings() if settings is None else settings) as snapshot:
        return read_answer(
            snapshot,
            """
            select provider, model, service_tier, token_class, context_threshold,
                cast(usd_per_token as double) as usd_per_token, usd_as_quoted, valid_from,
                valid_to, source, source_version, matched_provider, matched_model
            from marts.dim_model_prices
            where contains(model, lower(?))
            order by model, provider, service_tier, token_class, context_threshold, valid_from
            """,
            [model or ""],
        )
