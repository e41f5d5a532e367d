-- Replaces the reason that the earlier version does not know.
UPDATE mission_fallback_items SET reason = 'not_needed' WHERE reason = 'wrong_time';
