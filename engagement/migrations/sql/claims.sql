-- Returns the claimed messages; user_id is NULL for a transactional message, which does not count towards the cap.
-- ROWS 5000 makes the planner use a hash join; a nested loop over a batch would take longer than sending it.
CREATE FUNCTION claimed_messages() RETURNS TABLE (id bigint, user_id uuid, attempt_token uuid)
LANGUAGE plpgsql STABLE ROWS 5000
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT m.id, m.user_id, k.attempt_token
        FROM engagement_claims k CROSS JOIN unnest(k.message_ids, k.user_ids) AS m (id, user_id);
END $$;

ALTER TABLE engagement_claims ADD CONSTRAINT engagement_claims_lengths_match
    CHECK (cardinality(message_ids) = cardinality(user_ids));
-- IDs do not compress; EXTERNAL saves the attempt.
ALTER TABLE engagement_claims ALTER message_ids SET STORAGE EXTERNAL, ALTER user_ids SET STORAGE EXTERNAL;

-- Rejects a claim that contains a message of another claim.
CREATE FUNCTION reject_double_claim() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_nestloop = off
AS $$
DECLARE
    claimed_id bigint;
BEGIN
    PERFORM pg_advisory_xact_lock('engagement_claims'::regclass::bigint);
    IF NOT EXISTS (SELECT FROM engagement_claims WHERE attempt_token <> NEW.attempt_token) THEN
        RETURN NULL;
    END IF;
    SELECT n.id INTO claimed_id FROM unnest(NEW.message_ids) AS n (id)
    JOIN claimed_messages() h ON h.id = n.id AND h.attempt_token <> NEW.attempt_token LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'message % is already claimed', claimed_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'engagement_claims_exclusive';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER engagement_claims_exclusive AFTER INSERT ON engagement_claims
    FOR EACH ROW EXECUTE FUNCTION reject_double_claim();

-- claim_messages and mark_messages_sent use generic plans, made once per connection: planning them takes longer than
-- running them. Both run with the privileges of the caller.

-- Claims up to `most` due messages after (after_time, after_id) and returns the outcome of each: claimed, withdrawn or
-- deferred. Rows are in queue order; pass was_due to the next call as after_time.
-- transactional_types: message types without cap and quiet hours. quiet_from, quiet_to: NULL for no quiet hours.
CREATE FUNCTION claim_messages(
    sender text, token uuid, at timestamptz, most integer, lease interval, after_time timestamptz, after_id bigint,
    transactional_types text[], quiet_from time, quiet_to time, cap integer, period interval
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
               CASE
                   WHEN NOT m.is_active THEN 'The account is locked.'
                   WHEN q.message_type = ANY (transactional_types) THEN NULL
                   WHEN p.reengagement_opt_out THEN 'The member has opted out.'
                   WHEN s.state = 'dormant' THEN 'The member is dormant.'
                   WHEN c.status IN ('suspended', 'banned') THEN 'The member is ' || c.status || '.'
                   WHEN q.message_type = 'goodbye' AND s.state IS DISTINCT FROM 'goodbye_sent'
                       THEN 'The member is active again.'
                   WHEN n.cancelled_at IS NOT NULL THEN 'The announcement was cancelled.'
               END AS withdrawn
        FROM unnest(messages) AS l (message)
        JOIN engagement_message_queue q ON q.ctid = l.message
        JOIN user_profiles p ON p.user_id = q.user_id
        JOIN members m ON m.id = q.user_id
        LEFT JOIN user_engagement_states s ON s.user_id = q.user_id
        LEFT JOIN community_members c ON c.person_id = q.user_id
        LEFT JOIN engagement_announcements n ON n.id = q.announcement_id
        LEFT JOIN (SELECT h.user_id, count(*) AS messages FROM claimed_messages() h GROUP BY h.user_id) h
            ON h.user_id = q.user_id
    ), nights AS MATERIALIZED (
        SELECT z.timezone, coalesce(
                   quiet_until(at, z.timezone, quiet_from, quiet_to),
                   -- A claimed message may be sent until its lease expires.
                   quiet_until(at + lease, z.timezone, quiet_from, quiet_to)
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

-- Removes messages from a claim and returns those that were still in it; a sender whose lease expired gets none. Deletes
-- the claim with its last message. Only this function can change a claim; no function adds messages to one.
CREATE FUNCTION release_claim(token uuid, ids bigint[]) RETURNS TABLE (id bigint, attempted_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER ROWS 500
SET search_path = public, pg_temp SET enable_nestloop = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    claim engagement_claims;
    left_ids bigint[];
    left_users uuid[];
BEGIN
    SELECT * INTO claim FROM engagement_claims WHERE attempt_token = token FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT array_agg(m.id), array_agg(m.user_id) INTO left_ids, left_users
    FROM unnest(claim.message_ids, claim.user_ids) AS m (id, user_id)
    WHERE NOT EXISTS (SELECT FROM unnest(ids) AS gone (id) WHERE gone.id = m.id);
    IF left_ids IS NULL THEN
        DELETE FROM engagement_claims WHERE attempt_token = token;
    ELSE
        UPDATE engagement_claims SET message_ids = left_ids, user_ids = left_users WHERE attempt_token = token;
    END IF;
    RETURN QUERY SELECT m.id, claim.attempted_at FROM unnest(claim.message_ids) AS m (id)
        JOIN unnest(ids) AS gone (id) ON gone.id = m.id;
END $$;
REVOKE EXECUTE ON FUNCTION release_claim(uuid, bigint[]) FROM PUBLIC;

-- Marks messages as sent; returns how many were still claimed by this attempt and not cancelled. provider_ids may be
-- empty. IS NOT DISTINCT FROM keeps the planner from scanning the index of all pending messages.
CREATE FUNCTION mark_messages_sent(token uuid, ids bigint[], times timestamptz[], provider_ids text[]) RETURNS integer
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
DECLARE
    marked integer;
BEGIN
    UPDATE engagement_message_queue q
    SET status = 'sent', sent_at = d.sent_at, provider_message_id = coalesce(d.provider_id, ''), error_message = '',
        waiting_for = '', attempted_at = g.attempted_at
    FROM release_claim(token, ids) AS g JOIN unnest(ids, times, provider_ids) AS d (id, sent_at, provider_id) ON d.id = g.id
    WHERE q.id = g.id AND q.status IS NOT DISTINCT FROM 'pending';
    GET DIAGNOSTICS marked = ROW_COUNT;
    RETURN marked;
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') THEN
        GRANT EXECUTE ON FUNCTION release_claim(uuid, bigint[]) TO missionsite_app;
        IF current_user <> 'missionsite_app' THEN
            REVOKE UPDATE ON engagement_claims FROM missionsite_app;
        END IF;
    END IF;
END $$;

-- The status rules as AFTER triggers: a BEFORE trigger would lock each updated row first.
DROP TRIGGER engagement_message_queue_moves ON engagement_message_queue;
CREATE TRIGGER engagement_message_queue_moves AFTER UPDATE OF status ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'sent'), ('pending', 'failed'), ('pending', 'cancelled'),
        ('failed', 'pending'), ('failed', 'cancelled'), ('sent', 'failed')
    ))
    EXECUTE FUNCTION reject_message_move();
