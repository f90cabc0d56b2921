"""Questions about the patterns that tasks of agents name, answered from the mart as it is.

Belongs here: the candidates of the knowledge export and the gate that each fails. Does not belong
here: the gates (`models/`, validated_patterns), writing the export (`knowledge_export.py`).
"""

from agentledger.query.answers import Answer, read_answer
from agentledger.query.scope import near_names
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.snapshot import open_snapshot


@recorded("agents patterns")
def validated_patterns(*, settings: Settings | None = None) -> Answer:
    """Every pattern that tasks name: what it achieved and the first gate that it fails.

    Those that pass come first, then the most used.

    Raises:
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        return read_answer(
            snapshot,
            """
            select pattern, tasks, uses, agents, succeeded, failed, known_outcomes, success_rate,
                success_rate_low, success_rate_high, quality, judged_at, passes_usage,
                passes_success_rate, passes_quality, passes_wilson_low, is_validated, reason
            from marts.validated_patterns
            order by is_validated desc, known_outcomes desc, pattern
            """,
        )


def unknown_pattern(pattern: str, settings: Settings) -> list[str] | None:
    """Names near to a pattern that no published task names; None when one does.

    Raises:
        NothingPublishedError: When no run has published yet.
    """
    with open_snapshot(settings) as snapshot:
        known = [
            row[0]
            for row in read_answer(snapshot, "select pattern from marts.validated_patterns").rows
        ]
    return None if pattern in known else near_names(pattern, known)
