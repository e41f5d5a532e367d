-- A sender's two big statements, with plans that a connection makes once: planned anew each time they take longer to
-- plan than to run. Both act with the rights of their caller.

-- Takes up to `most` messages that are due, behind (after_time, after_id) in their order, and says of each what became
-- of it: claimed, withdrawn or deferred. Rows come in the order of the queue; was_due is to be given to the next claim.
-- answers: message types that neither count nor wait. quiet_from, quiet_to: NULL where there is no night.
CREATE FUNCTION claim_messages(
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
    -- Where the rows are, which nobody moves as long as they are locked.
    messages tid[];
    attentions tid[];
BEGIN
    -- The messages, and the attention rows of their members: so two senders never count the same member at once. Planned
    -- each time, as the way depends on how many are due.
    EXECUTE $lock$
        SELECT array_agg(l.message), array_agg(l.attention) FROM (
            SELECT q.ctid AS message, a.ctid AS attention
            FROM engagement_message_queue q JOIN engagement_attention a ON a.user_id = q.user_id
            WHERE q.status = 'pending' AND q.attempt_token IS NULL AND q.scheduled_for <= $1
                AND ($2 IS NULL OR (q.scheduled_for, q.id) > ($2, $3))
            ORDER BY q.scheduled_for, q.id LIMIT $4
            FOR NO KEY UPDATE OF q, a SKIP LOCKED
        ) l
    $lock$ INTO messages, attentions USING at, after_time, after_id, most;
    IF messages IS NULL THEN
        RETURN;
    END IF;

    -- A statement of its own: it sees what others committed before the locks were had.
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT l.message, l.attention, q.id, q.user_id, q.message_type, q.message_key, q.message_params, q.destination, q.destination_jid,
               q.idempotency_key, q.retry_count, q.scheduled_for, q.attempted_at,
               m.display_name, m.email, p.locale, p.timezone, a.recent,
               q.message_type <> ALL (answers) AS unasked,
               CASE
                   WHEN NOT m.is_active THEN 'The account is locked.'
                   WHEN q.message_type = ANY (answers) THEN NULL
                   WHEN p.reengagement_opt_out THEN 'The member has opted out.'
                   WHEN s.state = 'dormant' THEN 'The member is dormant.'
                   WHEN c.status IN ('suspended', 'banned') THEN 'The member is ' || c.status || '.'
                   WHEN q.message_type = 'goodbye' AND s.state IS DISTINCT FROM 'goodbye_sent'
                       THEN 'The member is back.'
                   WHEN n.cancelled_at IS NOT NULL THEN 'The announcement was cancelled.'
               END AS withdrawn
        FROM unnest(messages, attentions) AS l (message, attention)
        JOIN engagement_message_queue q ON q.ctid = l.message
        JOIN engagement_attention a ON a.ctid = l.attention
        JOIN user_profiles p ON p.user_id = q.user_id
        JOIN members m ON m.id = q.user_id
        LEFT JOIN user_engagement_states s ON s.user_id = q.user_id
        LEFT JOIN community_members c ON c.person_id = q.user_id
        LEFT JOIN engagement_announcements n ON n.id = q.announcement_id
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
                   -- Most lists are so short that nobody has to ask how old their entries are.
                   OR cardinality(recent) + place <= budget
                   OR place + (
                       SELECT count(*) FROM unnest(recent) r WHERE r > at - span AND r IS DISTINCT FROM attempted_at
                   ) <= budget
               ) AS granted,
               -- Attempts of one member in one batch differ by a microsecond, so that each can be taken back.
               at + (place - 1) * interval '1 microsecond' AS begins
        FROM ranked
    ), claimed AS (
        UPDATE engagement_message_queue q
        SET claimed_by = sender, lease_expires_at = clock_timestamp() + lease, attempt_token = token,
            attempted_at = j.begins, waiting_for = ''
        FROM judged j WHERE j.granted AND q.ctid = j.message
    ), remembered AS (
        UPDATE engagement_attention a
        SET recent = CASE
                WHEN g.before = '{}' AND cardinality(a.recent) < budget THEN a.recent
                ELSE ARRAY(SELECT r FROM unnest(a.recent) r WHERE r > at - span AND r <> ALL (g.before))
            END || g.begins
        FROM (
            SELECT j.attention, array_agg(j.begins) AS begins,
                   array_remove(array_agg(j.attempted_at), NULL) AS before
            FROM judged j WHERE j.granted AND j.unasked GROUP BY j.attention
        ) g
        WHERE a.ctid = g.attention
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
                        SELECT array_agg(r ORDER BY r) AS times FROM unnest(j.recent) r
                        WHERE r > at - span AND r IS DISTINCT FROM j.attempted_at
                    ) known
                ) + span + interval '1 microsecond',
                at + span + interval '1 microsecond'
            ),
            waiting_for = CASE WHEN j.ends_at IS NOT NULL THEN 'quiet_hours' ELSE 'attention_budget' END
        FROM judged j WHERE NOT j.granted AND j.withdrawn IS NULL AND q.ctid = j.message
    ), held AS (
        INSERT INTO engagement_claims (attempt_token, claimed_by, lease_expires_at, message_ids)
        SELECT token, sender, clock_timestamp() + lease, array_agg(j.id)
        FROM judged j WHERE j.granted HAVING count(*) > 0
    )
    SELECT CASE WHEN j.granted THEN 'claimed' WHEN j.withdrawn IS NOT NULL THEN 'withdrawn' ELSE 'deferred' END,
           j.scheduled_for::text, j.id, j.user_id, j.message_type, j.message_key, j.message_params, j.destination,
           j.destination_jid, j.idempotency_key, j.retry_count, j.display_name, j.email, j.locale
    FROM judged j ORDER BY j.scheduled_for, j.id;
