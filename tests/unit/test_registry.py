"""Opting in and out: paths, hand edits, concurrent edits."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from agentledger import privacy, registry
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", host_zone="Europe/Paris")


def test_hand_edits_and_comments_survive(settings: Settings, tmp_path: Path) -> None:
    """The tempting change is to write the file anew from what was parsed."""
    folder = tmp_path / "a"
    folder.mkdir()
    settings.home.mkdir()
    settings.config_path.write_text('# mine\nretention_days = 90 # keep\n\n[unknown]\nx = "y"\n')
    registry.register_project(settings, str(folder), name="A")
    text = settings.config_path.read_text()
    assert "# mine\nretention_days = 90 # keep" in text
    assert '[unknown]\nx = "y"' in text
    registry.unregister_project(settings, str(folder))
    assert "# mine" in settings.config_path.read_text()
    assert registry.load_config(settings).projects == ()


def _register(home: Path, folder: Path) -> None:
    registry.register_project(Settings(home=home, host_zone="UTC"), str(folder))


def test_concurrent_edits_lose_nothing(settings: Settings, tmp_path: Path) -> None:
    folders = [tmp_path / f"p{number}" for number in range(12)]
    for folder in folders:
        folder.mkdir()
    # Not a Pool, which ends its children with SIGTERM: started in the background the suite ignores
    # SIGINT, Dagster makes SIGTERM the same, children inherit it, and the Pool waits for ever.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, mp_context=context) as pool:
        list(pool.map(_register, [settings.home] * len(folders), folders))
    assert {Path(p.path) for p in registry.load_config(settings).projects} == set(folders)


@pytest.mark.parametrize("name", ["with space", "ünïcödé 漢字", "quote\"d'", "br[ack]et", "a\\b"])
def test_a_project_is_one_project_by_any_spelling(
    settings: Settings, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for spelling in (
        str(folder),
        f"{folder}/",
        str(tmp_path / "link"),
        f"~/{name}",
        name,
        f"./{name}",
    ):
        registry.register_project(settings, spelling)
    projects = registry.load_config(settings).projects
    assert [project.path for project in projects] == [str(folder)]
    registry.unregister_project(settings, str(tmp_path / "link"))
    assert registry.load_config(settings).projects == ()


def test_a_worktree_is_its_main_repository(tmp_path: Path) -> None:
    main, tree = tmp_path / "main", tmp_path / "tree"
    (main / ".git" / "worktrees" / "tree").mkdir(parents=True)
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {main}/.git/worktrees/tree\n")
    assert privacy.main_repository(tree) == str(main)
    (tree / ".git").write_text(f"gitdir: {main}/.git/modules/tree\n")  # a submodule is its own
    assert privacy.main_repository(tree) == str(tree)


def test_the_zone_is_fixed_at_registration(settings: Settings, tmp_path: Path) -> None:
    """A laptop that travels must not move the instants of what was written at home."""
    registry.register_project(settings, str(tmp_path))
    elsewhere = Settings(home=settings.home, host_zone="Asia/Tokyo")
    assert registry.load_config(elsewhere).projects[0].zone == "Europe/Paris"


@pytest.mark.parametrize(
    "call",
    [
        lambda s, p: registry.register_project(s, str(p / "missing")),
        lambda s, p: registry.register_project(s, str(p), zone="Mars/Olympus"),
        lambda s, p: registry.register_project(s, str(p), name="__all__"),
        lambda s, p: registry.unregister_project(s, str(p)),
        lambda s, p: registry.add_source(s, "no-such-kind", str(p)),
        lambda s, p: registry.add_source(s, "skill-metrics", str(p / "missing")),
        lambda s, p: registry.remove_source(s, "skill-metrics", str(p)),
    ],
)
def test_wrong_usage_is_said_and_changes_nothing(settings: Settings, tmp_path: Path, call) -> None:
    with pytest.raises(UsageError):
        call(settings, tmp_path)
    assert registry.load_config(settings) == registry.Config()


@pytest.mark.parametrize(
    "text", ["[[projects]\n", "projects = 3\n", "[[projects]]\nname = 'x'\n",
             "[[projects]]\npath = 3\n", "[[sources]]\nkind = 'skill-metrics'\n"],
)  # fmt: skip
def test_a_damaged_configuration_is_named_and_left_alone(settings: Settings, text: str) -> None:
    settings.home.mkdir()
    settings.config_path.write_text(text)
    with pytest.raises(AgentLedgerError, match=r"config\.toml"):
        registry.load_config(settings)
    assert settings.config_path.read_text() == text


def test_sources_are_added_listed_and_removed(settings: Settings, tmp_path: Path) -> None:
    added = registry.add_source(settings, "skill-metrics", str(tmp_path), zone="UTC")
    assert registry.load_config(settings).sources == (added,)
    registry.remove_source(settings, "skill-metrics", str(tmp_path) + "/")
    assert registry.load_config(settings).sources == ()


def test_the_data_home_is_private(settings: Settings, tmp_path: Path) -> None:
    registry.register_project(settings, str(tmp_path))
    privacy.load_or_create_key(settings)
    assert settings.home.stat().st_mode & 0o777 == 0o700
    for path in (settings.config_path, settings.key_path):
        assert path.stat().st_mode & 0o777 == 0o600, os.fspath(path)


def test_the_last_entry_can_be_removed_and_another_added(
    settings: Settings, tmp_path: Path
) -> None:
    """The editing library writes an emptied list of tables so that no table can follow it."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    for _ in range(2):
        registry.register_project(settings, str(tmp_path / "a"))
        registry.unregister_project(settings, str(tmp_path / "a"))
        registry.add_source(settings, "skill-metrics", str(tmp_path / "b"))
        registry.remove_source(settings, "skill-metrics", str(tmp_path / "b"))
    registry.register_project(settings, str(tmp_path / "b"))
    assert [p.name for p in registry.load_config(settings).projects] == ["b"]
    settings.config_path.write_text("projects = []\nsources = []\n")
    registry.register_project(settings, str(tmp_path / "a"))
    assert [p.name for p in registry.load_config(settings).projects] == ["a"]


@pytest.mark.parametrize("blank", ["", "  "])
def test_an_empty_path_is_not_this_directory(settings: Settings, blank: str) -> None:
    """`register "$UNSET"` would opt in whatever folder one stands in."""
    with pytest.raises(UsageError, match="empty"):
        registry.register_project(settings, blank)
    with pytest.raises(UsageError, match="empty"):
        registry.add_source(settings, "skill-metrics", blank)


@pytest.mark.parametrize(
    "text", ["[[projects]]\npath = 'relative/path'\n", "[[projects]]\npath = '/p'\nzone = 'Mars'\n"]
)
def test_a_hand_edit_that_means_nothing_fixed_is_refused(settings: Settings, text: str) -> None:
    settings.home.mkdir()
    settings.config_path.write_text(text)
    with pytest.raises(AgentLedgerError, match=r"config\.toml"):
        registry.load_config(settings)


@pytest.mark.parametrize("text", ["projects = 5\n", "[projects]\na = 1\n"])
def test_an_edit_of_a_damaged_configuration_is_refused(
    settings: Settings, tmp_path: Path, text: str
) -> None:
    settings.home.mkdir()
    settings.config_path.write_text(text)
    with pytest.raises(AgentLedgerError):
        registry.register_project(settings, str(tmp_path))
    assert settings.config_path.read_text() == text


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AgentLedgerError, match="AGENTLEDGER_HOME"):
        registry.register_project(
            Settings(home=tmp_path / "file" / "home", host_zone="UTC"), str(tmp_path)
        )
