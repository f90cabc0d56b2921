"""`agentledger register|unregister|projects|source …`: what the user opted in to.

Belongs here: arguments and printing; the configuration is edited in `agentledger.registry`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentledger.cli import options, source_check
from agentledger.cli.options import JsonOption, examples
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.settings import Settings

if TYPE_CHECKING:
    from agentledger.registry import Source

source_app = typer.Typer(
    help="Sources of telemetry outside the registered projects.",
    epilog=examples("source add skill-metrics ~/exports", "source list"),
    no_args_is_help=True,
    rich_markup_mode=None,
)

ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--zone", metavar="TZ", help="IANA zone of times without an offset; default: this host's."
    ),
]
KindArgument = Annotated[str, typer.Argument(metavar="KIND", help="Kind, such as skill-metrics.")]
PurgeOption = Annotated[
    bool, typer.Option("--purge", help="Remove for good all that the ledger holds of it.")
]
YesOption = Annotated[
    bool, typer.Option("--yes", help="With --purge: do not ask; needed where nobody can answer.")
]
ContentOption = Annotated[
    str | None,
    typer.Option(
        "--content",
        metavar="vault|drop",
        help="What becomes of prompts, answers and tool arguments: kept in the vault, or dropped "
        "(default).",
    ),
]
LocationArgument = Annotated[
    str, typer.Argument(metavar="LOCATION", help="File or folder, or what `source list` shows.")
]
TableOption = Annotated[
    str | None,
    typer.Option("--table", metavar="TABLE", help="postgres: the table, with its schema."),
]

KINDS_WITH_TEXTS = ("claude-code", "codex", "events", "langfuse", "otlp", "postgres")
"""Kinds of sources whose texts the vault can keep; so it can of the own logs of a project."""


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
    source_check.add_commands(source_app)
    app.add_typer(source_app, name="source")


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

    _agree_to_texts(content, yes)
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
    yes: YesOption = False,
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


@source_app.command(
    epilog=examples(
        "source add skill-metrics ~/exports --zone Europe/Paris",
        "source add claude-code",
        "source add claude-code --all-projects --yes",
        "source add claude-code --content vault",
        "source add events ~/telemetry --content vault",
        "source add otlp ~/collector",
        "source add postgres postgresql://reader@db/shop --table agent.intent_events",
        "source add postgres --dsn-env SHOP_DSN --table agent_telemetry",
        "source add mapped ~/aider.jsonl --mapping aider",
        "source add codex",
    )
)
def add(
    kind: KindArgument,
    location: Annotated[
        str | None,
        typer.Argument(
            metavar="[LOCATION]",
            help="File or folder; tools that are known need none; postgres: connection string.",
        ),
    ] = None,
    table: TableOption = None,
    contract: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="postgres: contract of a table of another name."),
    ] = None,
    dsn_env: Annotated[
        str | None,
        typer.Option(
            "--dsn-env", metavar="NAME", help="postgres: variable that holds the connection string."
        ),
    ] = None,
    zone: ZoneOption = None,
    all_projects: Annotated[
        bool,
        typer.Option("--all-projects", help="Count sessions outside registered projects, too."),
    ] = False,
    content: ContentOption = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            "--mapping",
            metavar="NAME|FILE",
            help="Of a mapped log: a mapping that ships, or a file of yours (docs/mappings.md).",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Opt a source in."""
    from agentledger import postgres_sources, registry
    from agentledger.cli import output
    from agentledger.ingest.scan import TRANSCRIPT_KINDS

    if content == "vault" and kind not in KINDS_WITH_TEXTS:
        raise UsageError(
            f"No texts of {kind} sources are kept. Kinds whose texts the vault keeps: "
            f"{', '.join(KINDS_WITH_TEXTS)}."
        )
    _agree_to_texts(content, yes, kind, counts_all=all_projects)
    settings = options.current_settings()
    if kind == postgres_sources.KIND:
        entry = postgres_sources.new_entry(location, table, contract=contract, dsn_env=dsn_env)
        source = registry.add_postgres_source(settings, entry, zone, content)
    elif table or contract or dsn_env:
        raise UsageError("--table, --as and --dsn-env are for sources of kind postgres.")
    else:
        place = _default_location(kind, yes) if location is None else location
        reference, zone_is_stated = _checked_mapping(mapping, zone)
        source = registry.add_source(
            settings,
            kind,
            place,
            zone,
            "all" if all_projects else None,
            reference,
            zone_is_stated=zone_is_stated,
            content=content,
        )
    output.write_line(f"Added {source.kind} at {output.text_of(source.location)}.")
    if kind in TRANSCRIPT_KINDS and source.projects != "all":
        output.write_note(
            "Sessions of registered projects count; with --all-projects, every session does."
        )
    output.write_note("Next: agentledger run")


