"""`agentledger register|unregister|projects`: the folders whose telemetry counts.

Belongs here: arguments and printing; the configuration is edited in `agentledger.registry`. Does
not belong here: sources outside the projects (`cli/sources.py`).
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, PurgeOption, PurgeYesOption, ZoneOption, examples
from agentledger.cli.texts_consent import ContentOption, agree_to_texts
from agentledger.errors import AgentLedgerError
from agentledger.settings import Settings


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    app.command(
        epilog=examples(
            "register ~/code/shop",
            'register "/srv/my project" --name shop --type web --zone Europe/Paris',
        )
    )(register)
    app.command(
        short_help="Opt a project out of every number.",
        epilog=examples("unregister ~/code/shop", "unregister ~/code/shop --purge"),
    )(unregister)
    app.command(
        short_help="List projects and what is known of them.",
        epilog=examples("projects", "projects --json"),
    )(projects)


def register(
    path: Annotated[str, typer.Argument(metavar="PATH", help="Root folder of the project.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Name to show; default: the folder's.")
    ] = None,
    project_type: Annotated[
        str | None, typer.Option("--type", help="Any word that groups projects.")
    ] = None,
    zone: ZoneOption = None,
    content: ContentOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Opt a project in; nothing is read before the next run."""
    from agentledger import registry
    from agentledger.cli import output

    agree_to_texts(content, yes)
    project = registry.register_project(
        options.current_settings(), path, name, project_type, zone, content
    )
    output.write_line(
        f"Registered {output.text_of(project.name)} ({output.text_of(project.path)})."
    )
    output.write_note("Next: agentledger run")


def unregister(
    path: Annotated[str, typer.Argument(metavar="PATH", help="Root folder of the project.")],
    purge: PurgeOption = False,
    yes: PurgeYesOption = False,
) -> None:
    """Opt a project out; the next run takes it out of every number.

    What was read stays in the raw tables, so that registering it again brings all of it back.
    With --purge it goes for good, at once: rows, numbers, older builds, logs.
    """
    from agentledger import registry
    from agentledger.cli import output, purging

    if purge:
        from agentledger import purge_targets

        settings = options.current_settings()
        purging.purge(
            settings,
            lambda: purge_targets.project_target(settings, path),
            lambda found: registry.unregister_project(settings, found),
            yes=yes,
        )
        return
    project = registry.unregister_project(options.current_settings(), path)
    output.write_line(
        f"Unregistered {output.text_of(project.name)} ({output.text_of(project.path)}). "
        "The next run takes it out of every number; its raw rows stay (--purge removes them)."
    )


def projects(as_json: JsonOption = False) -> None:
    """List the registered projects and what the ledger knows of them."""
    from agentledger.cli import output

    settings = options.current_settings()
    rows, problem = list_projects(settings)
    if as_json:
        output.write_json({"projects": rows, "problem": problem})
        return
    if problem:
        output.write_note(problem)
    if not rows:
        output.write_note("No project is registered. Type: agentledger register PATH")
        return
    output.write_table(
        ["project", "type", "state", "uses", "last event", "registered", "path"],
        [
            [
                output.text_of(row["name"]),
                output.text_of(row["type"]),
                row["state"],
                output.count(row["ledger"].get("total_invocations")),
                output.instant(row["ledger"].get("last_used_at")),
                output.instant(row["registered_at"]),
                output.text_of(row["path"]),
            ]
            for row in rows
        ],
        numeric=["uses"],
    )


def list_projects(settings: Settings) -> tuple[list[dict[str, Any]], str | None]:
    """Registered projects with what the snapshot knows of each, and why that is missing if it is.

    `state` is 'in ledger', 'not read yet', 'missing' (no such folder) or 'unregistered' (still in
    the snapshot until the next run).
    """
    from agentledger import privacy, registry

    known, problem = _known_projects(settings)
    rows = []
    listed = set()
    # Without a key nothing was ever read; a reader makes none.
    key = privacy.load_or_create_key(settings) if settings.key_path.exists() else None
    for project in registry.load_config(settings).projects:
        project_id = privacy.project_id(key, project.path) if key else None
        ledger = known.get(project_id, {}) if project_id else {}
        listed.add(project_id)  # a project and its worktrees share one
        state = "in ledger" if ledger else "not read yet"
        if not Path(project.path).is_dir():
            state = "missing"
        rows.append({**asdict(project), "project_id": project_id, "state": state, "ledger": ledger})
    for project_id, ledger in known.items():
        if project_id in listed:
            continue
        rows.append(
            {
                "path": None,
                "name": ledger["project_name"],
                "type": ledger.get("project_type"),
                "zone": None,
                "registered_at": None,
                "project_id": project_id,
                "state": "unregistered",
                "ledger": ledger,
            }
        )
    return rows, problem


def _known_projects(settings: Settings) -> tuple[dict[str, Mapping[str, Any]], str | None]:
    """Active projects of the snapshot by id; without a snapshot, the reason."""
    from agentledger.query import projects as questions

    try:
        records = questions.known_projects(settings=settings).records()
    except AgentLedgerError as error:
        return {}, str(error)
    return {row["project_id"]: row for row in records if row["is_active"]}, None
