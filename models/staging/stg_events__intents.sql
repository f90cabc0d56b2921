{#- One row per row of raw.intent_events: rename, cast, normalise both vocabularies. Versions
    and copies are all here; which of them counts is decided in intermediate. No window
    function: a refresh must not pay for history. #}
with events as (
    select
        *,
        lower(trim(outcome)) as folded_outcome,
        lower(trim(semreg_mode)) as folded_mode,
        lower(trim(selection_source)) as folded_source,
        {{ known_id('session_id') }} as known_session_id,
        {{ json_pairs('verb_candidates_pre') }} as pairs_pre,
        {{ json_pairs('verb_candidates_post') }} as pairs_post,
        {{ json_texts('semreg_denied_verbs') }} as denied_verbs,
        {{ json_texts('macro_denied_verbs') }} as denied_by_macro,
        {{ json_texts('missing_args') }} as listed_missing_args
    from {{ source('raw', 'intent_events') }}
),

{{ event_time_ctes('events') }},

scored as (
    select
        *,
        {{ scored_verbs('pairs_pre') }} as candidates_pre,
        {{ scored_verbs('pairs_post') }} as candidates_post,
        {{ has_bad_score('pairs_pre') }} or {{ has_bad_score('pairs_post') }} as score_out_of_range,
        nullif(trim({{ list_item(list_item('pairs_pre', 0), 0) }}), '') as first_pre_verb,
        nullif(trim({{ list_item(list_item('pairs_post', 0), 0) }}), '') as first_post_verb,
        -- The list that was actually ranked: after policy, else before it.
        coalesce(pairs_post, pairs_pre) as ranked_pairs,
        {{ semreg_mode('folded_mode', 'folded_outcome') }} as normal_semreg_mode,
        nullif(trim(chosen_verb_fqn), '') as chosen_verb,
        nullif(trim(forced_verb_fqn), '') as forced_verb
    from timed
),

ranked as (
    select
        *,
        -- Scores came from float32: six places are what they hold.
        round({{ score_of('ranked_pairs', 0) }}, 6) as top1_score,
        round({{ score_of('ranked_pairs', 1) }}, 6) as top2_score
    from scored
)

select
    ---------- ids
    {{ key_128(['record_key']) }} as event_key,
    record_key,
    content_hash,
    project_id,
    source_id,
    host_id,
    run_id,
    case
        when known_session_id is not null then {{ key_128(['project_id', 'known_session_id']) }}
    end as session_key,
    -- 128 bit of a keyed hash are enough to tell utterances apart.
    coalesce(
        {{ uuid_of('substr(trim(utterance_hash), 1, 32)') }},
        case when trim(utterance_hash) <> '' then {{ key_128(['lower(trim(utterance_hash))']) }} end
    ) as utterance_key,
    {{ event_link_keys({
        'event': 'event_id', 'run_sheet': 'run_sheet_entry_id', 'dsl': 'dsl_hash'
    }) }},
    nullif(trim(actor_hash), '') as actor_hash,
    ---------- text
    ts as ts_raw,
    {{ event_tz_kind() }} as tz_kind,
    lower(trim(entrypoint)) as entrypoint,
    outcome as outcome_raw,
    {{ intent_outcome('folded_outcome') }} as outcome,
    {{ intent_outcome_class('folded_outcome') }} as outcome_class,
    semreg_mode as semreg_mode_raw,
    normal_semreg_mode as semreg_mode,
    selection_source as selection_source_raw,
    {{ selection_source('folded_source') }} as selection_source,
    {{ intent_vocabulary('folded_outcome', 'folded_mode') }} as vocabulary,
    chosen_verb,
    forced_verb,
    coalesce(chosen_verb, first_post_verb, first_pre_verb) as subject_verb,
    case
        when chosen_verb is not null then 'chosen'
        when first_post_verb is not null then 'post'
        when first_pre_verb is not null then 'pre'
        else 'none'
    end as subject_source,
    first_pre_verb as pre_choice,
    coalesce(first_pre_verb, first_post_verb) as ranked_first_verb,
    nullif(nullif(lower(trim(subject_ref_type)), ''), 'none') as subject_ref_type,
    nullif(trim(dominant_entity_kind), '') as dominant_entity_kind,
    nullif(trim(error_code), '') as error_code,
    nullif(trim(prompt_version), '') as prompt_version,
    lower(trim(toctou_result)) as toctou_result,
    case
        when top1_score is null then 'no_score'
        when {{ comparable('top1_score') }} >= {{ var('accept') }} then 'accept'
        when {{ comparable('top1_score') }} >= {{ var('suggest') }} then 'suggest'
        else 'none'
    end as decision_band,
    flags,
    ---------- lists
    candidates_pre,
    candidates_post,
    {{ verbs_of_lists('pairs_pre', 'denied_verbs') }} as offered_verbs,
    {{ distinct_items('denied_verbs') }} as denied_verbs,
    {{ distinct_items('denied_by_macro') }} as macro_denied_verbs,
    {{ distinct_items('listed_missing_args') }} as missing_args,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    {{ item_count('pairs_pre') }} as candidate_pre_count,
    {{ item_count('pairs_post') }} as candidate_post_count,
    top1_score,
    top2_score,
    round(top1_score - top2_score, 6) as score_margin,
    {{ count_of('pruned_verbs_count') }} as pruned_verbs_count,
    {{ count_of('surface_full_count') }} as surface_full_count,
    {{ count_of('surface_pack_scoped_count') }} as surface_pack_scoped_count,
    case
        when try_cast(entity_confidence as double) between 0 and 1
            then try_cast(entity_confidence as double)
    end as entity_confidence,
    ---------- booleans
    {{ boolean_text('macro_semreg_checked') }} as macro_semreg_checked,
    {{ boolean_text('entity_kind_filtered') }} as entity_kind_filtered,
    {{ boolean_text('toctou_recheck_performed') }} as toctou_recheck_performed,
    score_out_of_range,
    {{ comparable('top1_score') }} < {{ var('accept') }} as is_low_confidence,
    -- One candidate leaves nothing to choose between; without a score nobody knows. A list that is
    -- not in the order of its scores may have a second above a low first: that is low confidence.
    case
        when top1_score is not null then coalesce(
            {{ comparable('top1_score') }} >= {{ var('accept') }}
            and {{ comparable('top2_score') }} >= {{ var('accept') }}
            and round(top1_score - top2_score, 6) < {{ var('margin') }},
            false
        )
    end as is_ambiguous,
    coalesce(forced_verb is distinct from first_pre_verb and forced_verb is not null, false)
        as is_override,
    {{ event_tz_assumed() }} as tz_assumed,
    is_local_time_ambiguous,
    {{ event_ts_suspicious() }} as ts_suspicious,
    ---------- timestamps
    occurred_at,
    {{ utc_day('occurred_at') }} as occurred_on,
    ingested_at
from ranked
