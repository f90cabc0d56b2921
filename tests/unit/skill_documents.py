"""Metrics documents as their writers make them, for tests.

Belongs here: the shape of each variant. Does not belong here: single records (`make_invocation` of
the fixtures), expectations.
"""

from collections.abc import Callable
from typing import Any

Build = Callable[..., dict[str, Any]]
"""The fixture `make_invocation`."""


def v1(*records: dict[str, Any], **root: Any) -> dict[str, Any]:
    """A V1 document."""
    return {
        "invocations": list(records),
        "skills": {},
        "last_updated": "2026-08-01T11:00:00",
    } | root


def design(**lists: Any) -> dict[str, Any]:
    """A V-D document; keywords are skill names."""
    return {"version": "1.0", "generated_at": "2026-08-01T00:00:00Z", "skills": lists}


DESIGN_RECORD = {
    "invoked_at": "2026-02-10T10:00:00Z",
    "completed_at": "2026-02-10T10:01:30Z",
    "duration_ms": 90000,
    "success": True,
    "followup_actions": 1,
    "session_id": "s-1",
    "metadata": {"workflow": "feature-dev", "agent": "python-pro"},
}


def document(build: Build) -> dict[str, Any]:
    return v1(*[build(session_id=f"s-{n}") for n in range(3)])
