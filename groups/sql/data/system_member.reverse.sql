-- The system member stays: events and other rows refer to it.
SELECT;
