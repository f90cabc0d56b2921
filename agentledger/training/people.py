"""Names of people in what leaves the vault, as far as something beside them tells that they are.

Belongs here: names that a text writes beside an e-mail address, names of home folders, names that
the owner lists. Does not belong here: other personal data and secrets (`masking.py`).

No dictionary and no language model: one has the name Mark and the other the verb, and models of
languages are no packages of the index. A name that stands alone stays, unless the owner lists it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from agentledger.emit import preview
from agentledger.errors import UsageError
from agentledger.training.conversation import Conversation

MASK: Final = "[person]"

_LOOK_BACK = 120
"""Characters before an address that a name may take."""
_ADDRESS = re.compile(
    rf"<\s?[^\s<>()]{{1,64}}[{preview.AT_SIGNS}][^\s<>()]{{1,255}}\s?>"
    # In brackets stands much that is no address: it has to end like the name of a server.
    rf"|\([^\s<>()]{{1,64}}[{preview.AT_SIGNS}][\w.-]{{1,250}}\.[^\W\d_]{{2,20}}\)"
)
_WORDS_AT_END = re.compile(r"(?:[^\W\d_][\w.'\u2019-]{0,40}[ \t]{1,3}){1,5}$")
_LABELLED_AT_END = re.compile(r":[ \t]{1,4}((?:[^\W\d_][\w.'\u2019-]{0,40}[ \t]{1,3}){1,3})$")
_QUOTED_AT_END = re.compile(r"[\"']([^\"'\n<>]{2,60})[\"'][ \t]{0,3}$")
_PARTICLES = frozenset(
    {"al", "bin", "da", "de", "del", "den", "der", "di", "dos", "du", "la", "le", "ten", "van",
     "von", "zu"}
)  # fmt: skip
"""Words of a name that begin with a small letter."""

_BESIDE = (
    # "name": "Jane Doe", "email": ...
    re.compile(
        r"[\"']name[\"']\s{0,4}:\s{0,4}[\"']([^\"'\n]{2,60})[\"']\s{0,4},\s{0,8}[\"']e?-?mail"
    ),
    # git config user.name "Jane Doe", user.name = Jane Doe; prose goes on without either sign
    re.compile(
        r"\buser\.name[ \t]{0,4}(?:=[ \t]{0,4}[\"']?|(?<=[ \t])[\"'])([^\W\d_][^\"'\n=]{1,59})"
    ),
    re.compile(r"\bconfig (?:--\w{1,20} ){0,3}user\.name ([^\W\d_][\w.-]{1,40})"),
    # GIT_AUTHOR_NAME="Jane Doe"
    re.compile(r"\bGIT_(?:AUTHOR|COMMITTER)_NAME=[\"']([^\"'\n]{2,60})"),
)
_HOME = re.compile(r"(?:/home/|/Users/|\b[A-Za-z]:\\{1,2}Users\\{1,2})([^\W_][\w.-]{0,40})")
_TELLING = 5
"""Characters from which on the name of a home folder is told from others."""
_NOBODY = frozenset(
    {"all", "app", "circleci", "codespace", "default", "dev", "ec2-user", "git", "gitpod",
     "jenkins", "jovyan", "linuxbrew", "me", "node", "nonroot", "public", "root", "runner",
     "shared", "someone", "ubuntu", "user", "username", "vagrant", "vscode", "work", "you",
     "your-name", "yourname"}
)  # fmt: skip
"""Home folders that are no person's."""


def read_names(path: Path | None) -> frozenset[str]:
    """The names that the owner lists, one a line; empty lines and lines that begin with # are none.

    Raises:
        UsageError: When the file cannot be read, or a line is a single character.
    """
    if path is None:
        return frozenset()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"Cannot read the names in {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8. Save the list of names as such.") from error
    names = set()
    for number, line in enumerate(lines, start=1):
        name = " ".join(line.split())
        if len(name) == 1:
            raise UsageError(f"{path}, line {number}: {name!r} is too short for a name.")
        if name and not name.startswith("#"):
            names.add(name)
    return frozenset(names)


