-- The privileges end with the column.
SELECT 1;
