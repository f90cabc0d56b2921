"""The worked examples B3 and B4 of the reference, from raw records to marts, to four decimals."""

from collections.abc import Callable, Iterator

import pytest

from tests.dbt.conftest import Warehouse
from tests.factories import Row, make_project, make_usage, make_workflow_run

TOLERANCE = 5e-5
# analyses.md B3: (project, successes, known outcomes, raw rate, shrunken rate).
FIVE = [
    ("p1", 2, 2, 1.0, 0.7953),
    ("p2", 40, 50, 0.8, 0.7926),
    ("p3", 8, 10, 0.8, 0.7799),
    ("p4", 27, 30, 0.9, 0.8580),
    ("p5", 24, 40, 0.6, 0.6419),
]
THREE = [
    ("p1", 2, 2, 1.0, 0.7984),
    ("p2", 40, 50, 0.8, 0.7930),
    ("p3", 5, 10, 0.5, 0.6290),
]
PROJECTS = ("p1", "p2", "p3", "p4", "p5")


def uses_of(skill: str, project: str, successes: int, known: int) -> Iterator[Row]:
    for number in range(known):
        yield make_usage(
            skill_name=skill,
            project_id=project,
            source_id=f"source-{project}",
            invoked_at=f"2026-03-01T10:{number:02}:00Z",
            completed="true" if number < successes else "false",
        )


def runs_of(group: str, count: int, status: str, skills: str | None) -> Iterator[Row]:
    for number in range(count):
        yield make_workflow_run(workflow_id=f"{group}-{number}", status=status, skills_used=skills)


@pytest.fixture(scope="module")
def example(new_warehouse: Callable[[], Warehouse]) -> Warehouse:
    """B3 as two skills over five projects; B4 with a second skill in half of the other runs."""
    ledger = new_warehouse()
    ledger.register(*PROJECTS)
    ledger.write("projects", [make_project("gone", is_active=False)])
    for skill, rows in (("five", FIVE), ("three", THREE)):
        for project, successes, known, _, _ in rows:
            ledger.write("skill_usage", uses_of(skill, project, successes, known))
    ledger.write("skill_usage", uses_of("five", "gone", 0, 30))
    for group, count, status, skills in (
        ("a", 18, "completed", '["review","review"]'),
        ("b", 2, "failed", '["review"]'),
        ("c", 6, "completed", "[]"),
        ("c-plan", 6, "completed", '["plan"]'),
        ("d", 4, "failed", "[]"),
        ("d-plan", 4, "failed", '["plan"]'),
        ("u", 1, "cancelled", '["review"]'),
        ("n", 3, "failed", None),
    ):
        ledger.write("workflow_executions", runs_of(group, count, status, skills))
    ledger.build()
    return ledger


@pytest.mark.parametrize(
    ("skill", "rows", "strength", "pooled"),
    [("five", FIVE, 13.5812, 101 / 132), ("three", THREE, 10, 47 / 62)],
)
def test_rates_of_few_outcomes_are_drawn_towards_the_pooled_rate(
    example: Warehouse, skill: str, rows: list[tuple[str, int, int, float, float]],
    strength: float, pooled: float,
) -> None:  # fmt: skip
    """Should give the shrunken rates of B3; an inactive project weighs nothing."""
    found = example.rows(
        "select project_id, successful_completions, known_outcomes, success_rate, shrunk_rate, "
        "prior_strength, pooled_rate from marts.skill_project_comparison "
        f"where skill_name = '{skill}' order by project_id"
    )
    assert found == [
        (
            *row[:3],
            pytest.approx(row[3], abs=TOLERANCE),
            pytest.approx(row[4], abs=TOLERANCE),
            pytest.approx(strength, abs=TOLERANCE),
            pytest.approx(pooled, abs=TOLERANCE),
        )
        for row in rows
    ]


def test_a_project_is_compared_with_the_rest_and_not_with_itself(example: Warehouse) -> None:
    """Should give d = -0.2370, z = -2.9515, p = 0.003163 for p5 against 77 of 92."""
    found = example.rows(
        "select rest_successes, rest_outcomes, rate_difference, z_score, p_value, differs, "
        "evidence from marts.skill_project_comparison "
        "where skill_name = 'five' and project_id = 'p5'"
    )
    assert found == [
        (
            77,
            92,
            pytest.approx(-0.2370, abs=TOLERANCE),
            pytest.approx(-2.9515, abs=TOLERANCE),
            pytest.approx(0.003163, abs=5e-7),
            True,
            "confirmed",
        )
    ]


def test_an_association_comes_out_as_in_the_reference(example: Warehouse) -> None:
    """Should give rate 0.9 (low 0.6990) against 0.6, phi 0.3464, p 0.0648, and flag nothing."""
    found = example.rows(
        "select success_rate, success_rate_low, success_rate_without, phi, fisher_p, flagged_bh, "
        "usage_count, occurrences from marts.workflow_skill_correlation "
        "where skill_name = 'review'"
    )
    expected = (
        *(pytest.approx(value, abs=TOLERANCE) for value in (0.9, 0.6990, 0.6, 0.3464, 0.0648)),
        False,
        21,
        39,
    )
    assert found == [expected, expected]  # the project and all projects
