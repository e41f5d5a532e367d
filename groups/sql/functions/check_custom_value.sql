-- Rejects a value that does not fit the kind of its custom field, and a field of people for a mission or the other way.
CREATE OR REPLACE FUNCTION check_custom_value() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    known custom_fields%ROWTYPE;
    fits boolean;
BEGIN
    -- Locked, so that the field's kind and choices do not change meanwhile.
    SELECT * INTO known FROM custom_fields WHERE id = NEW.field_id FOR SHARE;
    IF (known.target = 'mission') <> (NEW.group_id IS NOT NULL) THEN
        RAISE EXCEPTION 'The field % is not one of this subject.', known.name
            USING ERRCODE = 'check_violation', CONSTRAINT = 'custom_values_target_fits';
    END IF;
    fits := CASE known.kind
        WHEN 'number' THEN NEW.value ~ '^-?(0|[1-9][0-9]{0,14})([.][0-9]{1,6})?$'
        WHEN 'date' THEN CASE WHEN NEW.value ~ '^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-[0-9]{2}$' THEN
            right(NEW.value, 2)::integer BETWEEN 1
            AND extract(day FROM (left(NEW.value, 8) || '01')::date + interval '1 month - 1 day')
        ELSE false END
        WHEN 'yes_no' THEN NEW.value IN ('yes', 'no')
        WHEN 'choice' THEN known.choices ? NEW.value
        ELSE true
    END;
    IF NOT fits THEN
        RAISE EXCEPTION '% is no value of the field %.', NEW.value, known.name
            USING ERRCODE = 'check_violation', CONSTRAINT = 'custom_values_fit_kind';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION check_custom_value() FROM PUBLIC;
