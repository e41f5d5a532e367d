-- Records that the budget of a mission is nearly used (80 %) or exceeded: once for each budget. Only costs in the currency
-- of the mission count; exactly the budget is not over it.
CREATE OR REPLACE FUNCTION record_deck_budget_notice() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO deck_notices (mission_id, kind, subject, payload)
    SELECT m.id, CASE WHEN c.used > m.budget * 100::bigint THEN 'budget.over' ELSE 'budget.near' END,
        m.currency || ' ' || m.budget, jsonb_build_object('percent', c.used * 100 / (m.budget * 100::bigint))
    FROM deck_missions m, LATERAL (
        SELECT coalesce(sum(amount_cents), 0)::bigint AS used FROM deck_costs
        WHERE mission_id = m.id AND currency = m.currency AND removed_at IS NULL
    ) c
    WHERE m.id = CASE TG_TABLE_NAME WHEN 'deck_costs' THEN (to_jsonb(NEW)->>'mission_id')::uuid ELSE NEW.id END
        AND c.used * 100 >= m.budget * 100::bigint * 80
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION record_deck_budget_notice() FROM PUBLIC;
