-- Every new member gets a profile.
CREATE OR REPLACE TRIGGER members_profiles AFTER INSERT ON members
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION create_member_profiles();
