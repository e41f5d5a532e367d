-- Keeps the addresses: the earlier version can use them.
SELECT;
