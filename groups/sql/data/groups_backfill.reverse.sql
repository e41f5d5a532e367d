-- Saves the values the older schema has no column for; migrating forward again restores them.
CREATE TABLE groups_backup AS SELECT id, type, stable_id, min_trust_score FROM groups;
