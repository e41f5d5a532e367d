-- The addresses stay: the older version can use them, too.
SELECT;
