"""In this project only the SDK emits intent events, and nothing else writes to the spool."""

from pathlib import Path

from agentledger.emit import guard

REPOSITORY = Path(__file__).parents[2]


def test_only_the_sdk_emits() -> None:
    """A second emission point would break "exactly one event per utterance"."""
    for folder in ("agentledger", "orchestration"):
        assert guard.scan(REPOSITORY / folder, "agentledger.emit") == []
