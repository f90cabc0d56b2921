"""The tables of the `raw` schema.

Belongs here: their DDL and what a row of each is. Does not belong here: opening the warehouse
(`warehouse.py`), what is written into them (`ingest/`), what they mean (`models/staging/`).
"""

from agentledger.raw_agents import AGENT_COLUMNS
from agentledger.raw_otlp import OTLP_TABLES
from agentledger.raw_prices import PRICE_TABLES
from agentledger.raw_transcripts import TRANSCRIPT_TABLES

RAW_TABLES: dict[str, str] = {
    # Columns that every table of records carries come first; the record's own fields follow, as
    # text, uncast. `record_key` is the identity without mutable fields, `content_hash` all that is
    # kept of the record.
    "skill_usage": """
        record_key uuid not null, content_hash uuid not null,
        file_id bigint not null, ordinal bigint not null, repeat_ordinal integer not null,
        source_id varchar not null, project_id varchar not null, host_id varchar not null,
        run_id varchar not null, ingested_at timestamptz not null, load_seq bigint not null,
        variant varchar not null,
        skill_name varchar not null, invoked_at varchar not null, completed_at varchar,
        session_id varchar, completed varchar, success varchar,
        duration_ms varchar, duration_seconds varchar,
        followup_count varchar, followup_actions varchar, alternatives varchar,
        selection_rank varchar, workflow_path varchar, workflow_phase varchar,
        workflow varchar, agent varchar,
        error_class varchar, error_length bigint, error_hash varchar,
        query_length bigint, query_hash varchar,
        step_hash varchar, withheld varchar, flags varchar, named_project varchar
    """,
    # The ledger of files: one row per logical file, replaced at each load of it.
    "files": """
        file_id bigint primary key, source_id varchar not null, project_id varchar not null,
        format varchar not null, path varchar not null, variant varchar,
        size_bytes bigint, modified_ns bigint, changed_ns bigint, inode varchar,
        fingerprint varchar, byte_offset bigint, line_count bigint, state varchar not null,
        message varchar,
        records_read bigint not null, accepted bigint not null, rejected bigint not null,
        already_known bigint not null,
        first_seen_at timestamptz not null, loaded_at timestamptz not null, load_seq bigint not
        null, unique (source_id, path)
    """,
    # One row per load of a file: the evidence that accepted + rejected + already known = read.
    "file_loads": """
        load_seq bigint not null, run_id varchar not null, file_id bigint not null,
        source_id varchar not null, project_id varchar not null, state varchar not null,
        records_read bigint not null, accepted bigint not null, rejected bigint not null,
        already_known bigint not null, fast_path boolean not null, seconds double not null,
        loaded_at timestamptz not null
    """,
    # What could not be read. The bytes themselves are never kept here: length and hash only.
    "rejects": """
        reject_key uuid primary key, load_seq bigint not null, run_id varchar not null,
        file_id bigint not null, source_id varchar not null, project_id varchar not null,
        ordinal bigint, line_no bigint, byte_offset bigint, reason varchar not null,
        detail varchar, length_bytes bigint, bytes_hash varchar, rejected_at timestamptz not null
    """,
    # Names of fields that no allow-list knows, never their values.
    "unknown_fields": """
        file_id bigint not null, source_id varchar not null, field_name varchar not null,
        occurrences bigint not null, load_seq bigint not null,
        primary key (file_id, field_name)
    """,
    "projects": """
        project_id varchar primary key, project_name varchar not null, project_type varchar,
        path varchar not null, zone varchar not null, is_active boolean not null,
        registered_at timestamptz, last_seen_at timestamptz not null
    """,
    "sources": """
        source_id varchar primary key, kind varchar not null, location varchar not null,
        project_id varchar, zone varchar not null, is_active boolean not null,
        last_seen_at timestamptz not null, mapping varchar
    """,
    # One row per source and run, in the words of the operational contract:
    # found = collected + skipped + quarantined.
    "collection_runs": """
        run_id varchar not null, source_id varchar not null, project_id varchar,
        found bigint not null, collected bigint not null, skipped bigint not null,
        quarantined bigint not null, errors bigint not null, records_read bigint not null,
        accepted bigint not null, rejected bigint not null, already_known bigint not null,
        seconds double not null, started_at timestamptz not null,
        primary key (run_id, source_id)
    """,
    # How far each table on a PostgreSQL server was read; no value of a row but times and ids.
    "postgres_watermarks": """
        source_id varchar primary key, project_id varchar not null, table_oid bigint not null,
        format varchar not null, watermark varchar, position varchar, tie varchar,
        is_complete boolean not null, oldest_running bigint not null, swept_on date not null,
        read_at timestamptz not null, load_seq bigint not null
    """,
    # The only "now" of the models, and the fingerprints of what is not a row. A tick moves `as_of`
    # and `run_id` alone; `prices_judged_at` is the instant of the last run that looked at the
    # prices, `collected_by` the last run that looked at the sources.
    "run_context": """
        run_id varchar not null, as_of timestamptz not null, load_seq bigint not null,
        projects_fingerprint varchar not null, sources_fingerprint varchar not null,
        models_fingerprint varchar not null, prices_fingerprint varchar,
        prices_judged_at timestamptz, collected_by varchar
    """,
    # What was removed for good, by a purge or by retention: counts only, no name, no id of what is
    # gone. `scope_hash` is keyed, so that only who knows the project and has the key can ask.
    "purges": """
        purge_id varchar primary key, kind varchar not null, scope_hash varchar not null,
        cutoff timestamptz, load_seq bigint not null, run_id varchar not null,
        rows_removed varchar not null, total_rows bigint not null,
        requested_at timestamptz not null, removed_at timestamptz not null,
        finished_at timestamptz, bytes_before bigint not null, bytes_after bigint
    """,
}

