-- title: how often an address or a person knocks, counted once for all processes
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: the counts of the last minutes
-- creates: table gatehouse.knocks

-- Unlogged: after a crash the counts begin at nothing, and nobody is the worse for it.
CREATE UNLOGGED TABLE gatehouse.knocks (
    key_sha256 text        NOT NULL,
    minute     timestamptz NOT NULL,
    times      integer     NOT NULL DEFAULT 1,
    CONSTRAINT knocks_pkey PRIMARY KEY (key_sha256, minute)
);
CREATE INDEX knocks_minute ON gatehouse.knocks (minute);
GRANT SELECT, INSERT, UPDATE, DELETE ON gatehouse.knocks TO gatehouse_app;
