-- Links an entity ID that is a member's number to that member.
CREATE OR REPLACE FUNCTION link_member_relationships() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.member_a_id := (SELECT id FROM community_members WHERE member_id = NEW.entity_id_a);
    NEW.member_b_id := (SELECT id FROM community_members WHERE member_id = NEW.entity_id_b);
    RETURN NEW;
END $$;
