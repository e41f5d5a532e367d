-- The database and its five roles. Run as a superuser; it may be repeated:
--     OWNER_PASSWORD=... APP_PASSWORD=... BACKUP_PASSWORD=... psql -f roles.sql postgres
-- A password that is not set is not changed; set it later with \password.
\set ON_ERROR_STOP on
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
\getenv backup_password BACKUP_PASSWORD

-- Owns the database and its tables; used for migrations only.
SELECT 'CREATE ROLE missionsite_owner LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_owner') \gexec
-- The role of the site and its workers; owns nothing.
SELECT 'CREATE ROLE missionsite_app LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') \gexec
-- The role for requests of members.
SELECT 'CREATE ROLE missionsite_member NOLOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') \gexec
-- The role in which an administrator sees the site as another member: reads what the site reads, writes nothing.
SELECT 'CREATE ROLE missionsite_viewer NOLOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_viewer') \gexec
-- Reads all rows for backups; row security also limits the owner.
SELECT 'CREATE ROLE missionsite_backup LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_backup') \gexec

ALTER ROLE missionsite_app NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT;
ALTER ROLE missionsite_member NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE missionsite_owner NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION;
ALTER ROLE missionsite_backup NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
-- Row security does not apply, as its policies show all rows to the site's role.
ALTER ROLE missionsite_viewer NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
GRANT pg_read_all_data TO missionsite_backup;
-- No statement, lock or forgotten transaction of the site lasts for ever. A job that needs longer sets its own limit.
ALTER ROLE missionsite_app SET statement_timeout = '2min';
ALTER ROLE missionsite_app SET lock_timeout = '30s';
ALTER ROLE missionsite_app SET idle_in_transaction_session_timeout = '5min';
-- A migration waits for a lock without keeping others waiting behind it for long; its statements may take hours.
ALTER ROLE missionsite_owner SET lock_timeout = '1min';
ALTER ROLE missionsite_owner SET idle_in_transaction_session_timeout = '30min';
\if :{?owner_password}
ALTER ROLE missionsite_owner PASSWORD :'owner_password';
\endif
\if :{?app_password}
ALTER ROLE missionsite_app PASSWORD :'app_password';
\endif
\if :{?backup_password}
ALTER ROLE missionsite_backup PASSWORD :'backup_password';
\endif

-- The app may switch to the member role and to the viewer role, but does not inherit its privileges. PostgreSQL 15 has no options for this in
-- GRANT and uses NOINHERIT.
SELECT current_setting('server_version_num')::int >= 160000 AS grant_has_options \gset
\if :grant_has_options
GRANT missionsite_member, missionsite_viewer TO missionsite_app WITH INHERIT FALSE, SET TRUE;
\else
GRANT missionsite_member, missionsite_viewer TO missionsite_app;
\endif

SELECT 'CREATE DATABASE missionsite OWNER missionsite_owner ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'missionsite') \gexec
REVOKE ALL ON DATABASE missionsite FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE missionsite TO missionsite_app;
GRANT CONNECT ON DATABASE missionsite TO missionsite_backup;

\connect missionsite
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO missionsite_owner;
GRANT USAGE ON SCHEMA public TO missionsite_app, missionsite_member, missionsite_viewer;
