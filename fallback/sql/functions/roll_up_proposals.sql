-- Adds the proposals and decisions of a statement to the figures of their days, as new rows: updating a row of a day
-- would deadlock transactions that decide several proposals in different orders. Deleting proposals takes nothing back:
-- the figures outlive the runs.
CREATE OR REPLACE FUNCTION roll_up_proposals() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO fallback_proposal_rollups (project_id, template_id, day, generated, accepted, discarded)
        SELECT project_id, template_id, day, sum(made), sum(accepted), sum(discarded) FROM (
            SELECT n.project_id, n.template_id, (n.created_at AT TIME ZONE o.timezone)::date AS day,
                1 AS made, 0 AS accepted, 0 AS discarded
            FROM new_rows n JOIN projects p ON p.id = n.project_id JOIN organizations o ON o.id = p.organization_id
            UNION ALL
            SELECT n.project_id, n.template_id, (n.reviewed_at AT TIME ZONE o.timezone)::date,
                0, (n.status = 'accepted')::integer, (n.status = 'discarded')::integer
            FROM new_rows n JOIN projects p ON p.id = n.project_id JOIN organizations o ON o.id = p.organization_id
            WHERE n.reviewed_at IS NOT NULL
        ) x GROUP BY 1, 2, 3;
    ELSE
        INSERT INTO fallback_proposal_rollups (project_id, template_id, day, accepted, discarded)
        SELECT project_id, template_id, day, sum(accepted), sum(discarded) FROM (
            SELECT d.project_id, d.template_id, (d.reviewed_at AT TIME ZONE o.timezone)::date AS day,
                d.sign * (d.status = 'accepted')::integer AS accepted,
                d.sign * (d.status = 'discarded')::integer AS discarded
            FROM (SELECT project_id, template_id, reviewed_at, status, 1 AS sign FROM new_rows
                  UNION ALL SELECT project_id, template_id, reviewed_at, status, -1 FROM old_rows) d
            JOIN projects p ON p.id = d.project_id JOIN organizations o ON o.id = p.organization_id
            WHERE d.reviewed_at IS NOT NULL
        ) x GROUP BY 1, 2, 3 HAVING sum(accepted) <> 0 OR sum(discarded) <> 0;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION roll_up_proposals() FROM PUBLIC;
