-- Returns the members who were sent more unsolicited messages than the cap in some period of this length. Always empty;
-- tests use it to prove the frequency cap from the sent messages.
CREATE OR REPLACE FUNCTION members_over_frequency_cap(cap integer, period interval)
RETURNS TABLE (user_id uuid, ends_at timestamptz, messages bigint)
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    SELECT user_id, sent_at, messages
    FROM (
        SELECT q.user_id, q.sent_at,
               count(*) OVER (PARTITION BY q.user_id ORDER BY q.sent_at RANGE BETWEEN period PRECEDING AND CURRENT ROW)
        FROM engagement_message_queue q
        WHERE q.sent_at IS NOT NULL AND q.message_type NOT IN (
            'welcome', 'help_restart', 'opt_out_confirmation', 'clarification', 'test'
        )
    ) AS windows (user_id, sent_at, messages)
    WHERE messages > cap
$$;
