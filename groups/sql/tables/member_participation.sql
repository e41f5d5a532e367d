-- What the model of participation cannot declare: limits that keep every event countable.
ALTER TABLE member_participation
    -- A day has 1,440 minutes.
    ADD CONSTRAINT member_participation_minutes_fit CHECK (
        CASE WHEN event_type <> 'VOICE' OR event_metadata ->> 'minutes' IS NULL THEN true
            WHEN jsonb_typeof(event_metadata -> 'minutes') <> 'number' THEN false
            ELSE (event_metadata ->> 'minutes')::numeric BETWEEN 0 AND 1440
                AND (event_metadata ->> 'minutes')::numeric % 1 = 0
        END
    ),
    ADD CONSTRAINT member_participation_time_fits CHECK (
        occurred_at >= '2000-01-01 00:00:00+00' AND occurred_at < '2200-01-01 00:00:00+00'
    );
