"""`python -m examples.intent_router --home DIR [UTTERANCE …]`: talk to the desk.

Without utterances it plays `SCRIPT`, which takes every way out but one (a registry that is down).
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from agentledger.boost_rules import boosts
from agentledger.settings import Settings, load_settings
from examples.intent_router.router import open_router

SCRIPT: tuple[tuple[str, str, str | None], ...] = (
    # what is said, by whom, what was picked from the list
    ("please create order item=lamp quantity=2", "clerk", None),
    ("show order order=1", "clerk", None),
    ("cancel order order=99", "clerk", None),
    ("create order quantity=0", "clerk", None),
    ("create order", "clerk", None),
    ("order order=1", "clerk", None),
    ("order order=1", "clerk", "order.show"),
    ("refund order order=1", "clerk", None),
    ("/customer.delete name=ann", "clerk", None),
    ("/report.run", "clerk", None),
    ("/report.explode", "clerk", None),
    ("erase customer name=ann", "clerk", None),
    ("erase customer name=ann", "owner", None),
    ("close the day", "clerk", None),
    ("start over with customer ann", "clerk", None),
    ("use north", "clerk", None),
    ("use south", "clerk", None),
    ("sing a song", "clerk", None),
)


def main() -> int:
    """Play the script or the utterances given; 0 when every event was written."""
    parser = argparse.ArgumentParser(prog="python -m examples.intent_router", description=__doc__)
    parser.add_argument("--home", type=Path, help="data home; default: this user's ledger")
    parser.add_argument("--role", default="clerk", choices=("clerk", "guest", "owner"))
    parser.add_argument("utterances", nargs="*", metavar="UTTERANCE")
    asked = parser.parse_args()
    settings = load_settings() if asked.home is None else Settings(asked.home.absolute(), "UTC")
    router = open_router(settings.home, boosts(settings=settings))
    said = [(text, asked.role, None) for text in asked.utterances] or SCRIPT
    outcomes: Counter[str] = Counter()
    for text, role, choice in said:
        try:
            reply = router.handle(text, session_id="desk-1", role=role, choice=choice)
        except ValueError as error:
            outcomes["error"] += 1
            answer = f"That went wrong: {error}."
        else:
            outcomes[reply.outcome] += 1
            answer = reply.text
        sys.stdout.write(f"> {text}\n  {answer}\n")
    stats = router.finish()
    counted = ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items()))
    sys.stdout.write(f"\n{len(said)} utterances: {counted}\n")
    sys.stdout.write(f"{stats['written']} lines are in {settings.home / 'spool'}\n")
    return 1 if stats["dropped"] + stats["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
