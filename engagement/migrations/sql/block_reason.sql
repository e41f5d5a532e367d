-- May a member be sent a message now? One rule, asked when messages are claimed, while a batch is sent, by the sweeps, for
-- the audience of an announcement, and by the pages of the back office.

-- Returns the first reason against sending, or NULL. Both functions are expanded in the query that calls them, so they
-- cost no call per row; a caller joins the tables that know the facts.
--   is_answer: the message answers what the member did, so opting out and dormancy do not stop it.
--   directory_status, removed_at, state: NULL for a member without an entry in the directory, or without a state.
CREATE FUNCTION engagement_block_reason(
    message_type text, is_answer boolean, is_active boolean, directory_status text, removed_at timestamptz,
    has_opted_out boolean, state text, announcement_cancelled_at timestamptz
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN NOT is_active THEN 'locked'
    WHEN directory_status IN ('banned', 'suspended') THEN directory_status
    WHEN removed_at IS NOT NULL THEN 'removed'
    WHEN is_answer THEN NULL
    WHEN has_opted_out THEN 'opted_out'
    WHEN state = 'dormant' THEN 'dormant'
    WHEN message_type = 'goodbye' AND state IS DISTINCT FROM 'goodbye_sent' THEN 'returned'
    WHEN message_type = 'announcement' AND directory_status IN ('not_member', 'pending') THEN 'not_approved'
    WHEN announcement_cancelled_at IS NOT NULL THEN 'announcement_cancelled'
END;

-- A reason as a sentence, which stays with a message that is cancelled for it.
CREATE FUNCTION engagement_block_text(reason text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE reason
    WHEN 'locked' THEN 'The account is locked.'
    WHEN 'banned' THEN 'The member is banned.'
    WHEN 'suspended' THEN 'The member is suspended.'
    WHEN 'removed' THEN 'The member was removed from the directory.'
    WHEN 'opted_out' THEN 'The member has opted out.'
    WHEN 'dormant' THEN 'The member is dormant.'
    WHEN 'returned' THEN 'The member is back.'
    WHEN 'not_approved' THEN 'The member is not approved.'
    WHEN 'announcement_cancelled' THEN 'The announcement was cancelled.'
END;

-- As before, with the rule above in place of its own.
CREATE OR REPLACE FUNCTION claim_messages(
    sender text, token uuid, at timestamptz, most integer, lease interval, after_time timestamptz, after_id bigint,
    answers text[], quiet_from time, quiet_to time, budget integer, span interval
) RETURNS TABLE (
    outcome text, was_due text, id bigint, user_id uuid, message_type text, message_key varchar, message_params jsonb,
    destination text, destination_jid varchar, idempotency_key varchar, retry_count smallint,
    display_name varchar, email varchar, locale text
)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    -- Where the messages are, which no one moves as long as they are locked.
    messages tid[];
    held bigint[];
BEGIN
    -- One claim at a time: so two never count the same member at once. It takes milliseconds; what takes time is sending.
    PERFORM pg_advisory_xact_lock('engagement_claims'::regclass::bigint);
    SELECT coalesce(array_agg(h.id), '{}') INTO held FROM messages_in_hand() h;
    -- What someone is just changing is passed over. Planned each time, as the way depends on how many are due.
    EXECUTE $lock$
        SELECT array_agg(l.message) FROM (
            SELECT q.ctid AS message FROM engagement_message_queue q
            WHERE q.status = 'pending' AND q.scheduled_for <= $1
                AND ($2 IS NULL OR (q.scheduled_for, q.id) > ($2, $3)) AND q.id <> ALL ($5)
            ORDER BY q.scheduled_for, q.id LIMIT $4
            FOR NO KEY UPDATE SKIP LOCKED
        ) l
    $lock$ INTO messages USING at, after_time, after_id, most, held;
    IF messages IS NULL THEN
        RETURN;
    END IF;

    -- A statement of its own: it sees what others committed before the locks were had.
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT q.ctid AS message, q.id, q.user_id, q.message_type, q.message_key, q.message_params, q.destination,
               q.destination_jid, q.idempotency_key, q.retry_count, q.scheduled_for,
               m.display_name, m.email, p.locale, p.timezone, coalesce(h.messages, 0) AS in_hand,
               q.message_type <> ALL (answers) AS unasked,
               engagement_block_text(engagement_block_reason(
                   message_type => q.message_type, is_answer => q.message_type = ANY (answers),
                   is_active => m.is_active, directory_status => c.status, removed_at => c.deleted_at,
                   has_opted_out => p.reengagement_opt_out, state => s.state,
                   announcement_cancelled_at => n.cancelled_at
               )) AS withdrawn
        FROM unnest(messages) AS l (message)
        JOIN engagement_message_queue q ON q.ctid = l.message
        JOIN user_profiles p ON p.user_id = q.user_id
        JOIN members m ON m.id = q.user_id
        LEFT JOIN user_engagement_states s ON s.user_id = q.user_id
        LEFT JOIN community_members c ON c.person_id = q.user_id
        LEFT JOIN engagement_announcements n ON n.id = q.announcement_id
        LEFT JOIN (SELECT h.user_id, count(*) AS messages FROM messages_in_hand() h GROUP BY h.user_id) h
            ON h.user_id = q.user_id
    ), nights AS MATERIALIZED (
        SELECT z.timezone, coalesce(
                   quiet_until(at, z.timezone, quiet_from, quiet_to),
                   -- What is claimed may be sent as late as the lease allows.
                   quiet_until(at + lease, z.timezone, quiet_from, quiet_to)
               ) AS ends_at
        FROM (SELECT DISTINCT due.timezone FROM due WHERE due.unasked) z
    ), ranked AS (
        SELECT due.*, nights.ends_at, row_number() OVER (
                   PARTITION BY due.user_id, due.unasked AND due.withdrawn IS NULL AND nights.ends_at IS NULL
                   ORDER BY due.scheduled_for, due.id
               ) AS place
        FROM due LEFT JOIN nights ON nights.timezone = due.timezone AND due.unasked
    ), judged AS MATERIALIZED (
        SELECT ranked.*,
               withdrawn IS NULL AND ends_at IS NULL AND (
                   NOT unasked
                   OR place + in_hand + (
                       SELECT count(*) FROM engagement_message_queue e
                       WHERE e.user_id = ranked.user_id AND e.attempted_at > at - span AND e.id <> ranked.id
                           AND e.message_type <> ALL (answers) AND (e.status <> 'pending' OR e.id <> ALL (held))
                   ) <= budget
               ) AS granted
        FROM ranked
    ), withdrawn AS (
        UPDATE engagement_message_queue q
        SET status = 'cancelled', error_message = j.withdrawn, waiting_for = ''
        FROM judged j WHERE j.withdrawn IS NOT NULL AND q.ctid = j.message
    ), deferred AS (
        UPDATE engagement_message_queue q
        SET scheduled_for = coalesce(
                j.ends_at,
                -- When enough of what was sent is old enough.
                (
                    SELECT known.times[least(cardinality(known.times) + j.place - budget, cardinality(known.times))]
                    FROM (
                        SELECT array_agg(r.at ORDER BY r.at) AS times FROM (
                            SELECT e.attempted_at AS at FROM engagement_message_queue e
                            WHERE e.user_id = j.user_id AND e.attempted_at > at - span AND e.id <> j.id
                                AND e.message_type <> ALL (answers) AND (e.status <> 'pending' OR e.id <> ALL (held))
                            UNION ALL SELECT at FROM generate_series(1, j.in_hand)
                        ) r
                    ) known
                ) + span + interval '1 microsecond',
                at + span + interval '1 microsecond'
            ),
            waiting_for = CASE WHEN j.ends_at IS NOT NULL THEN 'quiet_hours' ELSE 'attention_budget' END
        FROM judged j WHERE NOT j.granted AND j.withdrawn IS NULL AND q.ctid = j.message
    ), held AS (
        INSERT INTO engagement_claims (attempt_token, claimed_by, lease_expires_at, attempted_at, message_ids, user_ids)
        SELECT token, sender, clock_timestamp() + lease, at, array_agg(j.id),
               array_agg(CASE WHEN j.unasked THEN j.user_id END)
        FROM judged j WHERE j.granted HAVING count(*) > 0
    )
    SELECT CASE WHEN j.granted THEN 'claimed' WHEN j.withdrawn IS NOT NULL THEN 'withdrawn' ELSE 'deferred' END,
           j.scheduled_for::text, j.id, j.user_id, j.message_type, j.message_key, j.message_params, j.destination,
           j.destination_jid, j.idempotency_key, j.retry_count, j.display_name, j.email, j.locale
    FROM judged j ORDER BY j.scheduled_for, j.id;
END $$;

-- One more type of message that answers what a member did.
CREATE OR REPLACE FUNCTION attention_over_budget(budget integer, span interval)
RETURNS TABLE (user_id uuid, ends_at timestamptz, messages bigint)
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    SELECT user_id, sent_at, messages
    FROM (
        SELECT q.user_id, q.sent_at,
               count(*) OVER (PARTITION BY q.user_id ORDER BY q.sent_at RANGE BETWEEN span PRECEDING AND CURRENT ROW)
        FROM engagement_message_queue q
        WHERE q.sent_at IS NOT NULL AND q.message_type NOT IN ('welcome', 'help_restart', 'opt_out_confirmation')
    ) AS windows (user_id, sent_at, messages)
    WHERE messages > budget
$$;
