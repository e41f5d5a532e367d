"""Accounts: log-in by allauth, its limits, sessions and their end, second factors.

- `adapter`: how allauth sends mail, sets passwords and finds the client's address.
- `sessions`: limits of a session, and `end_access()`, which ends sessions, tokens and live pages of a member.
- `identity`: the proof of identity before harmful operations.
- `view_as`: an administrator sees the site as another member, read-only.
- `delays`: the growing delay of wrong passwords and codes.
- `factors`: which roles require a second factor, and the page that members see until they have one.
- `receivers`: what is recorded and mailed when someone logs in or changes a factor or an address.
"""
