"""Programs that use AgentLedger as its users do; each runs as `python -m examples.<name>`."""
