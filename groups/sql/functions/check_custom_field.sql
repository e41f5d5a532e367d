-- Rejects a change of a custom field that its values do not fit: another kind or target, or a choice less that is in use.
CREATE OR REPLACE FUNCTION check_custom_field() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF jsonb_typeof(NEW.choices) <> 'array' THEN
        RAISE EXCEPTION 'The choices of % are no list.', NEW.name
            USING ERRCODE = 'check_violation', CONSTRAINT = 'custom_fields_choices_fit_kind';
    END IF;
    IF TG_OP = 'INSERT' THEN
        RETURN NEW;
    END IF;
    IF (NEW.kind, NEW.target) IS DISTINCT FROM (OLD.kind, OLD.target)
        AND EXISTS (SELECT FROM custom_values v WHERE v.field_id = NEW.id) THEN
        RAISE EXCEPTION 'The field % has values.', NEW.name
            USING ERRCODE = 'check_violation', CONSTRAINT = 'custom_fields_has_values';
    END IF;
    IF NEW.choices <> OLD.choices
        AND EXISTS (SELECT FROM custom_values v WHERE v.field_id = NEW.id AND NOT NEW.choices ? v.value) THEN
        RAISE EXCEPTION 'A choice of % is in use.', NEW.name
            USING ERRCODE = 'check_violation', CONSTRAINT = 'custom_fields_choice_in_use';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION check_custom_field() FROM PUBLIC;
