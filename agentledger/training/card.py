"""The card of a data set: what it holds, what was left out and why, how to check it.

Belongs here: its content and how it reads. Does not belong here: counting (`export.py`).

No path, no name of a project, no value that was masked stands in it: it goes where the data set
goes.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

import agentledger

if TYPE_CHECKING:
    from agentledger.training.candidates import Filters
    from agentledger.training.export import Options, Tally

REASONS: Final[Mapping[str, str]] = {
    "no_consent": "the owner of the source does not keep its texts",
    "not_in_vault": "it was read before its source began to keep texts",
    "open_turn": "no summary has ended its turn",
    "not_completed": "its turn did not end as completed",
    "too_few_tokens": "fewer tokens than asked for",
    "short_response": "a shorter answer than asked for",
    "no_response": "neither an answer nor a tool call",
    "unreadable": "its history or tool calls would have to be guessed at",
    "secret": "a detector still found something after masking",
    "not_in_format": "the format has no way to say it",
    "said_in_training": "a user says the same in an example that trains",
    "duplicate": "the same input and output as another example",
}
"""Why a call is no example; each call has one reason, the first that holds."""

NOT_MASKED: Final = (
    "Names of people are recognised beside an e-mail address, in the paths of home folders, and "
    "where they are listed (--names); others, and names of companies and places and postal "
    "addresses, are not. Read samples before you share the data set."
)

_DETECTORS: Final = ("detect-secrets", "phonenumbers")


def describe(
    options: "Options",
    filters: "Filters",
    tally: "Tally",
    hashes: Mapping[str, str],
    *,
    as_of: datetime,
    sources: int,
    names: int,
) -> dict[str, Any]:
    """Put the card together.

    Args:
        options: What was asked for.
        filters: The same, as the warehouse was asked.
        tally: What became of the calls.
        hashes: Side → SHA-256 of its file.
        as_of: Instant of the last run, aware.
        sources: Sources that keep texts.
        names: Names of people that the owner listed; how many, never which.
    """
    paths = options.paths
    return {
        "format": options.format,
        "as_of": as_of.isoformat().replace("+00:00", "Z"),
        "files": {
            side: {
                "name": paths[side].name,
                "examples": tally.kept[side],
                "sessions": len(tally.sessions[side]),
                "projects": len(tally.projects[side]),
                "sha256": digest,
            }
            for side, digest in hashes.items()
        },
        "counts": {
            "considered": tally.considered,
            "kept": sum(tally.kept.values()),
            "dropped": {reason: tally.dropped[reason] for reason in REASONS},
        },
        "filters": {
            "project": None if filters.project_id is None else "one project",
            "since": filters.since and filters.since.date().isoformat(),
            "min_tokens": options.min_tokens,
            "min_response_chars": options.min_response_chars,
            "only_completed": options.only_completed,
            "include_open_turns": options.include_open_turns,
            "with_thoughts": options.with_thoughts,
        },
        "split": {
            "by": options.split_by,
            "validation_share": options.validation_share,
            "shared_sessions": len(tally.sessions["train"] & tally.sessions["validation"]),
            "rule": "keyed hash of the session or project; no session is on both sides, and no "
            "validation example has a user's words that training has",
        },
        "masked": {
            kind: {"count": count, "first_places": tally.positions[kind]}
            for kind, count in sorted(tally.masked.items())
        },
        "names_listed": names,
        "not_masked": NOT_MASKED,
        "consent": f'Only sources with content = "vault" are included ({sources} now).',
        "tools": "Tools are listed as the conversations call them: their names and the names of "
        "their arguments; their descriptions and types are not known.",
        "versions": {
            "agentledger": agentledger.__version__,
            **{name: metadata.version(name) for name in _DETECTORS},
        },
    }


def as_json(told: Mapping[str, Any]) -> str:
    """The card for programs."""
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def as_markdown(told: Mapping[str, Any]) -> str:
    """The card for people."""
    counts = told["counts"]
    lines = [
        f"# Training data in the format of {told['format']}",
        "",
        f"Made from a ledger as of {told['as_of']}.",
        "",
        "| split | file | examples | sessions | projects | SHA-256 |",
        "|---|---|---:|---:|---:|---|",
        *(
            f"| {side} | {file['name']} | {file['examples']} | {file['sessions']} "
            f"| {file['projects']} | {file['sha256']} |"
            for side, file in told["files"].items()
        ),
        "",
        f"{counts['considered']} calls were considered, {counts['kept']} are examples.",
        "",
        "| left out | calls | because |",
        "|---|---:|---|",
        *(
            f"| {reason} | {count} | {REASONS[reason]} |"
            for reason, count in counts["dropped"].items()
        ),
        "",
        "## Filters and split",
        "",
        *(f"- {name}: {value}" for name, value in told["filters"].items()),
        *(f"- split, {name}: {value}" for name, value in told["split"].items()),
        "",
        "## Masked",
        "",
        *(f"- {kind}: {found['count']}" for kind, found in told["masked"].items()),
        f"- names of people that the owner listed: {told['names_listed']}",
        "",
        told["not_masked"],
        "",
        "## Consent, tools, versions",
        "",
        f"- {told['consent']}",
        f"- {told['tools']}",
        *(f"- {name} {version}" for name, version in told["versions"].items()),
    ]
    return "\n".join(lines) + "\n"
