-- Samples of the backlog: the figures by day.
CREATE OR REPLACE TRIGGER mission_fallback_samples_roll_up AFTER INSERT ON mission_fallback_samples
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_samples();
