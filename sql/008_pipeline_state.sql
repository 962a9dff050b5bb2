-- The engine's own tables, version 2: they say of which version they are, and a pipeline can be paused.

CREATE TABLE IF NOT EXISTS contextnexus.version (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  version int NOT NULL
);
COMMENT ON TABLE contextnexus.version IS
  'Of which version the tables of this schema are. A program that knows only older ones leaves them alone.';
INSERT INTO contextnexus.version AS v (version) VALUES (2)
  ON CONFLICT (one) DO UPDATE SET version = excluded.version WHERE v.version < excluded.version;
GRANT SELECT ON contextnexus.version TO contextnexus_engine;

ALTER TABLE contextnexus.pipelines
  ADD COLUMN IF NOT EXISTS paused_at timestamptz,
  ADD COLUMN IF NOT EXISTS paused_by text;
COMMENT ON COLUMN contextnexus.pipelines.paused_at IS
  'Since when the pipeline reads and applies nothing, by `contextnexus pause`; null: it is not paused.';
