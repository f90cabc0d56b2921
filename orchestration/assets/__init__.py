"""The assets, one module per kind: raw tables, dbt models, what is published."""
