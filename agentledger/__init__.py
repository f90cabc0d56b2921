"""AgentLedger: a local-first, auditable warehouse of AI-agent telemetry.

The package is the library and the command line. It imports neither Dagster nor dbt, and importing
it does nothing: no environment, disk or network is touched until a function is called.
"""

__version__ = "0.1.0"
