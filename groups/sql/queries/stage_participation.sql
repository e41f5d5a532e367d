-- ingest_participation and record_participation: the temporary table of new rows.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_participation (
        id uuid, member_id varchar(20), event_type varchar(50), platform varchar(50), room_id varchar(255),
        event_metadata jsonb, occurred_at timestamptz
    ) ON COMMIT DELETE ROWS;
    TRUNCATE staged_participation
;
