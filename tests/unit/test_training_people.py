"""Names of people in exported texts: what tells that words are one, and what is left alone."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentledger.errors import UsageError
from agentledger.training.conversation import Conversation, Message, ToolCall
from agentledger.training.masking import is_clean, mask_conversation
from agentledger.training.people import read_names


def talk(*texts: str, arguments: dict[str, object] | None = None) -> Conversation:
    """A conversation in which a user says some texts, answered by a tool call or "ok"."""
    calls = (ToolCall("call_1", "f", arguments),) if arguments is not None else ()
    said = [Message("user", text) for text in texts]
    return Conversation("", (*said, Message("assistant", "ok", calls)))


def masked(*texts: str, names: frozenset[str] = frozenset()) -> str:
    """The first text after masking."""
    return mask_conversation(talk(*texts), names)[0].messages[0].text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Author: Jane Doe <jane@example.org>", "Author: [person] <[email]>"),
        ("By: Jos\u00e9 N\u00fa\u00f1ez <j@example.org>", "By: [person] <[email]>"),
        ("from Ludwig van der Aa <l@example.org>", "from [person] <[email]>"),
        ('"Doe, Jane" <jane@example.org>', '"[person]" <[email]>'),
        ("ask Jane Doe (jane@example.org)", "ask [person] ([email])"),
        ("From: Jane <jane@example.org>", "From: [person] <[email]>"),
        ("Author: jane <jane@example.org>", "Author: [person] <[email]>"),
        ("and jane <jane@example.org>", "and jane <[email]>"),
        ("Clone It (git@host.example:shop/app)", "Clone It ([email]:shop/app)"),
        ("\u738b\u5c0f\u660e <wang@example.org>", "[person] <[email]>"),
        ('"name": "Jane Doe", "email": "j@example.org"', '"name": "[person]", "email": "[email]"'),
        ('git config user.name "Jane Doe"', 'git config user.name "[person]"'),
        ("user.name = Jane Doe\nx", "user.name = [person]\nx"),
        ("git config --global user.name jane ;", "git config --global user.name [person] ;"),
        ("/home/jdoe/shop/app.py", "/home/[person]/shop/app.py"),
        ("/Users/jane.doe/shop", "/Users/[person]/shop"),
        (r"C:\Users\Jane\shop", r"C:\Users\[person]\shop"),
    ],
)  # fmt: skip
def test_what_is_beside_an_address_or_in_a_home_folder_is_a_name(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "mark the Will as done, Rose",
        "/home/runner/work/shop and /home/user/x and /root/y",
        "cd /home/",
        "see Array <T extends B> and List<String>",
        "Support (see below)",
        "retrieves the user.name from the settings",
        'if GetConfigValue("user.name") == "" { return',
    ],
)
def test_words_that_nothing_marks_stay(text: str) -> None:
    """The tempting change is a list of first names: it has the verbs mark and will."""
    assert masked(text) == text


def test_a_name_that_was_told_once_is_masked_everywhere() -> None:
    """The commit tells the name, the review two messages later has it alone."""
    assert masked("Jane  Doe wants it", "Ask Jane Doe <jane@example.org>") == "[person] wants it"


def test_the_folder_of_a_person_tells_a_name_that_is_no_word() -> None:
    """A branch is often called after its owner; `alex` could be anything, `jane.doe` not."""
    told = "/Users/jane.doe/shop. /Users/alex/x"
    assert masked("jane.doe/fix, origin/alex", told) == "[person]/fix, origin/alex"
    assert masked(told) == "/Users/[person]/shop. /Users/[person]/x"


def test_a_single_word_is_not_masked_elsewhere() -> None:
    """Mark, once told beside an address, must not take the verb along."""
    assert masked("mark it", "From: Mark <m@example.org>") == "mark it"


def test_a_support_address_names_nobody() -> None:
    assert masked("Support (help@example.org)") == "Support ([email])"


def test_names_in_the_members_of_an_object_are_found() -> None:
    """There, name and address are texts of their own."""
    given_ = talk("hi", arguments={"author": {"name": "Jane Doe", "email": "jane@example.org"}})
    found, kinds = mask_conversation(given_)
    [call] = found.messages[-1].calls
    assert call.arguments == {"author": {"name": "[person]", "email": "[email]"}}
    assert kinds[-1]["person"] == 1


def test_listed_names_are_masked_as_whole_words_in_either_case() -> None:
    names = frozenset({"Ann", "Ann Lee", "person"})
    assert (
        masked("ann lee and ANN like Annabel", names=names) == "[person] and [person] like Annabel"
    )
    # A mask is no name, or nothing would ever be clean.
    assert is_clean(mask_conversation(talk("Ann, a person"), names)[0], names)


def test_a_list_of_names_is_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("# colleagues\n\n  Jane   Doe \nBob\n", encoding="utf-8")
    assert read_names(path) == {"Jane Doe", "Bob"}
    assert read_names(None) == frozenset()


def test_a_list_that_would_mask_every_letter_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("Jane\nx\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 2"):
        read_names(path)
    with pytest.raises(UsageError, match="Cannot read the names"):
        read_names(tmp_path / "none.txt")
    path.write_bytes("Jos\u00e9".encode("latin-1"))
    with pytest.raises(UsageError, match="UTF-8"):
        read_names(path)


PIECES = st.sampled_from(
    ["Jane", "Doe", "van", " ", "\n", "<", ">", "(", ")", '"', "j@x.example", "/home/", "jdoe", "/",
     "user.name", "=", "[person]", '"name": "', '", "email"', "Ann Lee"]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=14))
def test_no_listed_name_is_left_and_masking_twice_changes_nothing(pieces: list[str]) -> None:
    names = frozenset({"Ann Lee"})
    once, _ = mask_conversation(talk("".join(pieces)), names)
    if is_clean(once, names):
        assert mask_conversation(once, names)[0] == once
        assert not re.search(r"(?:^|\s)Ann Lee(?:\s|$)", once.messages[0].text)
