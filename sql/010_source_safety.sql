-- The engine's own tables, version 3: what PostgreSQL remembers of a pipeline's owners, so that a restored graph, a restored
-- database and an owner that was away are told apart; and what a person asked for.

INSERT INTO contextnexus.version AS v (version) VALUES (3)
  ON CONFLICT (one) DO UPDATE SET version = excluded.version WHERE v.version < excluded.version;

ALTER TABLE contextnexus.pipelines
  ADD COLUMN IF NOT EXISTS epoch bigint,
  ADD COLUMN IF NOT EXISTS confirmed_lsn pg_lsn,
  ADD COLUMN IF NOT EXISTS given_up text,
  ADD COLUMN IF NOT EXISTS resync text[];
COMMENT ON COLUMN contextnexus.pipelines.epoch IS
  'Of the last instance that began to follow: a write of an earlier one is refused.';
COMMENT ON COLUMN contextnexus.pipelines.confirmed_lsn IS
  'Where the graph stood when an instance came to its end; null while one runs, or after one was killed.';
COMMENT ON COLUMN contextnexus.pipelines.given_up IS
  'Why the slot was dropped by an instance (source.retained_wal_action); null: it was not.';
COMMENT ON COLUMN contextnexus.pipelines.resync IS
  'Tables that `contextnexus resync` asked to be read again, {*} for all; null: none.';
