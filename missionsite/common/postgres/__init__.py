"""The database backend of the site: Django's for PostgreSQL, with fenced commits and a pool that fails fast."""
