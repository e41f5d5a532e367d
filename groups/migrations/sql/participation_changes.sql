-- What participation has added since the last roll-up: a row per statement, member, day and event type. No key and no
-- index: rows are only appended, and taken from the front, so either would cost an ingest more than it gives.
CREATE TABLE participation_changes (
    member_id varchar(20) NOT NULL,
    day date NOT NULL,
    event_type varchar(50) NOT NULL,
    -- Events; of VOICE, minutes.
    amount bigint NOT NULL
);
