-- Going back, the column goes; there is nothing to undo in it.
SELECT;
