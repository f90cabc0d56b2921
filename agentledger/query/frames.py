"""The questions of `query` as functions that return pandas DataFrames.

Belongs here: nothing but the wrapping. pandas is imported when the first frame is made: it takes a
second, and the command line does without it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec

from agentledger.query import (
    agent_scores,
    agents,
    asked,
    boost_proposals,
    intents,
    patterns,
    prices,
    projects,
    skills,
    turns,
    usage,
    workflows,
)
from agentledger.query.answers import Answer

if TYPE_CHECKING:
    import pandas as pd

P = ParamSpec("P")


def _framed(question: Callable[P, Answer], name: str) -> "Callable[P, pd.DataFrame]":
    import functools

    @functools.wraps(question)
    def framed(*args: P.args, **options: P.kwargs) -> "pd.DataFrame":
        return question(*args, **options).frame()

    framed.__name__ = framed.__qualname__ = name
    framed.__annotations__ = {**question.__annotations__, "return": "pd.DataFrame"}
    return framed


get_top_skills = _framed(skills.top_skills, "get_top_skills")
get_skill_history = _framed(skills.skill_history, "get_skill_history")
get_skill_effectiveness = _framed(skills.skill_effectiveness, "get_skill_effectiveness")
get_skill_insights = _framed(skills.skill_insights, "get_skill_insights")
get_projects = _framed(projects.known_projects, "get_projects")
get_asked_questions = _framed(asked.asked_questions, "get_asked_questions")
get_asked_subjects = _framed(asked.asked_subjects, "get_asked_subjects")
get_skill_comparison = _framed(skills.skill_comparison, "get_skill_comparison")
get_skill_costs = _framed(skills.skill_costs, "get_skill_costs")
get_workflow_correlation = _framed(workflows.workflow_correlation, "get_workflow_correlation")
get_workflow_recommendation = _framed(
    workflows.workflow_recommendation, "get_workflow_recommendation"
)
get_clarify_verbs = _framed(intents.clarify_verbs, "get_clarify_verbs")
get_overrides = _framed(intents.overrides, "get_overrides")
get_override_events = _framed(intents.override_events, "get_override_events")
get_denies = _framed(intents.denies, "get_denies")
get_arg_failures = _framed(intents.arg_failures, "get_arg_failures")
get_macro_denies = _framed(intents.macro_denies, "get_macro_denies")
get_intent_failure_modes = _framed(intents.failure_modes, "get_intent_failure_modes")
get_verb_boosts = _framed(boost_proposals.verb_boosts, "get_verb_boosts")
get_alias_proposals = _framed(intents.alias_proposals, "get_alias_proposals")
get_all_agent_metrics = _framed(agents.all_metrics, "get_all_agent_metrics")
get_agent_history = _framed(agents.history, "get_agent_history")
get_agent_history_total = _framed(agents.history_total, "get_agent_history_total")
get_agent_feedback = _framed(agents.feedback, "get_agent_feedback")
get_agent_evolution = _framed(agents.evolution, "get_agent_evolution")
get_agent_scores = _framed(agent_scores.scores, "get_agent_scores")
get_validated_patterns = _framed(patterns.validated_patterns, "get_validated_patterns")
get_usage = _framed(usage.usage, "get_usage")
get_unpriced_models = _framed(prices.unpriced_models, "get_unpriced_models")
get_model_prices = _framed(prices.model_prices, "get_model_prices")
get_turn_stop_reasons = _framed(turns.stop_reasons, "get_turn_stop_reasons")
get_turns_cut_off = _framed(turns.cut_off, "get_turns_cut_off")
get_turn_cutoff_rate = _framed(turns.cutoff_rate, "get_turn_cutoff_rate")