def _agree_to_texts(
    content: str | None, yes: bool, kind: str | None = None, *, counts_all: bool = False
) -> None:
    """Say what keeping texts means, and ask, before anything is written down."""
    import sys

    from agentledger import config
    from agentledger.cli import output
    from agentledger.ingest.scan import TRANSCRIPT_KINDS

    config.check_content(content)
    if content == "drop":
        output.write_note("Texts that were kept of it are removed by the next run; rows stay.")
    if content != "vault":
        return
    output.write_note(
        "Its prompts, histories, answers, thoughts and what tools were given and gave will be kept "
        "as they are, secrets included, in vault.duckdb of the data home, from its next record on. "
        "`turns replay` and `export training` read them, nothing else does. `--content drop` "
        "removes them with the next run."
    )
    if kind in TRANSCRIPT_KINDS:
        others = (
            ""
            if counts_all
            else " Sessions of projects that are not registered are kept, too, but "
            "neither shown nor exported."
        )
        output.write_note(
            "Images and attachments are not kept, and lines that were read before are not read "
            f"again.{others}"
        )
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("To let private texts be kept, type the command again with --yes.")
    if not typer.confirm("Keep them?", default=False):
        raise UsageError("Nothing was changed.")


def _checked_mapping(given: str | None, zone: str | None) -> tuple[str | None, bool]:
    """What to keep of the mapping, and whether it says the zone; complains of one that is bad."""
    if given is None:
        return None, False
    from agentledger.ingest import mapped_format, mapping

    reference = mapping.resolve_reference(given)
    found = mapping.load(reference)
    mapped_format.compiled(found)
    return reference, zone is None and found.zone is not None


def _default_location(kind: str, yes: bool) -> str:
    """The place where a tool is known to write, once its owner has agreed to it."""
    import sys

    from agentledger import settings
    from agentledger.cli import output

    folders = {"claude-code": settings.claude_code_folder, "codex": settings.codex_folder}
    if kind not in folders:
        raise UsageError(f"Where is it? Type: agentledger source add {kind} LOCATION")
    place = folders[kind]()
    if not place.is_dir():
        raise UsageError(
            f"There are no transcripts at {place}. "
            f"Type where they are: agentledger source add {kind} LOCATION"
        )
    if not yes and not sys.stdin.isatty():
        raise UsageError(f"Found {place}. To let it be read, type the command again with --yes.")
    question = f"Read the sessions in {output.text_of(str(place))}? No text of them is kept."
    if not yes and not typer.confirm(question, default=False):
        raise UsageError("Nothing was added.")
    return str(place)


def _row(source: "Source") -> dict[str, Any]:
    """A source as it is listed; of a table on a server, also how it is read."""
    row = asdict(source)
    table = row.pop("postgres")
    return row | {name: value for name, value in (table or {}).items() if value is not None}


@source_app.command(name="list", epilog=examples("source list", "source list --json"))
def list_sources(as_json: JsonOption = False) -> None:
    """List the sources."""
    from agentledger import registry
    from agentledger.cli import output

    rows = [_row(item) for item in registry.load_config(options.current_settings()).sources]
    if as_json:
        output.write_json({"sources": rows})
    elif rows:
        output.write_rows(rows, ["kind", "location", "zone", "projects", "mapping", "content"])
    else:
        output.write_note("No source is added. Type: agentledger source add KIND LOCATION")


@source_app.command(
    epilog=examples(
        "source remove events ~/exports",
        "source remove events ~/exports --purge",
        "source remove postgres postgresql://reader@db/shop --table agent.intent_events",
    )
)
def remove(
    kind: KindArgument,
    location: LocationArgument,
    table: TableOption = None,
    purge: PurgeOption = False,
    yes: YesOption = False,
) -> None:
    """Opt a source out; its raw rows stay, unless --purge removes them for good."""
    from agentledger import postgres_sources, registry
    from agentledger.cli import output, purging

    if kind == postgres_sources.KIND:
        location = postgres_sources.place_of(location, table)
    if purge:
        from agentledger import purge_targets

        settings = options.current_settings()
        purging.purge(
            settings,
            lambda: purge_targets.source_target(settings, kind, location),
            lambda found: registry.remove_source(settings, kind, found),
            yes=yes,
        )
        return
    source = registry.remove_source(options.current_settings(), kind, location)
    output.write_line(f"Removed {source.kind} at {output.text_of(source.location)}.")
