"""Whether the private texts of what is registered may be kept: asked before anything is written.

Belongs here: the option `--content` and the question. Does not belong here: the commands that ask
(`cli/projects.py`, `cli/sources.py`), keeping texts (`agentledger/vault.py`).
"""

from typing import Annotated

import typer

from agentledger.errors import UsageError

ContentOption = Annotated[
    str | None,
    typer.Option(
        "--content",
        metavar="vault|drop",
        help="What becomes of prompts, answers and tool arguments: kept in the vault, or dropped "
        "(default).",
    ),
]


def agree_to_texts(
    content: str | None, yes: bool, kind: str | None = None, *, counts_all: bool = False
) -> None:
    """Say what keeping texts means, and ask, before anything is written down.

    Args:
        content: What was asked for.
        yes: Do not ask.
        kind: Kind of the source; None for a project.
        counts_all: Whether sessions outside registered projects count.
    """
    import sys

    from agentledger import config
    from agentledger.cli import output
    from agentledger.ingest.scan_roots import TRANSCRIPT_KINDS

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
