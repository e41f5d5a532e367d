-- Rules of the community directory that the database enforces.

-- Numbers (#247) are assigned by the database and never change. As with stable IDs, a row with a given number moves the
-- sequence past it; an advisory lock separates moving and taking, and is released at once.
CREATE SEQUENCE community_member_number;
SELECT setval('community_member_number', max(substr(member_id, 2)::bigint)) FROM community_members
    HAVING max(substr(member_id, 2)::bigint) IS NOT NULL;

CREATE FUNCTION assign_community_number() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    given bigint := substring(NEW.member_id FROM '^#([1-9][0-9]{0,17})$')::bigint;
BEGIN
    IF coalesce(NEW.member_id, '') = '' THEN
        PERFORM pg_advisory_lock_shared(19795, ascii('#'));
        BEGIN
            NEW.member_id := '#' || nextval('community_member_number');
        EXCEPTION WHEN query_canceled OR others THEN
            PERFORM pg_advisory_unlock_shared(19795, ascii('#'));
            RAISE;
        END;
        PERFORM pg_advisory_unlock_shared(19795, ascii('#'));
    -- The table's CHECK rejects a number of another format.
    ELSIF given > coalesce(pg_sequence_last_value('community_member_number'), 0) THEN
        PERFORM pg_advisory_lock(19795, ascii('#'));
        BEGIN
            IF given > coalesce(pg_sequence_last_value('community_member_number'), 0) THEN
                PERFORM setval('community_member_number', given);
            END IF;
        EXCEPTION WHEN query_canceled OR others THEN
            PERFORM pg_advisory_unlock(19795, ascii('#'));
            RAISE;
        END;
        PERFORM pg_advisory_unlock(19795, ascii('#'));
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION assign_community_number() FROM PUBLIC;
CREATE TRIGGER community_members_number BEFORE INSERT ON community_members
    FOR EACH ROW EXECUTE FUNCTION assign_community_number();

CREATE FUNCTION guard_community_members() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF OLD.erased_at IS NOT NULL THEN
        RAISE EXCEPTION 'the personal data of % was erased; the entry cannot be changed', OLD.member_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_members_erased_stays';
    END IF;
    IF NEW.member_id <> OLD.member_id THEN
        RAISE EXCEPTION 'the number % cannot be changed', OLD.member_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_members_number_never_changes';
    END IF;
    IF NEW.status <> OLD.status AND NOT (CASE OLD.status
        WHEN 'not_member' THEN NEW.status IN ('pending', 'banned')
        WHEN 'pending' THEN NEW.status IN ('active', 'banned')
        WHEN 'active' THEN NEW.status IN ('suspended', 'banned')
        WHEN 'suspended' THEN NEW.status IN ('active', 'banned')
        ELSE false
    END) THEN
        RAISE EXCEPTION 'the status of a member cannot change from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_members_status_moves';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER community_members_guard BEFORE UPDATE ON community_members
    FOR EACH ROW EXECUTE FUNCTION guard_community_members();

CREATE FUNCTION guard_community_invitations() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.invitation_code <> OLD.invitation_code OR NEW.created_by <> OLD.created_by THEN
        RAISE EXCEPTION 'the code and the inviter of an invitation never change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_code_never_changes';
    END IF;
    IF OLD.status <> 'pending'
        AND (NEW.status, NEW.accepted_by, NEW.accepted_at)
            IS DISTINCT FROM (OLD.status, OLD.accepted_by, OLD.accepted_at) THEN
        RAISE EXCEPTION 'an invitation that is % never changes', OLD.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_status_moves';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER community_invitations_guard BEFORE UPDATE ON community_invitations
    FOR EACH ROW EXECUTE FUNCTION guard_community_invitations();

-- Activity does not change updated_at. The generated column prevents comparing whole rows here.
CREATE TRIGGER community_members_touch_updated_at BEFORE UPDATE ON community_members
    FOR EACH ROW WHEN (OLD.last_active_at IS NOT DISTINCT FROM NEW.last_active_at)
    EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER community_invitations_touch_updated_at BEFORE UPDATE ON community_invitations
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();

-- Links an entity ID that is a member's number to that member.
CREATE FUNCTION link_member_relationships() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.member_a_id := (SELECT id FROM community_members WHERE member_id = NEW.entity_id_a);
    NEW.member_b_id := (SELECT id FROM community_members WHERE member_id = NEW.entity_id_b);
    RETURN NEW;
END $$;
CREATE TRIGGER member_relationships_link BEFORE INSERT OR UPDATE ON member_relationships
    FOR EACH ROW EXECUTE FUNCTION link_member_relationships();

-- The members that a member invited, directly and indirectly: one row per member, the root first.
CREATE FUNCTION invitation_tree(root varchar, deepest integer DEFAULT 20)
RETURNS TABLE (member_id varchar, invited_by varchar, depth integer, path varchar[])
LANGUAGE sql STABLE
AS $$
    WITH RECURSIVE tree AS (
        SELECT m.member_id, m.invited_by, 0 AS depth, ARRAY[m.member_id]::varchar[] AS path
        FROM community_members m WHERE m.member_id = root
        UNION ALL
        SELECT m.member_id, m.invited_by, t.depth + 1, t.path || m.member_id
        FROM tree t JOIN community_members m ON m.invited_by = t.member_id
        -- Ends at a cycle.
        WHERE t.depth < deepest AND m.member_id <> ALL (t.path)
    )
    SELECT member_id, invited_by, depth, path FROM tree ORDER BY path
$$;
