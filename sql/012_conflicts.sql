-- The engine's own tables, version 5: rows whose UPDATE met what somebody else wrote in the graph, and that a person is to judge.

CREATE TABLE IF NOT EXISTS contextnexus.conflicts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  pipeline text NOT NULL,
  state text NOT NULL DEFAULT 'conflict' CHECK (state IN ('conflict', 'resolving', 'resolved', 'superseded')),
  table_schema text NOT NULL,
  table_name text NOT NULL,
  key_columns text[] NOT NULL,
  key_values text[] NOT NULL,
  key_digest text NOT NULL,
  lsn pg_lsn NOT NULL,
  ordinal bigint NOT NULL,
  postgres_version text,
  graph_version text,
  properties text[] NOT NULL DEFAULT '{}',
  attempts int NOT NULL DEFAULT 0,
  retry_lsn pg_lsn,
  held_changes bigint NOT NULL DEFAULT 0,
  held_until_lsn pg_lsn NOT NULL DEFAULT '0/0',
  held_until_ordinal bigint NOT NULL DEFAULT 0,
  ended_lsn pg_lsn,
  ended_ordinal bigint,
  lasting boolean NOT NULL DEFAULT false,
  resolution text CHECK (resolution IN ('postgres', 'graph')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz,
  closed_by text
);
COMMENT ON TABLE contextnexus.conflicts IS
  'Rows that the graph has otherwise than PostgreSQL until somebody has chosen: `contextnexus conflicts` lists and resolves them.';
COMMENT ON COLUMN contextnexus.conflicts.state IS
  'conflict: the graph keeps what it has, and later changes of the row are held. resolving: PostgreSQL''s row was chosen, and is '
  'read again as it is then. Ended: resolved (as `resolution` says), superseded (the row is gone or has another key, or its table '
  'was copied anew).';
COMMENT ON COLUMN contextnexus.conflicts.key_digest IS 'SHA-256 of the key: a key may be longer than an index takes.';
COMMENT ON COLUMN contextnexus.conflicts.lsn IS 'From here on, with `ordinal`, changes of the row are held.';
COMMENT ON COLUMN contextnexus.conflicts.properties IS
  'The properties that the graph had otherwise than the row was; empty where that is not known. Their values are not kept.';
COMMENT ON COLUMN contextnexus.conflicts.lasting IS 'As of contextnexus.dead_letters; never true here.';

-- One a key at a time.
CREATE UNIQUE INDEX IF NOT EXISTS conflicts_of_key ON contextnexus.conflicts (pipeline, table_schema, table_name, key_digest)
  WHERE state IN ('conflict', 'resolving');
CREATE INDEX IF NOT EXISTS conflicts_by_state ON contextnexus.conflicts (pipeline, state, id);

GRANT SELECT, INSERT, UPDATE, DELETE ON contextnexus.conflicts TO contextnexus_engine;
GRANT USAGE ON SCHEMA contextnexus TO contextnexus_engine;

INSERT INTO contextnexus.version AS v (version) VALUES (5)
  ON CONFLICT (one) DO UPDATE SET version = excluded.version WHERE v.version < excluded.version;
