-- name: ListenLive :exec
LISTEN gatehouse_live;

-- name: NotifySelf :exec
-- What the listener says to itself, and has to hear.
SELECT pg_catalog.pg_notify('gatehouse_live', 'self ' || @self::text);
