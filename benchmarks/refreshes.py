"""A run with little new, held against the whole.

Belongs here: what the models of a run cost above dbt's floor. Does not belong here: what is new
(`intents.py`, `agents.py`), running and its steps (`ledger.py`).
"""

from benchmarks.figures import Figure
from benchmarks.ledger import Ledger

MODEL_FLOOR_SECONDS = 0.15
"""dbt's own time for a model that has nothing to do: the goal leaves it out."""


def refresh_figure(ledger: Ledger, full_seconds: float, name: str) -> Figure:
    """What the models of the last run cost above their floor, as a share of all of them.

    Args:
        ledger: Has just run.
        full_seconds: Models of the run that built everything.
        name: What was new.
    """
    steps = ledger.steps_of_last_run()
    runs = model_runs(ledger)
    above_floor = max(0.0, steps.models - MODEL_FLOOR_SECONDS * runs)
    return Figure(
        f"models after {name}",
        (steps.models,),
        (above_floor / full_seconds,),
        goal="1 % more events",
        note=f"above {MODEL_FLOOR_SECONDS} s for each of {runs} models; "
        f"{slowest_models(steps.slowest_models[:3])}; ingest {steps.ingest:.2f} s",
    )


def model_runs(ledger: Ledger) -> int:
    """Models that the last run built."""
    run_id = str(ledger.last_run()["run_id"])
    return len({name for kind, name, _ in ledger.dbt_results(run_id) if kind == "LogModelResult"})


def slowest_models(models: tuple[tuple[str, float], ...]) -> str:
    """Names and seconds, as a note has them."""
    return "slowest: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in models)
