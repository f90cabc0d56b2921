"""`agentledger export training`: a data set for fine-tuning from the texts of the vault.

Belongs here: arguments and printing. Does not belong here: making it (`training/`).
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from agentledger.cli import agent_patterns, options
from agentledger.cli.options import JsonOption, ProjectOption, day_option, examples

export_app = typer.Typer(
    help="Data sets made from the ledger.",
    epilog=examples("export training --format openai --out tuning.jsonl", "export knowledge"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    agent_patterns.add_export(export_app)
    app.add_typer(export_app, name="export")


@export_app.command(
    epilog=examples(
        "export training --format openai --out tuning.jsonl",
        "export training --format sharegpt --out shop.jsonl --project shop --only-completed",
        "export training --format anthropic --out all.jsonl --since 30d --min-tokens 50 --json",
        "export training --format openai --out tuning.jsonl --names colleagues.txt",
    )
)
def training(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="F.jsonl", help="Training file; the others lie beside it."),
    ],
    format_: Annotated[
        str, typer.Option("--format", metavar="openai|anthropic|sharegpt", help="Of the lines.")
    ],
    project: ProjectOption = None,
    since: Annotated[
        str | None,
        day_option("--since", "Calls from this UTC day on."),
    ] = None,
    min_tokens: Annotated[
        int, typer.Option("--min-tokens", help="Leave out calls of fewer tokens.")
    ] = 0,
    min_response_chars: Annotated[
        int, typer.Option("--min-response-chars", help="Leave out shorter answers.")
    ] = 0,
    only_completed: Annotated[
        bool, typer.Option("--only-completed", help="Only calls of turns that were completed.")
    ] = False,
    include_open_turns: Annotated[
        bool, typer.Option("--include-open-turns", help="Calls that no summary has ended, too.")
    ] = False,
    with_thoughts: Annotated[
        bool, typer.Option("--with-thoughts", help="Thoughts before the answer, in <think>.")
    ] = False,
    validation_share: Annotated[
        float, typer.Option("--validation-share", help="Share of sessions that validate.")
    ] = 0.1,
    split_by: Annotated[
        Literal["session", "project"],
        typer.Option("--split-by", metavar="session|project", help="What stays together."),
    ] = "session",
    names: Annotated[
        Path | None,
        typer.Option("--names", metavar="FILE", help="Names of people to mask, one a line."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write conversations for fine-tuning: F.jsonl, F.validation.jsonl, F.card.json, F.card.md.

    Secrets, addresses and telephone numbers are masked; names of people only beside an e-mail
    address, in paths of home folders, and where --names lists them.
    """
    from agentledger.cli import output
    from agentledger.training import export

    asked = export.Options(
        format=format_,
        out=out.expanduser().absolute(),
        project=project,
        since=since,
        min_tokens=min_tokens,
        min_response_chars=min_response_chars,
        only_completed=only_completed,
        include_open_turns=include_open_turns,
        with_thoughts=with_thoughts,
        validation_share=validation_share,
        split_by=split_by,
        names=names and names.expanduser(),
    )
    told = export.export_training(
        asked,
        on_wait=lambda: output.write_note("Another run is writing; waiting for it."),
        settings=options.current_settings(),
    )
    if as_json:
        output.write_json(told)
        return
    _write(told, asked.paths["card_text"])


def _write(told: dict[str, Any], card: Path) -> None:
    from agentledger.cli import output
    from agentledger.training.card import REASONS

    for side, file in told["files"].items():
        output.write_line(
            f"{side}: {output.count(file['examples'])} example(s) of "
            f"{output.count(file['sessions'])} session(s) in {output.text_of(file['name'])}"
        )
    dropped = {name: count for name, count in told["counts"]["dropped"].items() if count}
    if dropped:
        output.write_table(
            ["left out", "calls", "because"],
            [[name, output.count(count), REASONS[name]] for name, count in dropped.items()],
            numeric=["calls"],
        )
    if told["masked"]:
        output.write_table(
            ["masked", "times"],
            [[kind, output.count(found["count"])] for kind, found in told["masked"].items()],
            numeric=["times"],
        )
    if not told["files"]["validation"]["examples"]:
        output.write_note(
            "Nothing validates: too few sessions, or all of them say what training says. "
            "Try a larger --validation-share."
        )
    output.write_note(f"{told['not_masked']} Card: {output.text_of(str(card))}")
