-- The demo's database is made under another name and renamed once it is whole, so that a kill in between leaves nothing
-- that looks finished. Run by the private cluster's superuser in database postgres.

-- name: DemoDatabaseExists :one
SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'gatehouse');

-- name: DropHalfDemoDatabase :script
DROP DATABASE IF EXISTS gatehouse_filling WITH (FORCE);

-- name: CreateDemoDatabase :script
CREATE DATABASE gatehouse_filling;

-- name: FinishDemoDatabase :script
ALTER DATABASE gatehouse_filling RENAME TO gatehouse;
