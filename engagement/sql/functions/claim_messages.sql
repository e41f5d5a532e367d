-- Claims up to `most` due messages after (after_time, after_id) and returns the outcome of each: claimed, withdrawn or
-- deferred. Rows are in queue order; pass was_due to the next call as after_time. With channels a last row, `skipped`, has
-- the end of the messages that were looked at.
-- transactional_types: message types without cap and quiet hours. quiet_from, quiet_to: the hours without unsolicited
-- messages, NULL for none. skip_weekends: whether these messages wait for Monday.
-- via, site_channels: the channel of this sender, and those of the site in its order; only messages that go by this one are
-- claimed. NULL if the site has one transport: then by_email is whether messages are sent to the member's e-mail address,
-- and not to the address of the chat.
-- Why not a plain loop of two statements that leases each row: a claim writes one row for a batch and no row version of a
-- message, and a plain loop with the same checks and lock claims 9,759 messages a second with one sender and 14,115 with
-- two; this function, before channels, 12,217 and 23,152 (29 November 2026, 50,000 due of 1,000,000 messages, batches of 500).
-- Uses a generic plan, made once per connection: planning takes longer than running. Runs with the caller's privileges.
CREATE OR REPLACE FUNCTION claim_messages(
    sender text, token uuid, at timestamptz, most integer, lease interval, after_time timestamptz, after_id bigint,
    transactional_types text[], quiet_from time, quiet_to time, cap integer, period interval,
    by_email boolean, skip_weekends boolean, via text, site_channels text[]
) RETURNS TABLE (
    outcome text, was_due text, id bigint, user_id uuid, message_type text, message_key varchar, message_params jsonb,
    destination text, destination_jid varchar, idempotency_key varchar, retry_count smallint,
    display_name varchar, email varchar, locale text, has_fallback boolean
)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    -- Row locations; valid while the rows are locked.
    messages tid[];
    claimed_ids bigint[];
    -- With channels: the messages of this one among those that were looked at, and the last of these.
    wanted_ids bigint[];
    window_id bigint;
    window_ends_at timestamptz;
    has_more boolean;
