"""Previews: short by what readers see as characters, and never with a secret in them."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentledger.emit.preview import MAX_TEXT, graphemes, preview_redacted

SECRETS = {
    "e-mail": ("ann.lee+x@example.co.uk", "ann.lee"),
    "full-width at": ("ann.lee\uff20example.org", "ann.lee"),
    "phone": ("+44 (0)20 7946 0958", "7946"),
    "card": ("4111 1111 1111 1111", "1111"),
    "card with dashes": ("4111-1111-1111-1111", "1111"),
    "account": ("12345678", "12345678"),
    "iban": ("GB29 NWBK 6016 1331 9268 19", "6016"),
    "iban in one": ("DE89370400440532013000", "37040044"),
    "key": ("sk-proj-abcDEF123", "abcDEF"),
    "github": ("ghp_16C7e42F292c6912E7", "16C7e42F"),
    "aws": ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN"),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9.e30.Et9HFtf9R3GEMA0", "hbGciOi"),
    "hex": ("9f86d081884c7d659a2feaa0c55ad015", "d081884c"),
    "password": ("password=hunter two", "hunter two"),
    "quoted": ('"client_secret": "hunter two"', "hunter two"),
    "spoken": ("my password is hunter two", "hunter two"),
    "bearer": ("Authorization: Bearer hunter", "hunter"),
    "url": ("https://user:hunter@example.org/x", "hunter"),
    "hidden": ("pass\u200bword=hunter", "hunter"),
    "right to left mark": ("4111\u200f1111\u200f1111\u200f1111", "1111"),
}
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
WHOLE = {
    "combining": "e\u0301\u0323",
    "family": FAMILY,
    "skin": "\U0001f44d\U0001f3fd",
    "flag": "\U0001f1e9\U0001f1ea",
    "scotland": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "hangul": "\u1112\u1161\u11ab",
    "devanagari": "\u0915\u093f",
}


@pytest.mark.parametrize(("planted", "kept_back"), SECRETS.values(), ids=SECRETS)
def test_secrets_are_masked(planted: str, kept_back: str) -> None:
    """Should mask each kind of secret wherever it stands."""
    for text in (planted, f"use {planted}", f"see ({planted}) now", f"{planted}\nand go"):
        preview = preview_redacted(text)
        assert preview is not None
        assert kept_back not in preview, preview


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120), st.sampled_from(sorted(SECRETS)), st.text(max_size=120))
def test_no_text_around_a_secret_uncovers_it(before: str, kind: str, after: str) -> None:
    """Should hold for any Unicode around it, and stay within 80 characters of valid UTF-8."""
    planted, kept_back = SECRETS[kind]
    preview = preview_redacted(f"{before} {planted} {after}")
    assert preview is not None
    assert planted not in preview
    if kept_back not in before + after:
        assert kept_back not in preview
    assert len(list(graphemes(preview))) <= 80
    assert preview.encode("utf-8").decode("utf-8") == preview


@given(st.text())
def test_graphemes_are_a_partition(text: str) -> None:
    """Should neither lose nor add a code point."""
    assert "".join(graphemes(text)) == text


@pytest.mark.parametrize("character", WHOLE.values(), ids=WHOLE)
def test_what_readers_see_as_one_character_is_not_split(character: str) -> None:
    """The tempting change is `text[:80]`, which cuts families and flags in two."""
    assert list(graphemes(character * 2)) == [character] * 2
    preview = preview_redacted("a" + character * 100)
    assert preview is not None
    assert len(list(graphemes(preview))) == 80


def test_ordinary_requests_stay_readable() -> None:
    """Should not mask verbs, short numbers and plain words."""
    text = "Create 3 funds for the Zürich team, then run cbu.assign-role"
    assert preview_redacted(text) == text


@pytest.mark.parametrize("unit", ["token", "a1", "1 ", "a@", "GB29", "=", "-----BEGIN", "\u0301"])
def test_masking_takes_linear_time(unit: str) -> None:
    """Should bound what a hostile utterance costs the background thread."""
    begin = time.perf_counter()
    preview = preview_redacted((unit * MAX_TEXT)[:MAX_TEXT])
    assert preview is not None
    assert len(preview) <= 80 * 32
    assert time.perf_counter() - begin < 1
    assert preview_redacted("x" * (MAX_TEXT + 1)) is None
