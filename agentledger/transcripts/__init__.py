"""Conversations of coding agents, put together from their lines and the texts of the vault.

Belongs here: which line follows which, what a model had been given when it answered, what was said
in a session. Does not belong here: metrics (the models), keeping texts (`vault_texts.py`), masking
and data sets (`training/`), printing (`cli/`).

Order and kinds come from raw, words from the vault. Nothing of it is written anywhere.
"""