def names_told(conversation: Conversation) -> frozenset[str]:
    """Names that a conversation tells anywhere, and that are no other words.

    Of two words and more beside an address; of a home folder with a sign or a digit in it, such as
    jane.doe. They are masked wherever they stand; a single plain word could be any other, too.
    """
    names = set()
    for text in _texts(conversation):
        folders = (text[start:end] for start, end in _home_folders(text))
        names |= {name for name in folders if len(name) >= _TELLING and not name.isalpha()}
        for start, end in _beside_addresses(text):
            words = text[start:end].split()
            if len(words) > 1:
                # The first word may have begun the sentence: "Ask Jane Doe <jane@example.org>".
                names |= {" ".join(words), " ".join(words[-2:])}
    return frozenset(names)


def mask_people(text: str, names: frozenset[str]) -> tuple[str, int]:
    """Mask the names that a text marks as such, and some more.

    Args:
        text: Before addresses are masked: they tell the names.
        names: Names to mask wherever they stand as whole words, in either case.

    Returns:
        The text, and how many names were masked.
    """
    places = [*_beside_addresses(text), *_home_folders(text)]
    if names:
        places += [found.span() for found in _any_of(names).finditer(text)]
    masked, count, begin = [], 0, 0
    for start, end in sorted(places):
        if start >= begin:
            masked += [text[begin:start], MASK]
            begin, count = end, count + 1
        else:
            begin = max(begin, end)
    return ("".join([*masked, text[begin:]]), count) if count else (text, 0)


def _beside_addresses(text: str) -> Iterator[tuple[int, int]]:
    for address in _ADDRESS.finditer(text):
        first = max(0, address.start() - _LOOK_BACK)
        before = text[first : address.start()]
        if quoted := _QUOTED_AT_END.search(before):
            yield first + quoted.start(1), first + quoted.end(1)
        elif address[0][0] == "<" and (labelled := _LABELLED_AT_END.search(before)):
            # "Author: jane <jane@example.org>": no capital letter is needed.
            yield first + labelled.start(1), first + len(before.rstrip())
        elif words := _WORDS_AT_END.search(before):
            start = _first_of_name(words[0])
            # "Support (help@example.org)" names nobody.
            is_alone = start is not None and len(words[0][start:].split()) == 1
            if start is not None and not (is_alone and address[0][0] == "("):
                yield first + words.start() + start, first + len(before.rstrip())
    for pattern in _BESIDE:
        for found in pattern.finditer(text):
            if not found[1].startswith("["):
                yield found.start(1), found.start(1) + len(found[1].rstrip())


def _first_of_name(words: str) -> int | None:
    """Where the name at the end of some words begins: its words are capital, but for particles."""
    start = None
    for word in reversed(list(re.finditer(r"\S+", words))):
        if not word[0][0].islower():
            start = word.start()
        elif word[0] not in _PARTICLES:
            break
    return start


def _home_folders(text: str) -> Iterator[tuple[int, int]]:
    for found in _HOME.finditer(text):
        name = found[1].rstrip(".-")
        if name.lower() not in _NOBODY:
            yield found.start(1), found.start(1) + len(name)


@lru_cache(maxsize=64)
def _any_of(names: frozenset[str]) -> re.Pattern[str]:
    """The longest first: a name may be part of another."""
    longest = sorted(names, key=lambda name: (-len(name), name))
    listed = "|".join(r"\s+".join(map(re.escape, name.split())) for name in longest)
    # A mask is no name, whatever the owner lists.
    return re.compile(rf"(?<![\w\[])(?:{listed})(?!\w)", re.IGNORECASE)


def _texts(conversation: Conversation) -> Iterator[str]:
    yield conversation.system
    for message in conversation.messages:
        yield message.text
        for call in message.calls:
            yield from _strings([call.arguments])
            # Together, where a name and an address are members of one object.
            yield json.dumps(call.arguments, ensure_ascii=False)


def _strings(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _strings(value.values())
        elif isinstance(value, list):
            yield from _strings(value)
