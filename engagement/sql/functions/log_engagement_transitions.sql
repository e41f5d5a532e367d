-- Logs the state changes of a statement. The setting engagement.trigger names the trigger, engagement.actor the actor
-- (a member's ID, or 'own': each member is the actor of their own transition; without it, the actor of the audit
-- context), engagement.metadata adds to the metadata. All last for the transaction. The CHECK of the log rejects a pair
-- that is not one of the ten. engagement.return_after replaces the default of ENGAGEMENT_RETURN_AFTER; a test compares
-- the two.
-- enable_nestloop = off: with a nested loop, a statement over 100,000 rows would compare each row with all others.
CREATE OR REPLACE FUNCTION log_engagement_transitions() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_nestloop = off
AS $$
DECLARE
    trigger_name CONSTANT text := nullif(current_setting('engagement.trigger', true), '');
    named CONSTANT text := nullif(current_setting('engagement.actor', true), '');
    actor CONSTANT uuid := CASE WHEN named = 'own' THEN NULL ELSE coalesce(named::uuid, audit_actor_id()) END;
    more CONSTANT jsonb := coalesce(nullif(current_setting('engagement.metadata', true), '')::jsonb, '{}');
    at CONSTANT timestamptz := engagement_now();
    return_after CONSTANT interval :=
        coalesce(nullif(current_setting('engagement.return_after', true), '')::interval, interval '3 days');
    answer CONSTANT text := CASE trigger_name
        WHEN 'goodbye_response_1' THEN 'confused' WHEN 'goodbye_response_2' THEN 'busy'
        WHEN 'goodbye_response_3' THEN 'all_good' WHEN 'goodbye_timeout' THEN 'timeout' END;
BEGIN
    IF trigger_name IS NULL THEN
        IF EXISTS (SELECT FROM old_rows o JOIN new_rows n USING (id) WHERE o.state <> n.state) THEN
            RAISE EXCEPTION 'a state change needs the setting engagement.trigger'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'user_engagement_states_trigger_required';
        END IF;
        RETURN NULL;
    END IF;
    INSERT INTO engagement_state_transitions (user_id, from_state, to_state, trigger, metadata, created_at, actor_id)
    SELECT n.user_id, o.state, n.state, trigger_name,
           jsonb_strip_nulls(jsonb_build_object(
               'days_inactive',
               greatest(0, floor(extract(epoch FROM at - coalesce(o.last_activity_at, o.created_at)) / 86400))::integer,
               'response_type', answer,
               'unprompted_return',
               CASE WHEN o.state = 'dormant' AND at - coalesce(o.last_activity_at, o.created_at) >= return_after
                   THEN true END
           )) || more,
           at, CASE WHEN named = 'own' THEN n.user_id ELSE actor END
    FROM old_rows o JOIN new_rows n USING (id)
    WHERE o.state <> n.state;
    RETURN NULL;
END $$;
