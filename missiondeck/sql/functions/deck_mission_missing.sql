-- What is missing to complete a mission: a list of {"what", "count", …}. See deck_missing_of().
CREATE OR REPLACE FUNCTION deck_mission_missing(of_mission uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SET search_path = public, pg_temp
AS $$
    SELECT deck_missing_of(of_mission, deck_gate(of_mission))
$$;