_EVENT_COLUMNS = """
        record_key uuid not null, content_hash uuid not null,
        file_id bigint not null, line_no bigint not null, byte_offset bigint not null,
        ordinal integer not null,
        source_id varchar not null, project_id varchar not null, host_id varchar not null,
        run_id varchar not null, ingested_at timestamptz not null, load_seq bigint not null,
        flags varchar,
"""
"""What every record of an event log carries: `line_no` counts from 1, `byte_offset` is where its
line begins, `ordinal` tells the values of one line apart (0 for the first)."""

EVENT_TABLES: dict[str, str] = {
    # One row per event line of an orchestrator (formats.md 5); lists are JSON text, verbs and
    # argument names in them plain names or `other`, candidates `[["verb", score], ...]`.
    "intent_events": _EVENT_COLUMNS
    + """
        event_id varchar, ts varchar, session_id varchar, actor_hash varchar, entrypoint varchar,
        utterance_hash varchar, preview_length bigint, utterance_preview varchar,
        scope_length bigint, scope_hash varchar,
        subject_ref_type varchar, subject_ref_hash varchar,
        semreg_mode varchar, semreg_denied_verbs varchar,
        verb_candidates_pre varchar, verb_candidates_post varchar,
        chosen_verb_fqn varchar, selection_source varchar, forced_verb_fqn varchar,
        outcome varchar, dsl_hash varchar, run_sheet_entry_id varchar,
        macro_semreg_checked varchar, macro_denied_verbs varchar,
        error_code varchar, prompt_version varchar,
        dominant_entity_hash varchar, dominant_entity_kind varchar, entity_kind_filtered varchar,
        allowed_verbs_fingerprint varchar, pruned_verbs_count varchar,
        toctou_recheck_performed varchar, toctou_result varchar, toctou_new_fingerprint varchar,
        surface_full_count varchar, surface_pack_scoped_count varchar,
        soft_stage_flow varchar, state_observer varchar, entity_confidence varchar,
        missing_args varchar, withheld varchar
    """,
    # How the command of an intent ran, where an orchestrator tells it.
    "intent_executions": _EVENT_COLUMNS
    + """
        event_id varchar, ts varchar, intent_event_id varchar, run_sheet_entry_id varchar,
        dsl_hash varchar, success varchar, error_class varchar, withheld varchar
    """,
    # The assistant's messages: hashes, never text (formats.md 5.4).
    "chat_events": _EVENT_COLUMNS
    + """
        event_id varchar, ts varchar, session_id varchar, turn_id varchar,
        assistant_message_hash varchar, preview_length bigint, intent_event_id varchar
    """,
    # Runs of multi-step workflows (formats.md 2); `skills_used` is a JSON list in order, repeats
    # kept, names plain or `other`.
    "workflow_executions": _EVENT_COLUMNS
    + """
        workflow_id varchar, workflow_name varchar, named_project varchar,
        started_at varchar, completed_at varchar, status varchar, skills_used varchar,
        total_duration_ms varchar, error_length bigint, error_hash varchar, withheld varchar
    """,
    # What readers of this ledger asked for; never the caller's text.
    "ledger_reads": _EVENT_COLUMNS
    + """
        event_id varchar, ts varchar, surface varchar, question varchar, subject_kind varchar,
        subject_name varchar, duration_ms varchar, succeeded varchar
    """,
}
"""Raw tables of event logs, which all land the same way (`ingest/events.py`)."""

EVENT_TABLES |= {name: _EVENT_COLUMNS + columns for name, columns in AGENT_COLUMNS.items()}
RAW_TABLES |= EVENT_TABLES | TRANSCRIPT_TABLES | PRICE_TABLES | OTLP_TABLES
