-- A custom field keeps what its values need.
CREATE OR REPLACE TRIGGER custom_fields_check BEFORE INSERT OR UPDATE ON custom_fields
    FOR EACH ROW EXECUTE FUNCTION check_custom_field();
