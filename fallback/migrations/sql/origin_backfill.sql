-- Sets the origin of missions that are older than the fallback.
UPDATE missions SET origin = 'manual' WHERE origin IS NULL;
