-- The three roles of the site and its database. Run as a superuser, as often as you like:
--     OWNER_PASSWORD=... APP_PASSWORD=... psql -f roles.sql postgres
-- A password that is not given stays as it is; set it later with \password.
\set ON_ERROR_STOP on
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD

-- Owns the database and its tables: migrations only.
SELECT 'CREATE ROLE missionsite_owner LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_owner') \gexec
-- What the site and its workers connect as: owns nothing.
SELECT 'CREATE ROLE missionsite_app LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') \gexec
-- What a member's own requests switch to.
SELECT 'CREATE ROLE missionsite_member NOLOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') \gexec

ALTER ROLE missionsite_app NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT;
ALTER ROLE missionsite_member NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE missionsite_owner NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION;
\if :{?owner_password}
ALTER ROLE missionsite_owner PASSWORD :'owner_password';
\endif
\if :{?app_password}
ALTER ROLE missionsite_app PASSWORD :'app_password';
\endif

-- The app may become the member role, and has none of its rights until then. PostgreSQL 15 takes that from NOINHERIT
-- and has no words for it in GRANT.
SELECT current_setting('server_version_num')::int >= 160000 AS grant_has_options \gset
\if :grant_has_options
GRANT missionsite_member TO missionsite_app WITH INHERIT FALSE, SET TRUE;
\else
GRANT missionsite_member TO missionsite_app;
\endif

SELECT 'CREATE DATABASE missionsite OWNER missionsite_owner ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'missionsite') \gexec
REVOKE ALL ON DATABASE missionsite FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE missionsite TO missionsite_app;

\connect missionsite
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO missionsite_owner;
GRANT USAGE ON SCHEMA public TO missionsite_app, missionsite_member;
