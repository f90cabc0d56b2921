"""`agentledger source …`: sources of telemetry outside the registered projects.

Belongs here: arguments and printing; the configuration is edited in `agentledger.registry`. Does
not belong here: projects (`cli/projects.py`), looking into a source (`cli/source_check.py`).
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentledger.cli import options, source_check
from agentledger.cli.options import JsonOption, PurgeOption, PurgeYesOption, ZoneOption, examples
from agentledger.cli.texts_consent import ContentOption, agree_to_texts
from agentledger.errors import UsageError

if TYPE_CHECKING:
    from agentledger.registry import Source

source_app = typer.Typer(
    help="Sources of telemetry outside the registered projects.",
    epilog=examples("source add skill-metrics ~/exports", "source list"),
    no_args_is_help=True,
    rich_markup_mode=None,
)

KindArgument = Annotated[str, typer.Argument(metavar="KIND", help="Kind, such as skill-metrics.")]
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
    source_check.add_commands(source_app)
    app.add_typer(source_app, name="source")


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
    from agentledger.ingest.scan_roots import TRANSCRIPT_KINDS

    if content == "vault" and kind not in KINDS_WITH_TEXTS:
        raise UsageError(
            f"No texts of {kind} sources are kept. Kinds whose texts the vault keeps: "
            f"{', '.join(KINDS_WITH_TEXTS)}."
        )
    agree_to_texts(content, yes, kind, counts_all=all_projects)
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
    yes: PurgeYesOption = False,
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
