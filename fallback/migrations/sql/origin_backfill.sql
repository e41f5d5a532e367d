-- Missions older than the fallback were made by hand.
UPDATE missions SET origin = 'manual' WHERE origin IS NULL;
