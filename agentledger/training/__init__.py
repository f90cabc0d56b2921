"""Data sets for fine-tuning, made from the calls whose texts the vault keeps.

Belongs here: what an example is, masking, the formats, the split, the card. Does not belong here:
keeping texts (`vault_texts.py`), which call belongs to which turn (the models), printing
(`cli/training.py`).
"""
