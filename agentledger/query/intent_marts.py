"""The SQL that reads the marts of intents: all retained events, or the days of a period.

Belongs here: which rows, summed over days, in which order. Does not belong here: any formula. Over
a period the additive counts are summed, and rates, intervals and evidence come from the functions
`marts.rate…` that the models leave in the snapshot (dbt_project/macros/reader_macros.sql).
"""

from typing import Final

from agentledger.query.answers import Answer, read_answer
from agentledger.query.intent_periods import IntentPeriod
from agentledger.snapshot import Snapshot


def _rate(name: str, numerator: str, denominator: str) -> str:
    """A rate with its interval, as three columns."""
    return (
        f"marts.rate({numerator}, {denominator}) as {name}_rate, "
        f"marts.rate_low({numerator}, {denominator}) as {name}_rate_low, "
        f"marts.rate_high({numerator}, {denominator}) as {name}_rate_high"
    )


def _total(*columns: str) -> str:
    """Sums over days, as whole numbers."""
    return ", ".join(f"cast(coalesce(sum({name}), 0) as bigint) as {name}" for name in columns)


_CLARIFY: Final = f"""
with verbs as (
    select verb, {_total("clarify_count", "event_count")},
        min(first_clarified_at) as first_seen_at, max(last_clarified_at) as last_seen_at
    from marts.intent_verbs_daily
    where {{days}}
    group by verb
)
select verb, clarify_count, event_count, {_rate("clarify", "clarify_count", "event_count")},
    first_seen_at, last_seen_at, marts.rate_evidence(event_count) as evidence
from verbs
"""

_DENIES: Final = f"""
with verbs as (
    select denied_verb, {_total("deny_count", "event_count")},
        min(first_denied_at) as first_denied_at, max(last_denied_at) as last_denied_at
    from marts.intent_denies_daily
    where {{days}} and deny_source = 'semreg'
    group by denied_verb
)
-- Distinct sessions do not add up over days: they are known for all events only.
select denied_verb, deny_count, cast(null as bigint) as session_count, last_denied_at, event_count,
    {_rate("deny", "deny_count", "event_count")}, first_denied_at,
    marts.rate_evidence(event_count) as evidence
from verbs
"""

_MACRO_DENIES: Final = f"""
with checked as (
    select {_total("macro_check_count")} from marts.intent_daily where {{days}}
),
verbs as (
    select denied_verb, {_total("deny_count")},
        min(first_denied_at) as first_denied_at, max(last_denied_at) as last_denied_at
    from marts.intent_denies_daily
    where {{days}} and deny_source = 'macro'
    group by denied_verb
)
select denied_verb, deny_count, cast(null as bigint) as session_count, last_denied_at,
    macro_check_count as event_count, {_rate("deny", "deny_count", "macro_check_count")},
    first_denied_at, marts.rate_evidence(macro_check_count) as evidence
from verbs cross join checked
"""

_ARG_FAILURES: Final = f"""
with args as (
    select verb, missing_arg, {_total("failure_count")},
        min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at
    from marts.intent_args_daily
    where {{days}}
    group by verb, missing_arg
),
verbs as (
    select verb, {_total("arg_event_count")}
    from marts.intent_verbs_daily
    where {{days}}
    group by verb
)
select verb, missing_arg, failure_count, arg_event_count as event_count,
    {_rate("failure", "failure_count", "arg_event_count")}, first_seen_at, last_seen_at,
    marts.rate_evidence(arg_event_count) as evidence
from args left join verbs using (verb)
"""

# Pairs have no view of their own: the totals are the same sums over all days.
_OVERRIDES: Final = f"""
with settled as (
    select {_total("override_event_count")} from marts.intent_daily where {{days}}
),
pairs as (
    select pre_choice, forced_verb, {_total("override_count")},
        min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at
    from marts.intent_overrides_daily
    where {{days}}
    group by pre_choice, forced_verb
),
-- Without a first choice an event is in no denominator.
counted as (
    select *, case when pre_choice <> '(none)' then override_event_count end as event_count
    from pairs cross join settled
)
select pre_choice, forced_verb, override_count, event_count,
    {_rate("override", "override_count", "event_count")}, first_seen_at, last_seen_at,
    marts.rate_evidence(event_count) as evidence
from counted
"""

