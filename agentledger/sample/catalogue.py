"""The made-up world of a sample: projects, skills and how they behave, texts.

Belongs here: constants that a person would read as plausible, each invented. Does not belong here:
chance (`history.py`), file formats (`writers.py`).
"""

from dataclasses import dataclass

PROJECT_NAMES = (
    "checkout-api",
    "mobile-app",
    "data-platform",
    "docs-site",
    "billing-worker",
    "search-service",
    "design-system",
    "ml-features",
    "infra-live",
    "notification-hub",
    "partner-portal",
    "audit-trail",
)

WORKFLOWS = ("quick", "comprehensive", "daily")
PHASES = ("setup", "execution", "verification")

ACTIONS = ("git commit", "git push", "continue")
"""Follow-up actions that readers know by name."""

FREE_ACTIONS = (
    "edited the generated file by hand",
    "asked again with more context",
    "reverted one hunk",
    "ran the failing test alone",
    "split the change in two",
)

ERROR_CLASSES = ("timeout", "network", "validation", "ValueError", "ConnectionError", "OSError")

ERROR_MESSAGES = (
    "2 failed: tests/test_orders.py::test_refund - AssertionError",
    "exit code 1: lockfile is out of date",
    "merge conflict in src/cart.ts (3 hunks)",
    "Could not resolve host: staging.example.test",
    "permission denied: cannot write to build/",
)

QUERIES = (
    "please check the {thing} before I push",
    "why does {thing} fail since yesterday?",
    "clean up {thing}, keep the public names",
    "write tests for {thing} — edge cases too",
    "summarise what changed in {thing}",
    "is {thing} still used anywhere?",
    "make {thing} faster; the p95 is above 2 s",
    "Überprüfe bitte {thing} auf Tippfehler",
)

THINGS = (
    "the refund flow",
    "the login form",
    'the "orders" table',
    "retry logic",
    "the nightly export",
    "feature flags",
    "the price cache",
    "CSV import",
    "the webhook handler",
    "error pages",
)


@dataclass(frozen=True, slots=True)
class Skill:
    """How a skill behaves; rates are fractions 0..1."""

    name: str
    weight: float  # share of all uses, relative
    success_at_first: float  # of known outcomes, at the beginning of the period
    success_at_last: float  # and at its end: a difference is a trend
    median_seconds: float
    spread: float = 0.7  # sigma of the log-normal durations
    followups: float = 0.5  # mean number of follow-up actions
    unknown: float = 0.03  # share that never reports an outcome
    rank: float = 0.8  # share chosen as the first suggestion


SKILLS = (
    # Well tuned: far above 0.9 with narrow intervals.
    Skill("ruff-check", 14, 0.985, 0.985, 1.4, 0.5, 0.2),
    Skill("commit-message", 11, 0.97, 0.98, 4.0, 0.5, 0.4),
    Skill("session-checkpoint", 9, 0.96, 0.96, 2.2, 0.4, 0.1),
    # Ordinary.
    Skill("pytest-run", 12, 0.78, 0.8, 38.0, 0.9, 0.9),
    Skill("crackerjack-run", 8, 0.82, 0.84, 55.0, 0.8, 0.7),
    Skill("doc-lookup", 5, 0.88, 0.86, 6.5, 0.8, 0.6),
    Skill("dependency-audit", 3, 0.85, 0.85, 21.0, 0.6, 0.3),
    Skill("data-profile", 3, 0.81, 0.79, 95.0, 1.0, 1.1),
    # Trends: one is getting better, one worse.
    Skill("code-review", 9, 0.58, 0.94, 72.0, 0.7, 1.0),
    Skill("deploy-preview", 6, 0.95, 0.52, 140.0, 0.6, 0.8),
    # Low success.
    Skill("flaky-test-triage", 7, 0.42, 0.4, 110.0, 1.0, 1.4),
    # Works, but its outcome needs manual rework.
    Skill("refactor-plan", 7, 0.77, 0.78, 160.0, 0.8, 3.1, 0.03, 0.55),
    # Hardly ever reports an outcome.
    Skill("browser-check", 6, 0.8, 0.8, 30.0, 0.9, 0.4, 0.78),
    # Rare: too few uses to say anything.
    Skill("schema-diagram", 0.25, 0.7, 0.7, 25.0),
    Skill("licence-header", 0.15, 0.9, 0.9, 3.0),
)
