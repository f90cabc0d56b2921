"""The raw tables of prices.

Belongs here: their DDL and what a row of each is. Does not belong here: how they are filled
(`ingest/model_prices.py`), the other tables (`raw_tables.py`).
"""

PRICE_TABLES: dict[str, str] = {
    # One row per model as a source names it: what the package takes it for, null when it does not
    # know it. Lower case; '' where no provider is named.
    "priced_models": """
        provider varchar not null, model varchar not null, service_tier varchar not null,
        matched_provider varchar, matched_model varchar,
        primary key (provider, model, service_tier)
    """,
    # One row per price of such a model: one token class, one context band, one interval of time.
    # `context_threshold`: the band of requests with more input than that, cache included.
    "model_prices": """
        provider varchar not null, model varchar not null, service_tier varchar not null,
        token_class varchar not null, context_threshold bigint not null,
        usd_per_token decimal(20, 15) not null,
        valid_from timestamptz not null, valid_to timestamptz,
        source varchar not null, source_version varchar not null,
        primary key (provider, model, service_tier, token_class, context_threshold, valid_from)
    """,
}
"""Merged into `RAW_TABLES`."""