END $$;

-- Notes what was sent; returns how many messages were still this attempt's. provider_ids: may be empty. By the key and the token alone: asked for
-- more, PostgreSQL reads whole indexes.
CREATE FUNCTION mark_messages_sent(token uuid, ids bigint[], times timestamptz[], provider_ids text[]) RETURNS integer
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
DECLARE
    marked integer;
BEGIN
    UPDATE engagement_message_queue q
    SET status = 'sent', sent_at = d.sent_at, provider_message_id = coalesce(d.provider_id, ''), error_message = '',
        claimed_by = '', lease_expires_at = NULL, attempt_token = NULL
    FROM unnest(ids, times, provider_ids) AS d (id, sent_at, provider_id)
    WHERE q.id = d.id AND q.attempt_token = token;
    GET DIAGNOSTICS marked = ROW_COUNT;
    RETURN marked;
END $$;

-- The rules of moves once more, after the row: before it, each row that is updated is locked first, also by a claim
-- that moves nothing.
DROP TRIGGER engagement_message_queue_moves ON engagement_message_queue;
CREATE TRIGGER engagement_message_queue_moves AFTER UPDATE OF status ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'sent'), ('pending', 'failed'), ('pending', 'cancelled'),
        ('failed', 'pending'), ('failed', 'cancelled'), ('sent', 'failed')
    ))
    EXECUTE FUNCTION refuse_message_move();
DROP TRIGGER engagement_message_queue_stays ON engagement_message_queue;
CREATE TRIGGER engagement_message_queue_stays
    AFTER UPDATE OF idempotency_key, user_id, message_type, id ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.idempotency_key <> NEW.idempotency_key OR OLD.user_id <> NEW.user_id
        OR OLD.message_type <> NEW.message_type OR OLD.id <> NEW.id)
    EXECUTE FUNCTION refuse_change_of_message();

-- Each row of a page finds room on it for what a claim writes, and that is longer.
ALTER TABLE engagement_message_queue SET (fillfactor = 45);
