-- Counts a registration on its invitation. The UPDATE locks the invitation, so concurrent registrations are counted one
-- after the other, and its CHECK rejects those above the limit.
CREATE OR REPLACE FUNCTION count_invitation_use() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE community_invitations SET uses = uses + 1 WHERE invitation_id = NEW.invitation_id;
    RETURN NULL;
END $$;
