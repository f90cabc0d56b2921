"""What a collection found and did, as plain data for the run summary, status and checks.

Belongs here: frozen or append-only records without behaviour beyond sums. All counts are records
unless the name says files.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

PROBLEMS_KEPT = 50
"""Problems kept per source in reports; the ledger table has all of them."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file, or a part of it, that could not be read."""

    path: str
    reason: str
    detail: str


@dataclass(slots=True)
class SourceReport:
    """What one source gave in one run; `found = collected + skipped + quarantined` (files)."""

    source_id: str
    project_id: str
    project_name: str
    found: int = 0
    collected: int = 0
    skipped: int = 0
    quarantined: int = 0
    errors: int = 0
    records_read: int = 0
    accepted: int = 0
    rejected: int = 0
    already_known: int = 0
    seconds: float = 0.0
    problems: list[FileProblem] = field(default_factory=list)

    def add_problem(self, problem: FileProblem) -> None:
        """Count a problem and keep it while there is room."""
        self.errors += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(problem)


@dataclass(slots=True)
class CollectionReport:
    """What one run collected from all sources."""

    run_id: str
    load_seq: int
    """Highest load sequence number in the ledger after the run."""
    sources: list[SourceReport]
    batches: int = 0
    seconds: float = 0.0

    def totals(self) -> dict[str, int]:
        """Sum the counts over all sources."""
        names = {
            "files_found": "found",
            "files_collected": "collected",
            "files_skipped": "skipped",
            "files_quarantined": "quarantined",
            "records_read": "records_read",
            "accepted": "accepted",
            "rejected": "rejected",
            "already_known": "already_known",
        }
        return {
            label: sum(getattr(source, name) for source in self.sources)
            for label, name in names.items()
        }

    def as_dict(self) -> dict[str, Any]:
        """Give the report as JSON-serialisable data."""
        return {
            "run_id": self.run_id,
            "load_seq": self.load_seq,
            "batches": self.batches,
            "seconds": self.seconds,
            "totals": self.totals(),
            "sources": [asdict(source) for source in self.sources],
        }
