"""What readers ask of this ledger itself.

Belongs here: reading `ledger_usage`. Does not belong here: writing the log of reads (`reads.py`).
"""

from typing import Final

from agentledger.errors import UsageError
from agentledger.query.answers import Answer, read_answer
from agentledger.reads import recorded
from agentledger.settings import Settings
from agentledger.snapshot import open_snapshot

ORDERS: Final = {
    "requested": "rank_by_requests",
    "slow-answers": "rank_by_answer_time",
    "slow": "rank_by_subject_duration",
    "effective": "rank_by_subject_quality",
    "needs-improvement": "rank_by_requests",
}
"""Ways to order what was asked for, and the column of `ledger_usage` that holds each rank."""


@recorded("reads questions")
def asked_questions(*, settings: Settings | None = None) -> Answer:
    """How often each question was asked and how long its answer took, most asked first.

    The row of question '__all__' holds the total.

    Raises:
        NothingPublishedError: When no run has published yet.
    """
    with open_snapshot(settings) as snapshot:
        return read_answer(
            snapshot,
            "select * exclude (subject_kind, subject_name) from marts.ledger_usage "
            "where subject_name = '__all__' and subject_kind = '__all__' "
            "order by rank_by_requests nulls first",
        )


@recorded("reads subjects")
def asked_subjects(
    by: str = "requested", limit: int = 10, *, settings: Settings | None = None
) -> Answer:
    """The skills, agents and the like that readers ask for, over all questions.

    Args:
        by: 'requested', 'slow-answers' (how long readers wait), 'slow' (how long the skill takes),
            'effective' (lower bound of its success rate), 'needs-improvement'.
        limit: How many.
        settings: Names the data home; read from the environment by default.

    Raises:
        UsageError: When an argument cannot be read.
        NothingPublishedError: When no run has published yet.
    """
    if by not in ORDERS:
        raise UsageError(f"Unknown order {by!r}. Give one of {', '.join(ORDERS)}.")
    if limit < 1:
        raise UsageError(f"A limit of {limit} leaves nothing. Give 1 or more.")
    rank = ORDERS[by]
    condition = "needs_improvement" if by == "needs-improvement" else f"{rank} is not null"
    with open_snapshot(settings) as snapshot:
        return read_answer(
            snapshot,
            f"""
            select * exclude (question)
            from marts.ledger_usage
            where question = '__all__' and subject_kind <> '__all__' and {condition}
            order by {rank}, subject_kind, subject_name
            limit ?
            """,
            [limit],
        )
