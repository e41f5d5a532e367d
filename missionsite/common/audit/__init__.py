"""Who changed what: the context of a change, events, and the history of rows.

- `context`: the changeset of a request, job, command or import, and what the triggers of the database record.
- `events`: `audit()` writes one event to the log table of the app that the event is about.
- `history`: the stored versions of a row, field by field, and reverting one change.
"""
