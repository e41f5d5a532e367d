-- Anyone with an invitation can register under any address. A member becomes the assignee of a mission only after staff
-- confirmed the member.

-- True for an account without an entry in the directory (created by staff), for an approved entry that is not banned or
-- removed, and for a pending entry of a staff account.
-- SECURITY DEFINER, so that no row policy hides an entry. FOR SHARE waits for a concurrent ban.
CREATE FUNCTION may_be_deck_assignee(of_member uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    entry record;
BEGIN
    SELECT status, deleted_at INTO entry FROM community_members WHERE person_id = of_member FOR SHARE;
    IF NOT FOUND THEN
        RETURN true;
    END IF;
    RETURN entry.deleted_at IS NULL AND CASE
        WHEN entry.status IN ('active', 'suspended') THEN true
        WHEN entry.status = 'banned' THEN false
        ELSE (SELECT is_staff FROM members WHERE id = of_member)
    END;
END $$;
REVOKE EXECUTE ON FUNCTION may_be_deck_assignee(uuid) FROM PUBLIC;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') THEN
        GRANT EXECUTE ON FUNCTION may_be_deck_assignee(uuid) TO missionsite_app;
    END IF;
END $$;

-- Sets the assignee by address, if the member may be an assignee. Called for every change of an assignee.
CREATE OR REPLACE FUNCTION find_deck_assignee() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    NEW.assignee_id := (SELECT id FROM members WHERE lower(email) = lower(NEW.assigned_to));
    IF NEW.assignee_id IS NOT NULL AND NOT may_be_deck_assignee(NEW.assignee_id) THEN
        NEW.assignee_id := NULL;
    END IF;
    RETURN NEW;
END $$;

-- Recomputes the assignee of the missions of a member, and of unassigned missions with their address.
CREATE FUNCTION reassign_deck_missions(of_member uuid) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp
AS $$
    UPDATE deck_missions SET assignee_id = NULL WHERE assignee_id = of_member;
    UPDATE deck_missions d SET assignee_id = m.id
    FROM members m WHERE m.id = of_member AND d.assignee_id IS NULL AND lower(d.assigned_to) = lower(m.email);
$$;

-- New entries: per statement, because an import inserts many entries and few of them have a mission.
CREATE FUNCTION clear_deck_assignees_of_new_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE deck_missions d SET assignee_id = NULL FROM new_rows n WHERE d.assignee_id = n.person_id;
    RETURN NULL;
END $$;
CREATE TRIGGER community_members_assignees_new AFTER INSERT ON community_members
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION clear_deck_assignees_of_new_entries();

-- An entry is approved, banned, removed, restored or linked to another account. By name this trigger runs before
-- community_members_erased_in_deck.
CREATE FUNCTION update_deck_assignees_of_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM reassign_deck_missions(OLD.person_id) WHERE OLD.person_id IS DISTINCT FROM NEW.person_id;
    PERFORM reassign_deck_missions(NEW.person_id);
    RETURN NULL;
END $$;
CREATE TRIGGER community_members_assignees AFTER UPDATE ON community_members
    FOR EACH ROW WHEN (
        (OLD.status, OLD.deleted_at, OLD.person_id) IS DISTINCT FROM (NEW.status, NEW.deleted_at, NEW.person_id)
    )
    EXECUTE FUNCTION update_deck_assignees_of_entry();

CREATE FUNCTION update_deck_assignees_of_staff() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM reassign_deck_missions(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER members_staff_in_deck AFTER UPDATE OF is_staff ON members
    FOR EACH ROW WHEN (OLD.is_staff <> NEW.is_staff) EXECUTE FUNCTION update_deck_assignees_of_staff();
REVOKE EXECUTE ON FUNCTION reassign_deck_missions(uuid), clear_deck_assignees_of_new_entries(), update_deck_assignees_of_entry(),
    update_deck_assignees_of_staff() FROM PUBLIC;

-- Existing assignees that are not confirmed.
UPDATE deck_missions SET assignee_id = NULL WHERE assignee_id IS NOT NULL AND NOT may_be_deck_assignee(assignee_id);
