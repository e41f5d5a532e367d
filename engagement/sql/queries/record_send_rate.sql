-- Adds a batch to the average rate of a transport whose circuit is closed. Used by circuit.record_batch.
-- Asynchronous commit: a crash of the database may lose the count of one batch.
UPDATE engagement_transports SET failures = 0, counted_at = %(at)s,
    -- Limited to 100, because exp() of a larger number is out of range.
    normal_per_minute = %(sent)s * 60 / %(memory)s + normal_per_minute * exp(
        -least(greatest(extract(epoch FROM %(at)s - counted_at), 0) / %(memory)s, 100)::float
    )
FROM set_config('synchronous_commit', 'off', true)
WHERE name = %(name)s AND opened_at IS NULL AND NOT is_recovering
