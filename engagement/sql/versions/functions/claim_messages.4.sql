-- Claims up to `most` due messages after (after_time, after_id) and returns the outcome of each: claimed, withdrawn or
-- deferred. Rows are in queue order; pass was_due to the next call as after_time.
-- transactional_types: message types without cap and quiet hours. quiet_from, quiet_to: the hours without unsolicited
-- messages, NULL for none. skip_weekends: whether these messages wait for Monday.
-- by_email: messages are sent to the member's e-mail address, not to the address of the chat.
-- Uses a generic plan, made once per connection: planning takes longer than running. Runs with the caller's privileges.
CREATE OR REPLACE FUNCTION claim_messages(
    sender text, token uuid, at timestamptz, most integer, lease interval, after_time timestamptz, after_id bigint,
    transactional_types text[], quiet_from time, quiet_to time, cap integer, period interval,
    by_email boolean, skip_weekends boolean
) RETURNS TABLE (
    outcome text, was_due text, id bigint, user_id uuid, message_type text, message_key varchar, message_params jsonb,
    destination text, destination_jid varchar, idempotency_key varchar, retry_count smallint,
    display_name varchar, email varchar, locale text
)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    -- Row locations; valid while the rows are locked.
    messages tid[];
    claimed_ids bigint[];
BEGIN
    -- One claim at a time, so that two claims never count the same member at once. A claim takes milliseconds.
    PERFORM pg_advisory_xact_lock('engagement_claims'::regclass::bigint);
    SELECT coalesce(array_agg(h.id), '{}') INTO claimed_ids FROM claimed_messages() h;
    -- Skips rows locked by other transactions. Planned on each call, because the best plan depends on how many are due.
    EXECUTE $lock$
        SELECT array_agg(l.message) FROM (
            SELECT q.ctid AS message FROM engagement_message_queue q
            WHERE q.status = 'pending' AND q.scheduled_for <= $1
                AND ($2 IS NULL OR (q.scheduled_for, q.id) > ($2, $3)) AND q.id <> ALL ($5)
            ORDER BY q.scheduled_for, q.id LIMIT $4
            FOR NO KEY UPDATE SKIP LOCKED
        ) l
    $lock$ INTO messages USING at, after_time, after_id, most, claimed_ids;
    IF messages IS NULL THEN
        RETURN;
    END IF;

    -- A separate statement, so that its snapshot includes what other transactions committed before the rows were locked.
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT q.ctid AS message, q.id, q.user_id, q.message_type, q.message_key, q.message_params, q.destination,
               q.destination_jid, q.idempotency_key, q.retry_count, q.scheduled_for,
               m.display_name, m.email, p.locale, p.timezone, coalesce(h.messages, 0) AS claimed,
               q.message_type <> ALL (transactional_types) AS unsolicited,
               engagement_block_text(engagement_block_reason(
                   message_type => q.message_type, is_transactional => q.message_type = ANY (transactional_types),
                   is_active => m.is_active, directory_status => c.status, removed_at => c.deleted_at,
                   has_opted_out => p.reengagement_opt_out, state => s.state,
                   announcement_cancelled_at => n.cancelled_at, is_suppressed => x.user_id IS NOT NULL,
                   is_muted => q.topic = ANY (p.muted_topics)
               )) AS withdrawn
        FROM unnest(messages) AS l (message)
        JOIN engagement_message_queue q ON q.ctid = l.message
        JOIN user_profiles p ON p.user_id = q.user_id
        JOIN members m ON m.id = q.user_id
        LEFT JOIN user_engagement_states s ON s.user_id = q.user_id
        LEFT JOIN community_members c ON c.person_id = q.user_id
        LEFT JOIN engagement_announcements n ON n.id = q.announcement_id
        LEFT JOIN bounced_addresses x ON x.user_id = q.user_id AND x.suppressed_at IS NOT NULL
            AND x.address = CASE WHEN by_email THEN lower(m.email) ELSE q.destination_jid END
        LEFT JOIN (SELECT h.user_id, count(*) AS messages FROM claimed_messages() h GROUP BY h.user_id) h
            ON h.user_id = q.user_id
    ), nights AS MATERIALIZED (
        SELECT z.timezone, coalesce(
                   send_not_before(at, z.timezone, quiet_from, quiet_to, skip_weekends),
                   -- A claimed message may be sent until its lease expires.
                   send_not_before(at + lease, z.timezone, quiet_from, quiet_to, skip_weekends)
               ) AS ends_at
        FROM (SELECT DISTINCT due.timezone FROM due WHERE due.unsolicited) z
    ), ranked AS (
        SELECT due.*, nights.ends_at, row_number() OVER (
                   PARTITION BY due.user_id, due.unsolicited AND due.withdrawn IS NULL AND nights.ends_at IS NULL
                   ORDER BY due.scheduled_for, due.id
               ) AS place
        FROM due LEFT JOIN nights ON nights.timezone = due.timezone AND due.unsolicited
    ), decided AS MATERIALIZED (
        SELECT ranked.*,
               withdrawn IS NULL AND ends_at IS NULL AND (
                   NOT unsolicited
                   OR place + claimed + (
                       SELECT count(*) FROM engagement_message_queue e
                       WHERE e.user_id = ranked.user_id AND e.attempted_at > at - period AND e.id <> ranked.id
                           AND e.message_type <> ALL (transactional_types) AND (e.status <> 'pending' OR e.id <> ALL (claimed_ids))
                   ) <= cap
               ) AS granted
        FROM ranked
    ), withdrawn AS (
        UPDATE engagement_message_queue q
        SET status = 'cancelled', error_message = j.withdrawn, waiting_for = ''
        FROM decided j WHERE j.withdrawn IS NOT NULL AND q.ctid = j.message
    ), deferred AS (
        UPDATE engagement_message_queue q
        SET scheduled_for = coalesce(
                j.ends_at,
                -- When enough of the sent messages are outside of the period.
                (
                    SELECT known.times[least(cardinality(known.times) + j.place - cap, cardinality(known.times))]
                    FROM (
                        SELECT array_agg(r.at ORDER BY r.at) AS times FROM (
                            SELECT e.attempted_at AS at FROM engagement_message_queue e
                            WHERE e.user_id = j.user_id AND e.attempted_at > at - period AND e.id <> j.id
                                AND e.message_type <> ALL (transactional_types) AND (e.status <> 'pending' OR e.id <> ALL (claimed_ids))
                            UNION ALL SELECT at FROM generate_series(1, j.claimed)
                        ) r
                    ) known
                ) + period + interval '1 microsecond',
                at + period + interval '1 microsecond'
            ),
            waiting_for = CASE WHEN j.ends_at IS NOT NULL THEN 'quiet_hours' ELSE 'frequency_cap' END
        FROM decided j WHERE NOT j.granted AND j.withdrawn IS NULL AND q.ctid = j.message
    ), new_claim AS (
        INSERT INTO engagement_claims (attempt_token, claimed_by, lease_expires_at, attempted_at, message_ids, user_ids)
        SELECT token, sender, clock_timestamp() + lease, at, array_agg(j.id),
               array_agg(CASE WHEN j.unsolicited THEN j.user_id END)
        FROM decided j WHERE j.granted HAVING count(*) > 0
    )
    SELECT CASE WHEN j.granted THEN 'claimed' WHEN j.withdrawn IS NOT NULL THEN 'withdrawn' ELSE 'deferred' END,
           j.scheduled_for::text, j.id, j.user_id, j.message_type, j.message_key, j.message_params, j.destination,
           j.destination_jid, j.idempotency_key, j.retry_count, j.display_name, j.email, j.locale
    FROM decided j ORDER BY j.scheduled_for, j.id;
END $$;
