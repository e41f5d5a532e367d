-- Keeps what the older schema has no column for; going forward again restores it.
CREATE TABLE groups_backup AS SELECT id, type, stable_id, min_trust_score FROM groups;
