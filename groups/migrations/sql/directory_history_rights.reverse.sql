-- Rights go with the tables.
SELECT 1;
