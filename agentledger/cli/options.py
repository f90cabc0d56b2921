"""Options that several commands share, worded once.

Belongs here: annotated types for typer, and the settings of the process.
"""

from typing import Annotated, Any, Literal

import typer

from agentledger.settings import Settings, load_settings

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
ProjectOption = Annotated[
    str | None,
    typer.Option("--project", metavar="NAME|ID|PATH", help="One project; default: all together."),
]
WindowOption = Annotated[
    Literal["daily", "weekly", "monthly", "all"],
    typer.Option("--window", help="Length of the buckets."),
]
BucketOption = Annotated[
    str | None,
    typer.Option(
        "--bucket", metavar="DAY", help="The bucket that holds this UTC day; default: the newest."
    ),
]


def day_option(name: str, text: str) -> Any:
    """An option that is a UTC day, or how long before the newest build it was."""
    return typer.Option(name, metavar="DAY|7d|4w", help=text)


SinceOption = Annotated[
    str | None,
    day_option("--since", "Every bucket from this one on; 7d counts back from the newest build."),
]
UntilOption = Annotated[str | None, day_option("--until", "Stop before this bucket.")]
SinceDayOption = Annotated[
    str | None,
    day_option(
        "--since",
        "From this UTC day on; 7d counts back from the newest build. Default: everything.",
    ),
]
UntilDayOption = Annotated[str | None, day_option("--until", "Stop before this UTC day.")]
ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--zone", metavar="TZ", help="IANA zone of times without an offset; default: this host's."
    ),
]
PurgeOption = Annotated[
    bool, typer.Option("--purge", help="Remove for good all that the ledger holds of it.")
]
PurgeYesOption = Annotated[
    bool, typer.Option("--yes", help="With --purge: do not ask; needed where nobody can answer.")
]


def examples(*lines: str) -> str:
    r"""Examples for the end of a help text; \b keeps the lines as they are."""
    return "\b\nExamples:\n" + "\n".join(f"  agentledger {line}" for line in lines)


def current_settings() -> Settings:
    """Settings of this process; read when a command runs, not when it is imported."""
    return load_settings()
