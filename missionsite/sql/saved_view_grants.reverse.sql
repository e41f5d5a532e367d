-- Nothing: the table is dropped next.
SELECT 1;
