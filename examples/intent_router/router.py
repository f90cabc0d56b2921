"""From what a user says to a command that runs, and one event for each utterance.

Belongs here: the only place of this program that records events (`agentledger emit guard` checks
it). Thresholds are those of the ledger's own analysis: accept from 0.65, suggest from 0.45, and a
margin of 0.05 between two that would both be accepted.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agentledger.boost_rules import BoostRules
from agentledger.emit import ChatRecorder, IntentRecorder, IntentTrace, WriterStats
from examples.intent_router.commands import COMMANDS, DENIED, FILLERS, MACROS, STORES, Command

ACCEPT, SUGGEST, MARGIN = 0.65, 0.45, 0.05
PROMPT_VERSION = "2026-06-01"

_BY_VERB = {command.verb: command for command in COMMANDS}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the user hears, and the command that is ready, if any."""

    outcome: str
    text: str
    command: Command | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)


class IntentRouter:
    """Understand requests of one desk.

    Args:
        intents: Where utterances are recorded.
        chat: Where answers are recorded.
        boosts: Reviewed ranking boosts (`agentledger.query.boosts()`); none by default.
        registry_is_up: Whether the policy can be asked; without it nothing is allowed.
    """

    def __init__(
        self,
        intents: IntentRecorder,
        chat: ChatRecorder,
        boosts: BoostRules | None = None,
        registry_is_up: bool = True,
    ) -> None:
        self._intents = intents
        self._chat = chat
        self._boosts = boosts or BoostRules((), 0)
        self._registry_is_up = registry_is_up
        self._orders: dict[str, str] = {}
        self._turn = 0

    def finish(self) -> WriterStats:
        """Write what waits; tells what became of the events."""
        self._intents.flush()
        return self._intents.stats()

    def handle(
        self, text: str, *, session_id: str, role: str = "clerk", choice: str | None = None
    ) -> Reply:
        """Answer one utterance and run its command; `choice` is the verb a user picked from a list.

        Raises:
            ValueError: When an argument makes no sense. The event is recorded all the same.
        """
        with self._intents.utterance(text, session_id=session_id, entrypoint="chat") as trace:
            trace.actor_id, trace.semreg_mode = role, "strict"
            trace.prompt_version = PROMPT_VERSION
            reply = self._understand(text, session_id, role, choice, trace)
            trace.outcome = reply.outcome
        self._turn += 1
        self._chat.message(
            reply.text,
            session_id=session_id,
            turn_id=self._turn,
            intent_event_id=trace.event_id,
        )
        if reply.command is not None:
            try:
                self._run(reply.command, reply.arguments)
            except LookupError as error:
                self._intents.executed(trace.event_id, False, error)
            else:
                self._intents.executed(trace.event_id, True)
        return reply

    def _understand(
        self, text: str, session_id: str, role: str, choice: str | None, trace: IntentTrace
    ) -> Reply:
        """Every early return is a way out; the event is the caller's."""
        words, arguments = _parse(text)
        if not self._registry_is_up:
            return Reply("semantic_not_ready", "I cannot check what is allowed. Try again soon.")
        if words[:1] == ["use"]:
            return _choose_store(words[1:])
        if text.startswith("/"):
            return _direct(text, role, arguments, trace)
        for phrase, verbs in MACROS.items():
            if phrase in text.lower():
                return _expand(verbs, role, trace)
        candidates = _search(words)
        denied = sorted({verb for verb, _ in candidates} & DENIED[role])
        trace.verb_candidates_pre, trace.semreg_denied_verbs = candidates, denied
        allowed = [pair for pair in candidates if pair[0] not in denied]
        if not self._boosts.is_control(session_id):
            ranked = self._boosts.rerank(allowed)  # after policy: a denied verb stays denied
            allowed = [(item.verb, item.final_score or 0.0) for item in ranked]
        trace.verb_candidates_post = allowed
        trace.pruned_verbs_count = len(candidates) - len(allowed)
        if not candidates or candidates[0][1] < SUGGEST:
            return Reply("no_match", "I do not know that one.")
        if not allowed or (denied and candidates[0][0] in denied):
            return Reply("no_allowed_verbs", "You may not do that.")
        return _choose(allowed, choice, arguments, trace)

    def _run(self, command: Command, arguments: Mapping[str, str]) -> None:
        if command.verb == "order.create":
            self._orders[str(len(self._orders) + 1)] = arguments["item"]
        elif "order" in command.arguments and arguments["order"] not in self._orders:
            raise LookupError(arguments["order"])


