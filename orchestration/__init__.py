"""The Dagster code location of AgentLedger: when things run and in which order."""
