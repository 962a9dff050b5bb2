-- The engine's own tables, version 3: rows that the graph refused. Each stands here before the Neo4j transaction that passes it.

CREATE TABLE IF NOT EXISTS contextnexus.dead_letters (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  pipeline text NOT NULL,
  correlation_id uuid,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'retrying', 'applied', 'superseded', 'discarded')),
  table_schema text NOT NULL,
  table_name text NOT NULL,
  key_columns text[] NOT NULL,
  key_values text[] NOT NULL,
  key_digest text NOT NULL,
  lsn pg_lsn NOT NULL,
  ordinal bigint NOT NULL,
  operation text NOT NULL,
  statement text,
  code text,
  reason text NOT NULL,
  row_values json,
  attempts int NOT NULL DEFAULT 1,
  retry_lsn pg_lsn,
  held_changes bigint NOT NULL DEFAULT 0,
  held_until_lsn pg_lsn NOT NULL DEFAULT '0/0',
  held_until_ordinal bigint NOT NULL DEFAULT 0,
  ended_lsn pg_lsn,
  ended_ordinal bigint,
  lasting boolean NOT NULL DEFAULT false,
  stopped_line boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz,
  closed_by text,
  UNIQUE (pipeline, correlation_id)
);
COMMENT ON TABLE contextnexus.dead_letters IS
  'Rows that the graph refused, and passed it without: `contextnexus dead-letters` lists, retries and discards them.';
COMMENT ON COLUMN contextnexus.dead_letters.correlation_id IS
  'The one id of the change, which a replay gives again; null for a row that was copied.';
COMMENT ON COLUMN contextnexus.dead_letters.state IS
  'open: later changes of the key are held behind it. retrying: asked for, and the row is read again as it is then. Ended: applied '
  '(the row is in the graph), superseded (the row is gone, or its table was copied anew), discarded (by a person).';
COMMENT ON COLUMN contextnexus.dead_letters.key_digest IS 'SHA-256 of the key: a key may be longer than an index takes.';
COMMENT ON COLUMN contextnexus.dead_letters.lsn IS 'Where its change stands, with `ordinal`; 0/0 for a row that was copied.';
COMMENT ON COLUMN contextnexus.dead_letters.row_values IS 'The row as it was told; null unless dead_letters.keep_values is on.';
COMMENT ON COLUMN contextnexus.dead_letters.retry_lsn IS
  'Where the log stood when a retry was asked for: the graph has all that came before when the row is tried.';
COMMENT ON COLUMN contextnexus.dead_letters.held_changes IS 'Changes of the key that came behind it, up to `held_until_lsn`.';
COMMENT ON COLUMN contextnexus.dead_letters.ended_lsn IS
  'Where the row was removed, or got another key: once the graph is there, the letter is superseded.';
COMMENT ON COLUMN contextnexus.dead_letters.lasting IS
  'The row was refused again after it had been removed and made anew: no removal ends the letter, a retry does.';
COMMENT ON COLUMN contextnexus.dead_letters.stopped_line IS
  'One of those at which the circuit breaker stopped the line: it stays so while one of them is open.';

-- One letter a key at a time.
CREATE UNIQUE INDEX IF NOT EXISTS dead_letters_of_key ON contextnexus.dead_letters (pipeline, table_schema, table_name, key_digest)
  WHERE state IN ('open', 'retrying');
CREATE INDEX IF NOT EXISTS dead_letters_by_state ON contextnexus.dead_letters (pipeline, state, id);

GRANT SELECT, INSERT, UPDATE, DELETE ON contextnexus.dead_letters TO contextnexus_engine;
-- An older installation of the engine alone granted it when its tables were made.
GRANT USAGE ON SCHEMA contextnexus TO contextnexus_engine;

INSERT INTO contextnexus.version AS v (version) VALUES (3)
  ON CONFLICT (one) DO UPDATE SET version = excluded.version WHERE v.version < excluded.version;