_MODES: Final = f"""
with modes as (
    select outcome, error_code, outcome_class, {_total("event_count")},
        min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at
    from marts.intent_failure_modes_daily
    where {{days}}
    group by outcome, error_code, outcome_class
),
totals as (
    select *, cast(sum(event_count) over () as bigint) as total_count from modes
)
select outcome, error_code, event_count, marts.rate(event_count, total_count) as share,
    first_seen_at, last_seen_at, outcome_class, total_count,
    marts.rate_low(event_count, total_count) as share_low,
    marts.rate_high(event_count, total_count) as share_high,
    marts.rate_evidence(total_count) as evidence
from totals
"""

QUESTIONS: Final[dict[str, tuple[str, str | None, str, str]]] = {
    # name: SQL of a period, view of everything, what --min-count holds for, order
    "clarify": (
        _CLARIFY,
        "v_intent_top_clarify_verbs",
        "clarify_count",
        "clarify_count desc, clarify_rate_low desc, verb",
    ),
    "denies": (
        _DENIES,
        "v_intent_semreg_denies",
        "deny_count",
        "deny_count desc, denied_verb",
    ),
    "macro-denies": (
        _MACRO_DENIES,
        "v_intent_macro_denies",
        "deny_count",
        "deny_count desc, denied_verb",
    ),
    "arg-failures": (
        _ARG_FAILURES,
        "v_intent_arg_fill_failures",
        "failure_count",
        "failure_count desc, verb, missing_arg",
    ),
    "overrides": (
        _OVERRIDES,
        None,
        "override_count",
        "override_count desc, pre_choice, forced_verb",
    ),
    "failure-modes": (
        _MODES,
        "v_intent_failure_modes",
        "event_count",
        "event_count desc, outcome, error_code",
    ),
}


def read_question(
    snapshot: Snapshot, name: str, period: IntentPeriod, min_count: int, top: int
) -> Answer:
    """The first rows of one question of `QUESTIONS`, most frequent first."""
    sql, view, counted, order = QUESTIONS[name]
    values: list[object] = []
    if period.is_everything and view is not None:
        source = f"select * from marts.{view}"
    else:
        days, bound = period.condition()
        source = sql.replace("{days}", days)
        values = bound * sql.count("{days}")
    return read_answer(
        snapshot,
        f"select * from ({source}) where {counted} >= ? order by {order} limit ?",
        [*values, min_count, top],
    )


def read_override_events(snapshot: Snapshot, period: IntentPeriod, top: int) -> Answer:
    """The newest events in which another verb was forced."""
    days, values = period.condition()
    # The view holds instants, not days: the bounds become instants, not each row a day.
    for sign in (">=", "<"):
        begins = "(cast(? as timestamp) at time zone 'UTC')"
        days = days.replace(f"event_date {sign} ?", f"occurred_at {sign} {begins}")
    return read_answer(
        snapshot,
        f"""
        select * from marts.v_intent_semreg_overrides
        where {days}
        order by occurred_at desc, event_key
        limit ?
        """,
        [*values, top],
    )


def read_verbs(snapshot: Snapshot, period: IntentPeriod, top: int) -> Answer:
    """The verbs with the most events, and what happened to them."""
    days, values = period.condition()
    return read_answer(
        snapshot,
        f"""
        with verbs as (
            select verb,
                {
            _total(
                "event_count",
                "success_count",
                "clarify_count",
                "clarify_args_count",
                "failure_count",
                "low_confidence_count",
                "ambiguous_count",
            )
        },
                max(last_seen_at) as last_seen_at
            from marts.intent_verbs_daily
            where {days}
            group by verb
        )
        select *, {_rate("success", "success_count", "event_count")},
            marts.rate_evidence(event_count) as evidence
        from verbs
        order by event_count desc, verb
        limit ?
        """,
        [*values, top],
    )


def read_prompt_versions(snapshot: Snapshot) -> Answer:
    """Each prompt version against all others together, over all retained events."""
    return read_answer(
        snapshot,
        "select * from marts.intent_by_prompt_version order by metric, prompt_version",
    )


def read_alias_proposals(snapshot: Snapshot, top: int) -> Answer:
    """Verbs that users reached only in other words."""
    return read_answer(
        snapshot,
        "select * from marts.verb_alias_proposals "
        "order by rephrase_count desc, session_count desc, verb limit ?",
        [top],
    )


def read_boost_proposals(snapshot: Snapshot) -> Answer:
    """All proposals of boosts, the strongest first."""
    return read_answer(
        snapshot,
        "select * from marts.verb_boost_rules order by abs(boost_weight) desc, "
        "accepted_count + rejected_count desc, verb_fqn, scope_bucket, subject_kind, phase",
    )
