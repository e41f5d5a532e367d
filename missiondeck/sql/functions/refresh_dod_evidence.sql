-- Updates the states of a mission's evidence, and ticks or reopens items accordingly: an item whose evidence,
-- except for links and files, is met is done, by the system member; one of which any has failed or is missing is open. While a run is
-- not finished, items stay as they are, and so do those of a complete mission.
-- SECURITY DEFINER, because the role of the site may not write states. Returns without evidence at once.
CREATE OR REPLACE FUNCTION refresh_dod_evidence(of_mission uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    mission_status text;
BEGIN
    IF NOT EXISTS (
        SELECT FROM dod_evidence e JOIN dod_items i ON i.id = e.item_id
        WHERE i.mission_id = of_mission AND e.removed_at IS NULL
    ) THEN
        RETURN;
    END IF;
    -- Serializes with completion, and with other runs of the mission.
    SELECT status INTO mission_status FROM deck_missions WHERE id = of_mission FOR NO KEY UPDATE;
    UPDATE dod_evidence e SET state = s.state, run_id = s.run_id, checked_at = clock_timestamp()
    FROM dod_evidence_states(of_mission) s
    WHERE s.evidence_id = e.id AND (e.state, e.run_id) IS DISTINCT FROM (s.state, s.run_id);
    IF mission_status = 'complete' THEN
        RETURN;
    END IF;
    WITH wanted AS (
        SELECT e.item_id, bool_and(e.state = 'met') AS is_met,
               (array_agg(e.run_id ORDER BY e.state = 'met', e.checked_at DESC))[1] AS run_id
        FROM dod_evidence e JOIN dod_items i ON i.id = e.item_id
        WHERE i.mission_id = of_mission AND e.kind NOT IN ('link', 'file') AND e.removed_at IS NULL
        GROUP BY e.item_id HAVING bool_and(e.state = 'met') OR bool_or(e.state IN ('failed', 'missing'))
    ), changed AS (
        UPDATE dod_items i SET completed = w.is_met, completed_at = CASE WHEN w.is_met THEN clock_timestamp() END,
            completed_by_id = CASE WHEN w.is_met THEN (SELECT m.id FROM members m WHERE m.id = '00000000-0000-0000-0000-000000000000') END
        FROM wanted w WHERE w.item_id = i.id AND i.completed <> w.is_met
        RETURNING i.id, i.mission_id, w.is_met, w.run_id
    )
    INSERT INTO dod_evidence_changes (mission_id, item_id, completed, run_id)
    SELECT mission_id, id, is_met, run_id FROM changed;
END $$;
REVOKE EXECUTE ON FUNCTION refresh_dod_evidence(uuid) FROM PUBLIC;
