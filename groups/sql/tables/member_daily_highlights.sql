-- Daily highlights follow participation: every insert queues a change, a roll-up adds the queued changes.
--
-- A change is queued in the transaction of its event. A roll-up deletes and adds changes in one transaction, so an
-- event is counted once, however often a roll-up runs or is killed, and in whatever order transactions commit.
ALTER TABLE member_daily_highlights SET (fillfactor = 90);

-- Changes since the last roll-up: one row per statement, member, day and event type. No key and no index: rows are only
-- appended and deleted in bulk, so either would slow down ingests for nothing.
CREATE TABLE participation_changes (
    member_id varchar(20) NOT NULL,
    day date NOT NULL,
    event_type varchar(50) NOT NULL,
    -- Events; of VOICE, minutes.
    amount bigint NOT NULL
-- Vacuum early: the queue is usually empty and must not stay large after a busy day.
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
