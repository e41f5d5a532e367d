-- Rights are dropped with the tables.
SELECT 1;