BEGIN
    -- One claim at a time, so that two claims never count the same member at once. A claim takes milliseconds.
    PERFORM pg_advisory_xact_lock('engagement_claims'::regclass::bigint);
    SELECT coalesce(array_agg(h.id), '{}') INTO claimed_ids FROM claimed_messages() h;
    -- Skips rows locked by other transactions. Planned on each call, because the best plan depends on how many are due.
    IF via IS NULL THEN
        EXECUTE $lock$
            SELECT array_agg(l.message) FROM (
                SELECT q.ctid AS message FROM engagement_message_queue q
                WHERE q.status = 'pending' AND q.scheduled_for <= $1
                    AND ($2 IS NULL OR (q.scheduled_for, q.id) > ($2, $3)) AND q.id <> ALL ($5)
                ORDER BY q.scheduled_for, q.id LIMIT $4
                FOR NO KEY UPDATE SKIP LOCKED
            ) l
        $lock$ INTO messages USING at, after_time, after_id, most, claimed_ids;
    ELSE
        -- Looks at so many messages at most, so that a backlog of another channel does not make a claim slow.
        EXECUTE $window$
            WITH window_of AS MATERIALIZED (
                SELECT q.id, q.scheduled_for, q.user_id, q.destination, q.destination_jid,
                       CASE WHEN q.attempted_at IS NULL THEN '' ELSE q.channel END AS tried
                FROM engagement_message_queue q
                WHERE q.status = 'pending' AND q.scheduled_for <= $1
                    AND ($2 IS NULL OR (q.scheduled_for, q.id) > ($2, $3)) AND q.id <> ALL ($5)
                ORDER BY q.scheduled_for, q.id LIMIT 20 * $4
            ), routed AS (
                -- One that no channel reaches is cancelled by any sender.
                SELECT w.id, w.scheduled_for, coalesce((
                    SELECT r.channel FROM message_routes(w.user_id, w.destination, w.destination_jid, w.tried, $7) r
                    ORDER BY r.place LIMIT 1
                ), $6) = $6 AS is_wanted
                FROM window_of w
            )
            SELECT array_agg(id ORDER BY scheduled_for, id) FILTER (WHERE is_wanted),
                   (array_agg(id ORDER BY scheduled_for DESC, id DESC))[1], max(scheduled_for)
            FROM routed
        $window$ INTO wanted_ids, window_id, window_ends_at
            USING at, after_time, after_id, most, claimed_ids, via, site_channels;
        has_more := cardinality(wanted_ids) > most;
        SELECT array_agg(l.message) INTO messages FROM (
            SELECT q.ctid AS message FROM engagement_message_queue q
            WHERE q.id = ANY (wanted_ids[:most]) AND q.status = 'pending' AND q.scheduled_for <= at
            FOR NO KEY UPDATE SKIP LOCKED
        ) l;
    END IF;
    IF messages IS NULL AND window_id IS NULL THEN
        RETURN;
    END IF;

    -- A separate statement, so that its snapshot includes what other transactions committed before the rows were locked.
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT q.ctid AS message, q.id, q.user_id, q.message_type, q.message_key, q.message_params, q.destination,
               CASE WHEN via IS NULL THEN q.destination_jid WHEN via = 'email' THEN '' ELSE r.address END
                   AS destination_jid,
               CASE WHEN via = 'email' THEN r.address ELSE m.email END AS email, r.has_fallback,
               q.idempotency_key, q.retry_count, q.scheduled_for, m.display_name, p.locale, p.timezone, coalesce(h.messages, 0) AS claimed,
               q.message_type <> ALL (transactional_types) AS unsolicited,
               engagement_block_text(engagement_block_reason(
                   message_type => q.message_type, is_transactional => q.message_type = ANY (transactional_types),
                   is_active => m.is_active, directory_status => c.status, removed_at => c.deleted_at,
                   has_opted_out => p.reengagement_opt_out, state => s.state,
                   announcement_cancelled_at => n.cancelled_at, is_suppressed => x.user_id IS NOT NULL,
                   is_muted => q.topic = ANY (p.muted_topics), is_unreachable => via IS NOT NULL AND r.channel IS NULL
               )) AS withdrawn
        FROM unnest(messages) AS l (message)
        JOIN engagement_message_queue q ON q.ctid = l.message
        JOIN user_profiles p ON p.user_id = q.user_id
        JOIN members m ON m.id = q.user_id
        LEFT JOIN user_engagement_states s ON s.user_id = q.user_id
        LEFT JOIN community_members c ON c.person_id = q.user_id
        LEFT JOIN engagement_announcements n ON n.id = q.announcement_id
        LEFT JOIN bounced_addresses x ON via IS NULL AND x.user_id = q.user_id AND x.suppressed_at IS NOT NULL
            AND x.address = CASE WHEN by_email THEN lower(m.email) ELSE q.destination_jid END
        LEFT JOIN LATERAL (
            SELECT o.channel, o.address::varchar, q.attempted_at IS NULL AND count(*) OVER () > 1 AS has_fallback
            FROM message_routes(
                q.user_id, q.destination, q.destination_jid,
                CASE WHEN q.attempted_at IS NULL THEN '' ELSE q.channel END, site_channels
            ) o
            WHERE via IS NOT NULL ORDER BY o.place LIMIT 1
        ) r ON true
        LEFT JOIN (SELECT h.user_id, count(*) AS messages FROM claimed_messages() h GROUP BY h.user_id) h
            ON h.user_id = q.user_id
        -- Its channel may have changed since it was locked.
        WHERE via IS NULL OR coalesce(r.channel, via) = via
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
        INSERT INTO engagement_claims
            (attempt_token, claimed_by, lease_expires_at, attempted_at, message_ids, user_ids, channel)
        SELECT token, sender, clock_timestamp() + lease, at, array_agg(j.id),
               array_agg(CASE WHEN j.unsolicited THEN j.user_id END), coalesce(via, '')
        FROM decided j WHERE j.granted HAVING count(*) > 0
    )
    SELECT CASE WHEN j.granted THEN 'claimed' WHEN j.withdrawn IS NOT NULL THEN 'withdrawn' ELSE 'deferred' END,
           j.scheduled_for::text, j.id, j.user_id, j.message_type, j.message_key, j.message_params, j.destination,
           j.destination_jid, j.idempotency_key, j.retry_count, j.display_name, j.email, j.locale,
           coalesce(j.has_fallback, false)
    FROM decided j ORDER BY j.scheduled_for, j.id;
    IF window_id IS NOT NULL AND has_more IS NOT TRUE THEN
        outcome := 'skipped';
        was_due := window_ends_at::text;
        id := window_id;
        RETURN NEXT;
    END IF;
END $$;
