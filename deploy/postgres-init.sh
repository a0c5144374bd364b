#!/bin/sh
# Run once by the PostgreSQL image, on an empty data directory: the portal's log-in. `manage.py upgrade` makes the other roles.
set -eu
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -v password="$DATABASE_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE strowger LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
SQL
