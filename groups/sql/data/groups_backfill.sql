-- Gives every group its stable ID and threshold: the two groups of the plan by name, saved values of an earlier
-- rollback, and the rest in the order of creation. Runs before groups has triggers, so updated_at does not change.
DO $$
DECLARE
    restored bigint;
BEGIN
    IF to_regclass('groups_backup') IS NOT NULL THEN
        UPDATE groups g SET stable_id = s.stable_id, min_trust_score = s.min_trust_score
        FROM groups_backup s WHERE s.id = g.id AND s.type = g.type;
        GET DIAGNOSTICS restored = ROW_COUNT;
        RAISE NOTICE '% groups got their previous stable ID', restored;
        -- The ID of a group deleted meanwhile is not reused.
        INSERT INTO retired_stable_ids (stable_id)
        SELECT s.stable_id FROM groups_backup s
        WHERE NOT EXISTS (SELECT FROM groups g WHERE g.stable_id = s.stable_id)
        ON CONFLICT DO NOTHING;
        DROP TABLE groups_backup;
    END IF;
END $$;

-- The first of each name: names are not unique, and a second one gets the next free ID below.
UPDATE groups SET stable_id = 'FE-G-00001'
WHERE id = (SELECT id FROM groups WHERE type = 'colony' AND name = 'Future''s Edge' ORDER BY created_at, id LIMIT 1)
  AND stable_id IS NULL
  AND NOT EXISTS (SELECT FROM groups WHERE stable_id = 'FE-G-00001')
  AND NOT EXISTS (SELECT FROM retired_stable_ids WHERE stable_id = 'FE-G-00001');
UPDATE groups SET stable_id = 'FE-M-00001', min_trust_score = 0
WHERE id = (SELECT id FROM groups WHERE type = 'mission' AND name = 'Webinar Series Season 0'
            ORDER BY created_at, id LIMIT 1)
  AND stable_id IS NULL
  AND NOT EXISTS (SELECT FROM groups WHERE stable_id = 'FE-M-00001')
  AND NOT EXISTS (SELECT FROM retired_stable_ids WHERE stable_id = 'FE-M-00001');

SELECT claim_stable_id(substr(stable_id, 4, 1)::"char", stable_id) FROM groups WHERE stable_id IS NOT NULL;

DO $$
DECLARE
    missing record;
BEGIN
    FOR missing IN SELECT id, type FROM groups WHERE stable_id IS NULL ORDER BY created_at, id LOOP
        UPDATE groups SET stable_id = next_stable_id(CASE missing.type WHEN 'colony' THEN 'G' ELSE 'M' END::"char")
        WHERE id = missing.id;
    END LOOP;
END $$;
UPDATE groups SET min_trust_score = NULL WHERE type = 'colony' AND min_trust_score IS NOT NULL;

-- Checks, before columns become NOT NULL or unique.
DO $$
DECLARE
    wrong text;
BEGIN
    IF EXISTS (SELECT FROM groups WHERE stable_id IS NULL) THEN
        RAISE EXCEPTION 'Migration failed: some groups still have no stable ID';
    END IF;
    SELECT string_agg(m.name || ' (' || m.id || ')', ', ') INTO wrong
    FROM groups m JOIN groups p ON p.id = m.parent_group_id WHERE m.type = 'mission' AND p.type <> 'colony';
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'Migration failed: the parent of these missions is no colony: %', wrong
            USING HINT = 'Give each of them a colony as parent, then migrate again.';
    END IF;
END $$;
SET CONSTRAINTS ALL IMMEDIATE;
