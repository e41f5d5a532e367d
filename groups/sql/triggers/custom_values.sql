-- A value fits the kind of its field.
CREATE OR REPLACE TRIGGER custom_values_check BEFORE INSERT OR UPDATE ON custom_values
    FOR EACH ROW EXECUTE FUNCTION check_custom_value();
