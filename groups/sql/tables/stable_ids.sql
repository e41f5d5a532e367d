-- Stable IDs (FE-P-00001, FE-G-…, FE-M-…, FE-T-…): assigned by the database, never changed, never reused.
--
-- Numbers come from sequences, so concurrent inserts do not wait for each other. A row with a given ID moves the
-- sequence past it. An advisory lock separates moving and taking, and is released at once, not at the end of the
-- transaction: setval alone could move a sequence back during a concurrent insert.
CREATE SEQUENCE stable_id_p;
CREATE SEQUENCE stable_id_g;
CREATE SEQUENCE stable_id_m;
CREATE SEQUENCE stable_id_t;

-- IDs of deleted rows, so that they are not reused.
CREATE TABLE retired_stable_ids (
    stable_id text PRIMARY KEY,
    retired_at timestamptz NOT NULL DEFAULT now()
);
