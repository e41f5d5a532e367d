-- A relationship is linked to the members whose numbers it names.
CREATE OR REPLACE TRIGGER member_relationships_link BEFORE INSERT OR UPDATE ON member_relationships
    FOR EACH ROW EXECUTE FUNCTION link_member_relationships();
