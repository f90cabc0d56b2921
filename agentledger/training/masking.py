"""Masking secrets and personal data in what leaves the vault.

Belongs here: the detectors, and walking through a conversation. Does not belong here: what stays
unmasked because nobody can tell it from other words: names of people that stand alone (`people.py`
has the others) and of places. The card of a data set says so.

Secrets are found by the plugins of detect-secrets, used one by one: nothing is verified with a
server. Telephone numbers with a country code are found by phonenumbers. What the previews of
`agentledger.emit` mask (addresses, keys by their prefix, accounts, long numbers, what follows a
word such as password) is masked by the same patterns here, or narrower ones that leave dates and
code alone.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from agentledger.emit import preview
from agentledger.training import people
from agentledger.training.conversation import Conversation, Message

Step = Callable[[str], tuple[str, int]]
"""Masks one kind in a text and counts it."""

MASK_PATTERN: Final = re.compile(r"\[(?:secret|email|phone|number|account|address|person)\]")

_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----"
    r".*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|\Z)",
    re.DOTALL,
)
_PHRASE = re.compile(  # a pass phrase has no recognisable end
    r"((?:pass[\W_]?(?:word|wort|wd|phrase|code)|kennwort|mot de passe|contrase\wa|pwd)"
    r"[a-z0-9_]{0,32}[\"'\])}]?\s{0,8}(?:[:=]|\b(?:is|ist|est|es|was)\b)[ \t]*)([^\n\r]+)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"((?:secret|token|api[\W_]?key|access[\W_]?key|private[\W_]?key|credential|authorization"
    r"|\bpin\b|\bcv[cv]\b|\botp\b)[a-z0-9_]{0,32}[\"'\])}]?\s{0,8}"
    r"(?:[:=]|\b(?:is|ist|est|es|was)\b)\s*(?:(?:bearer|basic)\s+)?[\"']?)([^\s\"',;)}]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(\b(?:bearer|basic)\s+)([A-Za-z0-9+/._~=-]{8,})", re.IGNORECASE)
_COUNT = re.compile(r"[\d.,_]{1,9}|true|false|null|none", re.IGNORECASE)
"""What stands after `max_tokens:` and is no secret."""
_EMAIL = re.compile(
    rf"[^\s<>()\[\]\"',;:]{{1,128}}[{preview.AT_SIGNS}][^\s<>()\[\]\"',;:]{{1,255}}"
)
_KNOWN_KEY = re.compile(rf"(?:{preview.KNOWN_KEY.pattern})[\w.=+/-]*")
_TAIL = re.compile(r"[\w.+/=~-]*")
_RUN = re.compile(r"[A-Za-z0-9+/_=-]{20,}")
_NUMBER = re.compile(r"(?<![\w.-])[+(]{0,2}\d(?:[ ./()-]{0,2}\d){6,18}(?![\w])")
_INSTANT = re.compile(r"\d{4}[-/.]\d{2}[-/.]\d{2}(?:[ T]\d{0,2})?")
"""A day, as a number would begin with it."""

_BASE64, _HEX = "Base64 High Entropy String", "Hex High Entropy String"
_KEYWORD = "Secret Keyword"
_HEADER_ONLY = "Private Key"
"""Finds the first line of a key alone; `_KEY_BLOCK` masks all of it."""
_ADDRESS = "Public IP (ipv4)"


def mask_conversation(
    conversation: Conversation, names: frozenset[str] = frozenset()
) -> tuple[Conversation, list[Counter[str]]]:
    """Mask every text of a conversation.

    Args:
        conversation: What is to leave.
        names: Names of people that the owner lists.

    Returns:
        The conversation, and per message, the system prompt first, the kinds that were masked.
    """
    names |= people.names_told(conversation)
    system, of_system = _masked(conversation.system, names)
    found, messages = [of_system], []
    for message in conversation.messages:
        masker = _Masker(names)
        messages.append(masker.message(message))
        found.append(masker.kinds)
    return Conversation(system, tuple(messages)), found


@dataclass(slots=True)
class _Masker:
    """Masks the parts of one message and counts what it masked."""

    names: frozenset[str]
    kinds: Counter[str] = field(default_factory=Counter)

    def message(self, message: Message) -> Message:
        return replace(
            message,
            text=self.text(message.text),
            name=message.name and self.text(message.name),
            calls=tuple(
                replace(call, name=self.text(call.name), arguments=self.value(call.arguments))
                for call in message.calls
            ),
        )

    def value(self, value: Any, name: str = "") -> Any:
        """Mask the texts of a JSON value; what stands under the name of a secret goes whole."""
        if isinstance(value, dict):
            return {self.text(key): self.value(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, name) for item in value]
        if isinstance(value, bool) or value is None:
            return value
        if MASK_PATTERN.fullmatch(value if isinstance(value, str) else ""):
            return value
        if isinstance(value, str) and value and name and _names_secret(name):
            self.kinds["secret: named"] += 1
            return "[secret]"
        text = value if isinstance(value, str) else repr(value)
        masked = self.text(text)
        return value if masked == text else masked

    def text(self, text: str) -> str:
        masked, found = _masked(text, self.names)
        self.kinds.update(found)
        return masked


@lru_cache(maxsize=256)
def _names_secret(name: str) -> bool:
    probe = f'{name}: "Zx9"'
    return bool(_PHRASE.search(probe) or _NAMED.search(probe)) or any(
        True for _ in _plugins()[_KEYWORD].analyze_string(probe)
    )


@lru_cache(maxsize=8192)  # a history is repeated by every call of its session
def _masked(text: str, names: frozenset[str]) -> tuple[str, Counter[str]]:
    kinds: Counter[str] = Counter()
    # First: the address beside a name tells that it is one.
    text, count = people.mask_people(text, names)
    if count:
        kinds["person"] = count
    for kind, step in _steps():
        text, count = step(text)
        if count:
            kinds[kind] += count
    return text, kinds


def is_clean(conversation: Conversation, names: frozenset[str] = frozenset()) -> bool:
    """Whether no detector finds anything in what was masked; what fails this never leaves."""
    _, found = mask_conversation(conversation, names)
    return not any(found)


def _key_blocks(text: str) -> tuple[str, int]:
    return _KEY_BLOCK.subn("[secret]", text) if "PRIVATE KEY" in text else (text, 0)


def _keywords(text: str) -> tuple[str, int]:
    """What detect-secrets finds beside a word for a secret, line by line."""
    plugin, count, lines = _plugins()[_KEYWORD], 0, []
    for line in text.split("\n"):
        values = {v for v in plugin.analyze_string(line) if v and not MASK_PATTERN.fullmatch(v)}
        for value in sorted(values, key=len, reverse=True):
            count += line.count(value)
            line = line.replace(value, "[secret]")
        lines.append(line)
    return "\n".join(lines), count


def _entropy(text: str) -> tuple[str, int]:
    """Runs that look random by the measure of detect-secrets, in quotes or not."""
    count = 0

    def judge(found: re.Match[str]) -> str:
        nonlocal count
        run = found[0]
        if not (any(c.isdigit() for c in run) and any(c.isalpha() for c in run)):
            return run
        for kind in (_HEX, _BASE64):
            plugin = _plugins()[kind]
            is_of_kind = kind == _BASE64 or set(run) <= set(plugin.charset)
            if is_of_kind and plugin.calculate_shannon_entropy(run) > plugin.entropy_limit:
                count += 1
                return "[secret]"
        return run

    return _RUN.sub(judge, text), count


def _phones(text: str) -> tuple[str, int]:
    """International numbers; a number that nobody can have was often meant as one, too."""
    if "+" not in text and "\uff0b" not in text:
        return text, 0
    import phonenumbers

    found = list(
        phonenumbers.PhoneNumberMatcher(text, None, leniency=phonenumbers.Leniency.POSSIBLE)
    )
    for match in reversed(found):
        text = f"{text[: match.start]}[phone]{text[match.end :]}"
    return text, len(found)


def _numbers(text: str) -> tuple[str, int]:
    count = 0

    def judge(found: re.Match[str]) -> str:
        nonlocal count
        if _INSTANT.match(found[0]):
            return found[0]
        count += 1
        return "[number]"

    return _NUMBER.sub(judge, text), count


def _pattern(pattern: re.Pattern[str], mask: str) -> Step:
    return lambda text: pattern.subn(mask, text)


def _whole(pattern: re.Pattern[str], mask: str) -> Step:
    """What a pattern finds, with what hangs on to it: some patterns stop inside a token."""

    def step(text: str) -> tuple[str, int]:
        parts, count, position = [], 0, 0
        while found := pattern.search(text, position):
            tail = _TAIL.match(text, found.end())
            end = max(tail.end() if tail else found.end(), found.start() + 1)
            parts += [text[position : found.start()], mask]
            count, position = count + 1, end
        return "".join([*parts, text[position:]]), count

    return step


def _named(pattern: re.Pattern[str]) -> Step:
    """What follows the name of a secret, unless it is masked already or a mere count."""

    def mask(text: str) -> tuple[str, int]:
        count = 0

        def judge(found: re.Match[str]) -> str:
            nonlocal count
            name, value = found[1], found[2]
            is_count = "token" in name.lower() and _COUNT.fullmatch(value)
            rest = MASK_PATTERN.sub("", value)
            if is_count or not any(character.isalnum() for character in rest):
                return found[0]
            count += 1
            return f"{name}[secret]"

        return pattern.sub(judge, text), count

    return mask


@lru_cache(maxsize=1)
def _steps() -> tuple[tuple[str, Step], ...]:
    """In this order: a secret may hold what looks like a number, never the other way round."""
    library = (
        (name if name == _ADDRESS else f"secret: {name}",
         _whole(pattern, "[address]" if name == _ADDRESS else "[secret]"))
        for name, pattern in _patterns()
    )  # fmt: skip
    return (
        ("secret: Private Key", _key_blocks),
        ("secret: named", _named(_PHRASE)),
        ("secret: named", _named(_NAMED)),
        ("secret: named", _named(_BEARER)),
        *library,
        ("secret: known prefix", _pattern(_KNOWN_KEY, "[secret]")),
        ("secret: keyword", _keywords),
        ("email", _pattern(_EMAIL, "[email]")),
        ("secret: entropy", _entropy),
        ("account", _pattern(preview.IBAN, "[account]")),
        ("phone", _phones),
        ("number", _numbers),
    )


@lru_cache(maxsize=1)
def _plugins() -> dict[str, Any]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    return {name: plugin() for name, plugin in get_mapping_from_secret_type_to_class().items()}


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Patterns of the plugins that are patterns: the whole match goes, not one group of it."""
    for name, plugin in sorted(_plugins().items()):
        if name not in (_BASE64, _HEX, _KEYWORD, _HEADER_ONLY):
            for pattern in plugin.denylist:
                yield name, pattern
