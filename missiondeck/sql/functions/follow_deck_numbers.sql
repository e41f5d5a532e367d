-- An explicit number advances the sequence, so that the next number is free.
CREATE OR REPLACE FUNCTION follow_deck_numbers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM setval('deck_missions_number_seq', given.number)
    FROM (SELECT max(number) AS number FROM new_rows) given, deck_missions_number_seq counter
    WHERE given.number > counter.last_value OR (given.number = counter.last_value AND NOT counter.is_called);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION follow_deck_numbers() FROM PUBLIC;