DROP TRIGGER engagement_message_queue_immutable ON engagement_message_queue;
CREATE TRIGGER engagement_message_queue_immutable
    AFTER UPDATE OF idempotency_key, user_id, message_type, id ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.idempotency_key <> NEW.idempotency_key OR OLD.user_id <> NEW.user_id
        OR OLD.message_type <> NEW.message_type OR OLD.id <> NEW.id)
    EXECUTE FUNCTION reject_message_change();

-- Claiming does not update messages, so their pages need no free space.
ALTER TABLE engagement_message_queue SET (fillfactor = 100);

-- Creates the profile of each new member.
CREATE OR REPLACE FUNCTION create_member_profiles() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO user_profiles (user_id) SELECT id FROM new_rows;
    RETURN NULL;
END $$;

-- Updates the destination of pending messages when a profile changes. Claimed messages keep theirs; the rows are locked
-- first, so that a concurrent claim is seen.
CREATE OR REPLACE FUNCTION redirect_pending_messages() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM 1 FROM engagement_message_queue
    WHERE user_id = NEW.user_id AND status IN ('pending', 'failed') AND id NOT IN (SELECT h.id FROM claimed_messages() h)
    FOR NO KEY UPDATE;
    UPDATE engagement_message_queue
    SET destination = NEW.preferred_destination,
        destination_jid = CASE NEW.preferred_destination WHEN 'group' THEN NEW.group_jid ELSE NEW.individual_jid END
    WHERE user_id = NEW.user_id AND status IN ('pending', 'failed')
        AND id NOT IN (SELECT h.id FROM claimed_messages() h);
    RETURN NULL;
END $$;

-- Cancels the unsent messages of a cancelled announcement and returns their number. Skips claimed and locked messages
-- instead of waiting: their sender cancels them.
CREATE FUNCTION cancel_announcement_messages(announcement bigint, reason text) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    free bigint[];
    withdrawn integer;
BEGIN
    SELECT array_agg(l.id) INTO free FROM (
        SELECT q.id FROM engagement_message_queue q
        WHERE q.announcement_id = announcement AND q.status IN ('pending', 'failed')
        FOR NO KEY UPDATE SKIP LOCKED
    ) l;
    UPDATE engagement_message_queue q SET status = 'cancelled', error_message = reason
    WHERE q.id = ANY (free) AND q.id NOT IN (SELECT h.id FROM claimed_messages() h);
    GET DIAGNOSTICS withdrawn = ROW_COUNT;
    RETURN withdrawn;
END $$;

-- Erases the engagement data of a person whose directory entry is erased, and cancels their unsent messages.
CREATE OR REPLACE FUNCTION erase_person_in_engagement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE engagement_message_queue SET status = 'cancelled', error_message = 'Erased'
    WHERE user_id = NEW.person_id AND status IN ('pending', 'failed');
    UPDATE engagement_message_queue
    SET message_params = '{}', destination_jid = '', provider_message_id = '',
        error_message = CASE WHEN error_message = '' THEN '' ELSE 'Erased' END
    WHERE user_id = NEW.person_id;
    UPDATE user_profiles SET individual_jid = '', group_jid = '', reengagement_opt_out = true
    WHERE user_id = NEW.person_id;
    UPDATE user_profiles_history SET individual_jid = '', group_jid = '' WHERE user_id = NEW.person_id;
    DELETE FROM engagement_inbound_messages WHERE user_id = NEW.person_id;
    RETURN NULL;
END $$;
