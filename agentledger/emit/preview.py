"""A short look at an utterance with everything secret masked, for recorders that switched it on.

Belongs here: masks, and cutting between what readers see as characters. Does not belong here:
whether a preview is kept at all (`recorder.py`).

Masks prefer too much over too little: a date becomes `[number]`, and after `password=` nothing of
the line is kept, because a pass phrase has no recognisable end. Patterns take linear time.
Source of the grapheme rule: Unicode Standard Annex #29, in the simplified form of `graphemes`.
"""

import re
import unicodedata
from collections.abc import Iterator

PREVIEW_GRAPHEMES = 80

MAX_TEXT = 16_384
"""Longer texts are pasted documents: no preview, rather than one cut inside a secret."""

_MAX_CODE_POINTS = 32
"""The longest family emoji has 10 code points; a heap of combining marks is cut here."""

_SECRET_NAMES = re.compile(
    r"(?:pass[\W_]?(?:word|wort|wd|phrase|code)|kennwort|mot de passe|contrase\wa|pwd|secret|token"
    r"|api[\W_]?key|access[\W_]?key|private[\W_]?key|credential|authorization|bearer|cookie"
    r"|\bkey\b|\bpin\b|\bcv[cv]\b|\botp\b)[a-z0-9_]{0,32}[\"'\])}]?\s{0,8}(?:[:=]|\b(?:is|ist|est|es|was)\b"
    r"|(?<=bearer)\s|->)[^\n\r]*",
    re.IGNORECASE,
)
_KEY_BLOCK = re.compile(r"-----BEGIN.*", re.DOTALL)
_WORD = re.compile(r"\S+")
KNOWN_KEY = re.compile(
    r"(?:sk|pk|rk|hf|npm|pypi|ghp|gho|ghu|ghs|ghr|github_pat|glpat|xox[a-z]|shpat)[-_]\w"
    r"|(?:AKIA|ASIA|AIza|eyJ|ya29)[\w.-]{6}"
)
_RUN = re.compile(r"[A-Za-z0-9_+/=.~-]{16,}")  # ASCII: Chinese has no spaces
IBAN = re.compile(r"[A-Z]{2}\d{2}(?:[ .-]?[A-Z0-9]){10,30}", re.IGNORECASE)
_NUMBER = re.compile(r"\d(?:[\W_]{0,3}\d){6,}")
_HIDDEN_TAGS = re.compile("\U0001f3f4[\U000e0020-\U000e007f]{1,8}|[\U000e0000-\U000e007f]")
AT_SIGNS = "@\uff20\ufe6b"


def preview_redacted(text: str) -> str | None:
    """Mask secrets and keep at most 80 characters as a reader counts them.

    Returns:
        None for texts too long to be an utterance.
    """
    if len(text) > MAX_TEXT:
        return None
    masked = mask_secrets(_visible(text))
    flat = re.sub(r"\s+", " ", masked).strip()
    kept = []
    for cluster in graphemes(flat):
        if len(kept) == PREVIEW_GRAPHEMES:
            break
        kept.append(cluster)
    return "".join(kept)


def mask_secrets(text: str) -> str:
    """Replace secrets, addresses and long numbers by a word in brackets."""
    text = _KEY_BLOCK.sub("[secret]", text)
    text = _SECRET_NAMES.sub("[secret]", text)
    text = _WORD.sub(_mask_word, text)
    text = IBAN.sub("[account]", text)
    return _NUMBER.sub("[number]", text)


def graphemes(text: str) -> Iterator[str]:
    """Split into what readers see as characters: marks, joined emoji and flags stay whole."""
    cluster = ""
    for character in text:
        if cluster and len(cluster) < _MAX_CODE_POINTS and _joins(cluster, character):
            cluster += character
        else:
            if cluster:
                yield cluster
            cluster = character
    if cluster:
        yield cluster


def _joins(cluster: str, character: str) -> bool:
    """Whether a code point belongs to the character before it."""
    code = ord(character)
    if code < 0x300:
        return False
    if cluster[-1] == "\u200d" and unicodedata.category(character) == "So":
        return True  # emoji joined by ZWJ
    if unicodedata.category(character) in ("Mn", "Mc", "Me") or code in (0x200C, 0x200D):
        return True
    if 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:
        return True  # skin tones, tags of a flag
    if 0x1F1E6 <= code <= 0x1F1FF:
        return len(cluster) == 1 and 0x1F1E6 <= ord(cluster) <= 0x1F1FF  # second half of a flag
    return _joins_hangul(ord(cluster[-1]), code)


def _joins_hangul(before: int, code: int) -> bool:
    """Korean syllables written as letters: leading, vowel, trailing."""
    if 0x1100 <= before <= 0x115F:
        return 0x1100 <= code <= 0x11A7 or 0xAC00 <= code <= 0xD7A3
    return 0x1160 <= code <= 0x11FF and (0x1160 <= before <= 0x11FF or 0xAC00 <= before <= 0xD7A3)


def _visible(text: str) -> str:
    """Drop what could hide a secret from the masks: controls, direction marks, invisible tags."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = _HIDDEN_TAGS.sub(lambda tags: tags[0] if len(tags[0]) > 1 else "", text)
    kept = []
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if category == "Cc":
            kept.append("\n" if character in "\n\r" else " ")
        elif category != "Cf" or character in "\u200c\u200d" or ord(character) >= 0xE0020:
            kept.append(character)
    return "".join(kept)


def _mask_word(found: re.Match[str]) -> str:
    word = found[0]
    if any(sign in word for sign in AT_SIGNS):
        return "[email]"
    if KNOWN_KEY.search(word):
        return "[secret]"
    for run in _RUN.findall(word):
        mixed = any(c.isdigit() for c in run) and any(c.isalpha() for c in run)
        if (mixed and len(run) >= 20) or len(run) >= 40:
            return "[secret]"
    return word
