-- Nothing: the tables are dropped next.
SELECT 1;
