"""A small intent router for a shop's desk: understands a request, asks back, obeys policy, runs it.

It shows where an orchestrator records its events: `router.py` is the only module that does.
"""
