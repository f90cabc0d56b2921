"""From source files to raw tables.

One module per step: `scan` lists files, `plan` decides which to read, `documents` decodes bytes
tolerantly, `<format>` knows one format, `stage` brings a batch into a temporary table, `load`
writes a batch in one transaction, `collect` runs the whole. Metrics and casts are not made here.
"""
