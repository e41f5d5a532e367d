-- Changes since the last roll-up: one row per statement, member, day and event type. No key and no index: rows are only
-- appended and deleted in bulk, so either would slow down ingests for nothing.
CREATE TABLE participation_changes (
    member_id varchar(20) NOT NULL,
    day date NOT NULL,
    event_type varchar(50) NOT NULL,
    -- Events; of VOICE, minutes.
    amount bigint NOT NULL
);
