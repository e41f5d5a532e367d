-- A membership becomes one period: a key of its own instead of (member, group), and leave tracking.
ALTER TABLE memberships
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN left_at timestamptz,
    ADD COLUMN status text NOT NULL DEFAULT 'active';
ALTER TABLE memberships DROP CONSTRAINT memberships_pkey;

-- Restores what an earlier rollback saved: the keys of active memberships, and the ended memberships.
DO $$
DECLARE
    restored bigint;
BEGIN
    IF to_regclass('memberships_backup') IS NOT NULL THEN
        UPDATE memberships m SET id = s.id
        FROM memberships_backup s
        WHERE s.status = 'active' AND s.member_id = m.member_id AND s.group_id = m.group_id
          AND s.joined_at = m.joined_at;
        INSERT INTO memberships (id, member_id, group_id, role, joined_at, left_at, status)
        SELECT s.id, s.member_id, s.group_id, s.role, s.joined_at, s.left_at, s.status
        FROM memberships_backup s
        WHERE s.status = 'left'
          AND EXISTS (SELECT FROM members WHERE id = s.member_id) AND EXISTS (SELECT FROM groups WHERE id = s.group_id);
        GET DIAGNOSTICS restored = ROW_COUNT;
        RAISE NOTICE '% ended memberships were restored', restored;
        DROP TABLE memberships_backup;
    END IF;
END $$;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE memberships ADD CONSTRAINT memberships_pkey PRIMARY KEY (id);
