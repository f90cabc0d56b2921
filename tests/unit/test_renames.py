"""Folders under their old and new paths: what an entry may say, and what a path is called now."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentledger.errors import AgentLedgerError
from agentledger.renames import Rename, read_renames, renamed

CONFIG = Path("/home/config.toml")
FOLDERS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(lambda p: "/" + "/".join(p))


@pytest.mark.parametrize(
    ("place", "by_now"),
    [
        ("/w/old", "/w/new"),
        ("/w/old/api/v1", "/w/new/api/v1"),
        ("/w/old/web/x", "/site/x"),
        ("/w/older", "/w/older"),
        ("/w/oldest", "/w/new"),
        ("/elsewhere", "/elsewhere"),
    ],
)
def test_the_innermost_entry_around_a_path_says_where_it_is_by_now(place: str, by_now: str) -> None:
    """And what was renamed twice is followed twice."""
    renames = (
        Rename("/w/old", "/w/new"), Rename("/w/old/web", "/site"), Rename("/w/oldest", "/w/old"),
    )  # fmt: skip
    assert renamed(place, renames) == by_now
    assert renamed(place, renames[::-1]) == by_now


@given(
    FOLDERS, st.lists(st.builds(Rename, FOLDERS, FOLDERS), max_size=5, unique_by=lambda r: r.old)
)
def test_entries_that_go_round_in_a_circle_come_to_an_end(
    place: str, renames: list[Rename]
) -> None:
    assert renamed(place, renames) == renamed(place, renames[::-1])


@pytest.mark.parametrize(
    "entries",
    [
        [{"from": "/a"}], [{"from": "/a", "to": 3}], [{"from": "a", "to": "/b"}],
        [{"from": "/", "to": "/b"}], [{"from": "/a", "to": "/a/"}],
        [{"from": "/a", "to": "/b"}, {"from": "/a/", "to": "/c"}],
    ],
)  # fmt: skip
def test_an_entry_that_means_nothing_is_refused_with_the_file(
    entries: list[dict[str, str]],
) -> None:
    with pytest.raises(AgentLedgerError, match="config.toml"):
        read_renames(entries, CONFIG)


def test_the_same_entry_twice_is_one() -> None:
    entry = {"from": "/a/./x", "to": "/b"}
    assert read_renames([entry, entry], CONFIG) == (Rename("/a/x", "/b"),)
