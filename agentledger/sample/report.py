"""What a sample holds, as plain data that a test can hold against the ledger.

Belongs here: counts per file and project, and their sums. Does not belong here: writing files.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class SampleFile:
    """One file that was written, with what a reader of it must find."""

    path: str  # relative to the sample's directory, POSIX separators
    variant: str | None
    """V-D | V0 | V1 | VX | V2; None where the file has no shape of this format."""
    records: int
    """Valid records: the reader must accept every one of them."""
    state: str = "loaded"
    """State that the ledger of files must show: loaded | partial | empty | unrecognised_format."""
    rejects: Mapping[str, int] = field(default_factory=dict)
    """Records that no row can be made of, by reason code."""
    unknown_fields: Mapping[str, int] = field(default_factory=dict)
    """Names that no allow-list knows, with how often they occur."""
    bad_on_purpose: str | None = None
    """What is wrong with the file, for people; None when nothing is."""


@dataclass(frozen=True, slots=True)
class SampleProject:
    """One project directory of a sample."""

    name: str
    path: Path
    files: tuple[SampleFile, ...]

    @property
    def records(self) -> int:
        """Valid records in all files of the project."""
        return sum(file.records for file in self.files)

    @property
    def is_bad_on_purpose(self) -> bool:
        """Whether any file of the project is damaged on purpose."""
        return any(file.bad_on_purpose for file in self.files)


@dataclass(frozen=True, slots=True)
class SampleReport:
    """Everything that one call of `write_sample` wrote."""

    directory: Path
    seed: int
    until: str  # ISO date: no event is later than its first instant
    projects: tuple[SampleProject, ...]
    events: Mapping[str, int] = field(default_factory=dict)
    """Events in the logs of all projects, by format."""

    @property
    def records(self) -> int:
        """Valid records in all: what the ledger must accept."""
        return sum(project.records for project in self.projects)

    @property
    def rejects(self) -> dict[str, int]:
        """Bad records in all, by reason code: what the ledger must reject."""
        counts: Counter[str] = Counter()
        for project in self.projects:
            for file in project.files:
                counts.update(file.rejects)
        return dict(sorted(counts.items()))

    @property
    def variants(self) -> dict[str, int]:
        """Valid records by variant of the format, damaged files left out."""
        counts: Counter[str] = Counter()
        for project in self.projects:
            for file in project.files:
                if file.variant is not None and file.bad_on_purpose is None:
                    counts[file.variant] += file.records
        return dict(sorted(counts.items()))

    def as_dict(self) -> dict[str, Any]:
        """Give the report as JSON-serialisable data."""
        return {
            "directory": str(self.directory),
            "seed": self.seed,
            "until": self.until,
            "records": self.records,
            "rejects": self.rejects,
            "variants": self.variants,
            "events": dict(self.events),
            "projects": [
                {
                    "name": project.name,
                    "path": str(project.path),
                    "files": [asdict(file) for file in project.files],
                }
                for project in self.projects
            ],
        }
