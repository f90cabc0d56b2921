"""`agentledger turns …`: why turns end, which were cut off early, and one session from the start.

Belongs here: arguments and printing. Does not belong here: the questions (`query/turns.py`,
`query/replays.py`).
"""

import json
from typing import Annotated, Any

import typer

from agentledger.cli import options
from agentledger.cli.options import (
    JsonOption,
    ProjectOption,
    SinceDayOption,
    UntilDayOption,
    examples,
)

ModeOption = Annotated[
    str | None,
    typer.Option(
        "--mode",
        metavar="MODE",
        help="One mode of the chat: vibe, collaborate, delegate, other or unknown.",
    ),
]

NOTHING_KNOWN = (
    "No turn is known here. They are read from logs or tables of agent_telemetry; only their "
    "summaries tell why a turn ended."
)

turns_app = typer.Typer(
    help="Turns of users with an agent: why they end, and what happened in a session.",
    epilog=examples("turns stop-reasons --since 7d", "turns cut-off --json", "turns replay t-77"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    app.add_typer(turns_app, name="turns")


@turns_app.command(
    "stop-reasons",
    epilog=examples("turns stop-reasons --mode delegate", "turns stop-reasons --since 7d --json"),
)
def stop_reasons(
    project: ProjectOption = None,
    mode: ModeOption = None,
    since: SinceDayOption = None,
    until: UntilDayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why turns ended, most frequent first."""
    from agentledger.cli import output
    from agentledger.query import turns

    answer = turns.stop_reasons(since, until, project, mode, settings=options.current_settings())
    rows = answer.records()
    if as_json:
        output.write_json(_asked(answer, project, mode, since, until) | {"rows": rows})
        return
    if not rows:
        output.write_note(NOTHING_KNOWN)
        return
    output.write_table(
        ["stop reason", "turns", "share", "95 % interval", "rounds on average", "of turns"],
        [
            [
                output.text_of(row["stop_reason_base"]),
                output.count(row["turns"]),
                output.percent(row["share"]),
                output.interval(row["share_low"], row["share_high"]),
                output.decimal(row["avg_rounds"]),
                output.count(row["rounds_n"]),
            ]
            for row in rows
        ],
        numeric=["turns", "share", "95 % interval", "rounds on average", "of turns"],
    )
    if rows[0]["evidence"] == "insufficient_data":
        output.write_note(f"Too few turns ({rows[0]['group_turns']}) to compare their reasons.")
    output.write_note(f"As of {output.instant(output.iso(answer.build.as_of))}.")


@turns_app.command(
    "cut-off", epilog=examples("turns cut-off --since 7d --top 50", "turns cut-off --json")
)
def cut_off(
    project: ProjectOption = None,
    mode: ModeOption = None,
    since: SinceDayOption = None,
    until: UntilDayOption = None,
    top: Annotated[int, typer.Option("--top", help="Turns at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Turns that were cut off within few rounds after they had called tools, newest first."""
    from agentledger.cli import output
    from agentledger.query import turns

    settings = options.current_settings()
    answer = turns.cut_off(since, until, project, mode, top, settings=settings)
    (rate,) = turns.cutoff_rate(since, until, project, mode, settings=settings).records()
    rows = answer.records()
    if as_json:
        asked = _asked(answer, project, mode, since, until)
        output.write_json(asked | {"rate": rate, "rows": rows})
        return
    if not rate["turns"]:
        output.write_note(NOTHING_KNOWN)
        return
    output.write_line(_rate_text(rate))
    if rows:
        output.write_table(
            [
                "ended",
                "project",
                "session",
                "turn",
                "stop reason",
                "mode",
                "rounds",
                "tools",
                "took",
            ],
            [_cut_off_cells(row) for row in rows],
            numeric=["turn", "rounds", "tools", "took"],
        )
        output.write_note("Next: agentledger turns replay SESSION")


def _rate_text(rate: dict[str, Any]) -> str:
    from agentledger.cli import output

    counted = (
        f"{output.count(rate['early_cutoffs'])} of {output.count(rate['known_turns'])} turns whose "
        "reason and rounds are known were cut off early"
    )
    if rate["evidence"] == "insufficient_data":
        said = "too few turns for a rate"
    else:
        bounds = output.interval(rate["early_cutoff_rate_low"], rate["early_cutoff_rate_high"])
        said = f"{output.percent(rate['early_cutoff_rate'])}, 95 % interval {bounds}"
    return f"{counted} ({said}); users stopped {output.count(rate['early_aborts'])} more."


def _cut_off_cells(row: dict[str, Any]) -> list[str]:
    from agentledger.cli import output

    detail = f":{row['stop_detail']}" if row["stop_detail"] else ""
    return [
        output.instant(row["ended_at"]),
        output.text_of(row["project_name"] or row["project_id"]),
        output.text_of(row["session_key"])[:8],
        output.count(row["turn_seq"]),
        output.text_of(row["stop_reason_base"] + detail),
        output.text_of(row["chat_mode"]),
        output.count(row["rounds"]),
        output.count(row["tool_call_count"]),
        output.duration(row["duration_ms"]),
    ]


@turns_app.command(epilog=examples("turns replay t-77", "turns replay 3f2a9c1d --json"))
def replay(
    session: Annotated[
        str,
        typer.Argument(
            metavar="SESSION",
            help="Id of the session as its producer wrote it, or its key (8 characters do).",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """One session in order: what happened when; words of it where a source keeps them."""
    from agentledger.cli import output, replayed
    from agentledger.query.replays import replay as replay_session

    found = replay_session(
        session,
        on_wait=lambda: output.write_note("Another run is writing; waiting for it."),
        settings=options.current_settings(),
    )
    if as_json:
        output.write_json(found)
        return
    output.write_line(
        f"Session {found['session_key']} of {output.text_of(found['project'])} "
        f"({found['source_kind']}), "
        f"{output.count(len(found['records']) + len(found['exchange']))} records"
    )
    if found["records"]:
        output.write_table(
            ["turn", "#", "at", "+", "record", "model", "tokens", "took", "what"],
            [_replay_cells(row) for row in found["records"]],
            numeric=["turn", "#", "+", "tokens", "took"],
        )
    for row in found["records"]:
        replayed.write_texts(row)
    replayed.write_messages(found["messages"])
    replayed.write_exchange(found["exchange"])
    if found["note"]:
        output.write_note(found["note"])


def _replay_cells(row: dict[str, Any]) -> list[str]:
    from agentledger.cli import output

    at = row["occurred_at"]
    return [
        output.count(row["turn_seq"]),
        output.count(row["seq_in_turn"]),
        output.UNKNOWN if at is None else at.replace("T", " ")[:23].removesuffix("Z"),
        output.duration(row["offset_ms"]),
        output.text_of(row["record_type"]) + (" (open)" if row.get("is_open") else ""),
        output.text_of(row["model"]),
        output.count(row["tokens"]),
        output.duration(row["duration_ms"]),
        output.text_of(_what(row)),
    ]


def _what(row: dict[str, Any]) -> str:
    """What is known of a record beyond its figures, in a few words."""
    parts = []
    if row["record_type"] != "llm_call":
        detail = f":{row['stop_detail']}" if row.get("stop_detail") else ""
        parts.append(f"{row['stop_reason_base']}{detail}")
        if row["rounds"] is not None:
            parts.append(f"rounds {row['rounds']}")
        if row["tool_call_count"] is not None:
            parts.append(f"tool calls {row['tool_call_count']}")
    elif row.get("tool_names"):
        names = json.loads(row["tool_names"])
        parts.append(("tools " + ", ".join(names)) if names else "no tools")
    for name, field in (("user", "user_message"), ("answer", "response"), ("thoughts", "thoughts")):
        length = row.get(f"{field}_length")
        if length:
            parts.append(f"{name} of {length} characters")
    return "; ".join(parts)


def _asked(
    answer: Any, project: str | None, mode: str | None, since: str | None, until: str | None
) -> dict[str, Any]:
    from agentledger.cli import output

    return {
        **output.answer_head(answer),
        "project": project,
        "mode": mode,
        "since": since,
        "until": until,
    }
