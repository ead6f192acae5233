-- title: where the walk through the warehouse's transactions stands
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: where the walk stands; it begins with the last day again
-- creates: table gatehouse.capacity_walks
-- creates: table gatehouse.capacity_walked

CREATE TABLE gatehouse.capacity_walks (
    tenant_id   uuid        NOT NULL REFERENCES gatehouse.tenants,
    at          timestamptz NOT NULL, -- everything that was made before it was looked at,
    transaction uuid        NOT NULL, -- and of that moment, up to this one
    looked      bigint      NOT NULL DEFAULT 0,
    found       bigint      NOT NULL DEFAULT 0,
    alerts_at   timestamptz NOT NULL, -- up to when delivered alerts were looked at
    problem     text        NOT NULL DEFAULT '', -- why the last walk ended early
    walked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT capacity_walks_pkey PRIMARY KEY (tenant_id)
);

-- What was looked at in the last hour before where the walk stands: a transaction that took long to commit is then still
-- found, and none is judged twice.
CREATE TABLE gatehouse.capacity_walked (
    tenant_id      uuid        NOT NULL REFERENCES gatehouse.tenants,
    transaction_id uuid        NOT NULL,
    made_at        timestamptz NOT NULL,
    CONSTRAINT capacity_walked_pkey PRIMARY KEY (tenant_id, transaction_id)
);
CREATE INDEX capacity_walked_old ON gatehouse.capacity_walked (tenant_id, made_at);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['capacity_walks', 'capacity_walked'] LOOP
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT, INSERT ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
END $$;
GRANT UPDATE (at, transaction, looked, found, alerts_at, problem, walked_at) ON gatehouse.capacity_walks TO gatehouse_app;
GRANT DELETE ON gatehouse.capacity_walked TO gatehouse_app;
