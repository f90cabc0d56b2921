"""The raw tables of coding-agent transcripts.

Belongs here: their DDL and what a row of each is. Does not belong here: how they are filled
(`ingest/transcript_formats.py`, `ingest/codex_formats.py`, `ingest/working_directories.py`), the
other tables
(`raw_tables.py`).
"""

_LINE_COLUMNS = """
        file_id bigint not null, line_no bigint not null, byte_offset bigint not null,
        ordinal integer not null,
        source_id varchar not null, project_id varchar not null, host_id varchar not null,
        run_id varchar not null, ingested_at timestamptz not null, load_seq bigint not null,
        flags varchar, record_key uuid not null, content_hash uuid not null,
"""

TRANSCRIPT_TABLES: dict[str, str] = {
    # One row per line of a Claude Code transcript (formats.md 6), whatever its type; no text.
    # `project_id` is the source's own: the project of a line follows from `cwd`.
    "claude_code_lines": _LINE_COLUMNS
    + """
        line_type varchar, subtype varchar, uuid varchar, parent_uuid varchar,
        session_id varchar, ts varchar, cwd varchar, version varchar, entrypoint varchar,
        is_sidechain varchar, is_meta varchar, is_compact_summary varchar, is_api_error varchar,
        agent_id varchar, permission_mode varchar, source_tool_use_id varchar,
        request_id varchar, message_id varchar, model varchar, stop_reason varchar,
        has_usage boolean, input_tokens varchar, output_tokens varchar,
        cache_creation_input_tokens varchar, cache_read_input_tokens varchar,
        ephemeral_5m_input_tokens varchar, ephemeral_1h_input_tokens varchar,
        web_search_requests varchar, web_fetch_requests varchar, service_tier varchar,
        attribution_skill varchar, attribution_plugin varchar, cost_usd varchar,
        duration_ms varchar, prompt_kind varchar, command_name varchar,
        result_agent_id varchar, result_status varchar, result_duration_ms varchar,
        result_total_tokens varchar, result_tool_use_count varchar, content_blocks integer,
        length_bytes bigint
    """,
    # One row per block of a line that calls a tool or brings its result; `position` counts them.
    "claude_code_blocks": _LINE_COLUMNS
    + """
        position integer not null,
        block_type varchar, tool_use_id varchar, tool_name varchar, skill_name varchar,
        subagent_type varchar, is_error varchar, error_class varchar,
        uuid varchar, session_id varchar, ts varchar, cwd varchar, is_sidechain varchar,
        agent_id varchar, message_id varchar, request_id varchar, version varchar
    """,
    # One row per line of a Codex rollout (formats.md 7), whatever its type; no text. `total_*` are
    # counters of the whole thread so far. `cwd` and the thread stand on few lines of a file.
    "codex_lines": _LINE_COLUMNS
    + """
        line_id varchar, line_type varchar, payload_type varchar, role varchar, ts varchar,
        thread_id varchar, parent_thread_id varchar, forked_from_id varchar,
        thread_source varchar, cwd varchar, originator varchar, cli_version varchar,
        model_provider varchar, turn_id varchar, model varchar, effort varchar,
        approval_policy varchar, context_window varchar, has_usage boolean,
        total_input_tokens varchar, total_cached_input_tokens varchar,
        total_output_tokens varchar, total_reasoning_output_tokens varchar,
        total_total_tokens varchar,
        last_input_tokens varchar, last_cached_input_tokens varchar, last_output_tokens varchar,
        last_reasoning_output_tokens varchar, last_total_tokens varchar,
        call_id varchar, tool_name varchar, exit_code varchar, error_class varchar,
        length_bytes bigint
    """,
    # One row per version of an observation of Langfuse (formats.md 9), per file that holds it.
    "langfuse_observations": _LINE_COLUMNS
    + """
        observation_ref varchar, trace_id varchar, observation_id varchar,
        parent_observation_id varchar, named_project varchar, session_id varchar,
        observation_type varchar, observation_name varchar, level varchar, environment varchar,
        model varchar, started_at varchar, ended_at varchar, completion_started_at varchar,
        updated_at varchar, input_usage varchar, output_usage varchar, total_usage varchar,
        usage_input varchar, usage_output varchar, usage_total varchar, usage_cache_read varchar,
        usage_cache_write varchar, usage_reasoning varchar, total_cost varchar
    """,
    # One row per version of a trace of Langfuse, per file that holds it.
    "langfuse_traces": _LINE_COLUMNS
    + """
        trace_id varchar, session_id varchar, trace_name varchar, environment varchar,
        named_project varchar, started_at varchar, updated_at varchar
    """,
    # One row per version of a score of Langfuse, per file that holds it; no comments.
    "langfuse_scores": _LINE_COLUMNS
    + """
        score_id varchar, trace_id varchar, observation_id varchar, session_id varchar,
        named_project varchar, score_name varchar, data_type varchar, score_source varchar,
        score_value varchar, score_label varchar, environment varchar, scored_at varchar,
        updated_at varchar
    """,
    # Where sessions ran, and which project each folder belongs to; resolved anew by each run.
    "working_directories": """
        workdir_id bigint primary key, source_id varchar not null, cwd varchar not null,
        is_session_root boolean not null, repository varchar, project_path varchar not null,
        project_id varchar not null, rule varchar not null, load_seq bigint not null,
        unique (source_id, cwd)
    """,
}
"""Merged into `RAW_TABLES`."""
