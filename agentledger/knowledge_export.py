"""What agents have proven, as files that may be shared: `exports/knowledge` in the data home.

Belongs here: writing the validated patterns of the published snapshot as JSON and Markdown, whole
or not at all, once per content. Does not belong here: the gates that figures decide (`models/`,
validated_patterns), when it runs (`orchestration/`).

Nothing is exported without `[export] consent = true` in config.toml.
"""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agentledger import files
from agentledger.errors import AgentLedgerError
from agentledger.query.answers import read_answer
from agentledger.settings import Settings
from agentledger.snapshot import open_snapshot

EXPORTED: Final = (
    "pattern", "tasks", "uses", "agents", "succeeded", "failed", "known_outcomes", "success_rate",
    "success_rate_low", "success_rate_high", "quality",
)  # fmt: skip
"""What is told of a pattern: public columns alone. Not when it was judged, nor which gates it
passed, for it passed them all."""


@dataclass(frozen=True, slots=True)
class KnowledgeReport:
    """What one export did."""

    exported: list[str]
    refused: dict[str, str]
    """Pattern → first gate that it failed."""
    path: Path | None
    """The JSON file; None when nothing was written."""
    reason: str | None
    """Why nothing was written."""


def export(settings: Settings) -> KnowledgeReport:
    """Write the patterns that pass every gate, unless the same were written before.

    Raises:
        NothingPublishedError: When no run has published yet.
        AgentLedgerError: When config.toml cannot be read.
    """
    with open_snapshot(settings) as snapshot:
        answer = read_answer(snapshot, "select * from marts.validated_patterns order by pattern")
    has_consent = _has_consent(settings)
    refused = {}
    chosen: list[dict[str, Any]] = []
    for row in answer.records():
        reason = row["reason"] or (None if has_consent else "no_consent")
        if reason is None:
            chosen.append({name: row[name] for name in EXPORTED})
        else:
            refused[row["pattern"]] = reason
    if not chosen:
        return KnowledgeReport([], refused, None, "no pattern passes every gate")
    content = {"format": 1, "patterns": chosen}
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder = settings.exports_dir / "knowledge"
    names = [row["pattern"] for row in chosen]
    # The hash is part of the name: two exports of one day do not collide, and one content is
    # exported once.
    earlier = sorted(folder.glob(f"knowledge-*-{digest}.json"))
    if earlier:
        return KnowledgeReport(names, refused, None, f"exported before: {earlier[0].name}")
    for level in (settings.exports_dir, folder):
        files.make_private_folder(level)
    path = folder / f"knowledge-{answer.build.as_of:%Y%m%d}-{digest}.json"
    # JSON last: it is what says that the export is complete.
    files.replace_text(path.with_suffix(".md"), _markdown(chosen))
    files.replace_text(path, text)
    return KnowledgeReport(names, refused, path, None)


def _has_consent(settings: Settings) -> bool:
    try:
        config = tomllib.loads(settings.config_path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return False
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AgentLedgerError(f"{settings.config_path} cannot be read: {error}") from error
    section = config.get("export", {})
    return isinstance(section, dict) and section.get("consent") is True


def _markdown(rows: list[dict[str, Any]]) -> str:
    lines = [
        "# Validated patterns",
        "",
        "| pattern | success | 95 % from | tasks | quality |",
        "|-|-|-|-|-|",
    ]
    lines += [
        f"| {row['pattern']} | {row['success_rate']:.4f} | {row['success_rate_low']:.4f} | "
        f"{row['tasks']} | {row['quality']:.2f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
