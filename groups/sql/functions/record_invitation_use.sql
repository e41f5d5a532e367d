-- Lists the registration with an invitation for one person, also one that raw SQL or a fixture accepts.
CREATE OR REPLACE FUNCTION record_invitation_use() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO community_invitation_uses (invitation_id, member_id, used_at)
    VALUES (NEW.invitation_id, NEW.accepted_by, NEW.accepted_at)
    ON CONFLICT (invitation_id, member_id) DO NOTHING;
    RETURN NULL;
END $$;
