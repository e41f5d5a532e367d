-- Nothing to do: the reverse migration drops the column.
SELECT;