def open_router(home: Path, boosts: BoostRules | None = None) -> IntentRouter:
    """A router that records into the ledger of a data home."""
    return IntentRouter(IntentRecorder(home), ChatRecorder(home), boosts)


def _parse(text: str) -> tuple[list[str], dict[str, str]]:
    """Words that mean something, and `name=value` arguments."""
    arguments = dict(re.findall(r"(\w+)=(\S+)", text))
    words = re.findall(r"[a-z0-9-]+", re.sub(r"\w+=\S+", " ", text.lower()))
    if "quantity" in arguments and int(arguments["quantity"]) < 1:
        raise ValueError("a quantity is 1 or more")
    return [word for word in words if word not in FILLERS], arguments


def _search(words: list[str]) -> list[tuple[str, float]]:
    """Commands by the overlap of words with their best alias (Dice coefficient), best first."""
    said = set(words)
    scored = []
    for command in COMMANDS:
        overlaps = [
            2 * len(said & alias) / (len(said) + len(alias))
            for alias in (set(text.split()) for text in command.aliases)
        ]
        if max(overlaps) > 0:
            scored.append((command.verb, round(max(overlaps), 4)))
    return sorted(scored, key=lambda pair: -pair[1])[:10]


def _choose(
    allowed: list[tuple[str, float]],
    choice: str | None,
    arguments: dict[str, str],
    trace: IntentTrace,
) -> Reply:
    verb, score = allowed[0]
    trace.chosen_verb_fqn, trace.selection_source = verb, "discovery"
    close = [name for name, other in allowed[1:] if other >= ACCEPT and score - other < MARGIN]
    if choice is not None:
        trace.forced_verb_fqn, trace.selection_source = choice, "user_choice"
        verb = choice
    elif score < ACCEPT or close:
        options = ", ".join([verb, *close])
        return Reply("needs_clarification", f"Which one do you mean: {options}?")
    command = _BY_VERB[verb]
    trace.dominant_entity_kind = command.subject_kind
    missing = [name for name in command.arguments if name not in arguments]
    trace.missing_args = missing
    if missing:
        return Reply("needs_user_input", f"I also need: {', '.join(missing)}.")
    trace.dsl_hash = _hash(verb, arguments)
    return Reply("ready", f"Doing {verb}.", command, arguments)


def _direct(text: str, role: str, arguments: dict[str, str], trace: IntentTrace) -> Reply:
    """`/verb name=value`: no search, the same policy."""
    verb = text[1:].split()[0] if text[1:].split() else ""
    command = _BY_VERB.get(verb)
    if command is None:
        return Reply("no_match", "There is no such command.")
    trace.chosen_verb_fqn = verb
    if verb in DENIED[role]:
        trace.semreg_denied_verbs = [verb]
        return Reply("direct_dsl_denied", "You may not do that.")
    return _choose([(verb, 1.0)], None, arguments, trace)


def _expand(verbs: tuple[str, ...], role: str, trace: IntentTrace) -> Reply:
    """A macro runs as a whole or not at all."""
    trace.macro_semreg_checked, trace.selection_source = True, "macro"
    trace.macro_denied_verbs = [verb for verb in verbs if verb in DENIED[role]]
    if trace.macro_denied_verbs:
        trace.error_code = "blocked"
        return Reply("no_allowed_verbs", "A step of that is not allowed.")
    return Reply("macro_expanded", f"Doing {', '.join(verbs)}.")


def _choose_store(words: list[str]) -> Reply:
    named = [store for store in STORES if words and store.startswith(words[0])]
    if len(named) == 1:
        return Reply("scope_resolved", f"You are in {named[0]}.")
    return Reply("scope_candidates", f"Which store: {', '.join(named or STORES)}?")


def _hash(verb: str, arguments: dict[str, str]) -> str:
    line = " ".join([verb, *(f"{name}={arguments[name]}" for name in sorted(arguments))])
    return hashlib.sha256(line.encode()).hexdigest()
