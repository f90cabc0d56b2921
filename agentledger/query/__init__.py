"""Read API of AgentLedger: questions to the published snapshot.

Every function takes `settings=` (the data home of the environment by default), opens the current
snapshot for one answer and closes it again, so that programs that live long follow new builds. A
`get_…` of rows returns a pandas DataFrame, the others plain dicts. No metric is computed here.
`boosts()` alone reads the reviewed file of boosts instead: an orchestrator needs no snapshot. And
`replay()` reads the warehouse, because sessions are published under keys.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentledger.boost_rules import boosts
    from agentledger.query.agents import get_metrics_for
    from agentledger.query.builds import get_build
    from agentledger.query.frames import (
        get_agent_evolution,
        get_agent_feedback,
        get_agent_history,
        get_agent_history_total,
        get_agent_scores,
        get_alias_proposals,
        get_all_agent_metrics,
        get_arg_failures,
        get_asked_questions,
        get_asked_subjects,
        get_clarify_verbs,
        get_denies,
        get_intent_failure_modes,
        get_macro_denies,
        get_model_prices,
        get_override_events,
        get_overrides,
        get_projects,
        get_skill_comparison,
        get_skill_costs,
        get_skill_effectiveness,
        get_skill_history,
        get_skill_insights,
        get_top_skills,
        get_turn_cutoff_rate,
        get_turn_stop_reasons,
        get_turns_cut_off,
        get_unpriced_models,
        get_usage,
        get_validated_patterns,
        get_verb_boosts,
        get_workflow_correlation,
        get_workflow_recommendation,
    )
    from agentledger.query.intent_report import get_intent_report
    from agentledger.query.overview import get_skill, get_skill_summary
    from agentledger.query.replays import replay
    from agentledger.query.sql import run_sql
    from agentledger.query.workflows import optimize_workflow

__all__ = [
    "boosts",
    "get_agent_evolution",
    "get_agent_feedback",
    "get_agent_history",
    "get_agent_history_total",
    "get_agent_scores",
    "get_alias_proposals",
    "get_all_agent_metrics",
    "get_arg_failures",
    "get_asked_questions",
    "get_asked_subjects",
    "get_build",
    "get_clarify_verbs",
    "get_denies",
    "get_intent_failure_modes",
    "get_intent_report",
    "get_macro_denies",
    "get_metrics_for",
    "get_model_prices",
    "get_override_events",
    "get_overrides",
    "get_projects",
    "get_skill",
    "get_skill_comparison",
    "get_skill_costs",
    "get_skill_effectiveness",
    "get_skill_history",
    "get_skill_insights",
    "get_skill_summary",
    "get_top_skills",
    "get_unpriced_models",
    "get_turn_cutoff_rate",
    "get_turn_stop_reasons",
    "get_turns_cut_off",
    "get_usage",
    "get_validated_patterns",
    "get_verb_boosts",
    "get_workflow_correlation",
    "get_workflow_recommendation",
    "optimize_workflow",
    "replay",
    "run_sql",
]

_NOT_IN_FRAMES = {
    "boosts": "agentledger.boost_rules",
    "get_build": "agentledger.query.builds",
    "get_intent_report": "agentledger.query.intent_report",
    "get_metrics_for": "agentledger.query.agents",
    "get_skill": "agentledger.query.overview",
    "get_skill_summary": "agentledger.query.overview",
    "optimize_workflow": "agentledger.query.workflows",
    "replay": "agentledger.query.replays",
    "run_sql": "agentledger.query.sql",
}
"""Module of each function that does not return a frame."""


def __getattr__(name: str) -> Any:
    """Import a function's module when it is asked for: a reader of one mart needs no other's."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_NOT_IN_FRAMES.get(name, "agentledger.query.frames"))
    function = globals()[name] = getattr(module, name)
    return function


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
