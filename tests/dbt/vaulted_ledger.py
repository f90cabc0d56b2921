"""Build what tests of vaulted texts read: one collection, and the models of turns and calls.

Belongs here: the two steps that follow once sources are registered. Does not belong here: the
sources and their texts (the tests).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from agentledger import warehouse
from agentledger.ingest import collect
from agentledger.settings import Settings

MODELS = ("+fct_turns", "+fct_llm_calls", "+fct_chat_messages")


def collect_and_build(settings: Settings, dbt: Callable[..., Any], as_of: datetime) -> None:
    """Ingest every source of a home, then build the models that a replay and an export read."""
    with warehouse.open_warehouse(settings) as connection:
        collect.collect(settings, connection, run_id="r", as_of=as_of)
    dbt(settings.warehouse_path, "run", "--select", *MODELS)
