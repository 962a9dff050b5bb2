-- The engine's own room: the group role that it works under, and the schema that holds what it keeps.
-- Every file here may be run again at any time, as one transaction; it changes nothing that already stands.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'contextnexus_engine') THEN
    BEGIN
      CREATE ROLE contextnexus_engine NOLOGIN;
    EXCEPTION
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING
          ERRCODE = 'insufficient_privilege',
          MESSAGE = format(
            'the role contextnexus_engine is missing and %s may not create it; let a role with CREATEROLE run: '
            'CREATE ROLE contextnexus_engine NOLOGIN;', quote_ident(current_user));
      WHEN duplicate_object OR unique_violation THEN
        NULL;  -- Roles belong to the cluster: another database's installation made it at the same moment.
    END;
  END IF;
END
$$;

CREATE SCHEMA IF NOT EXISTS contextnexus;
COMMENT ON SCHEMA contextnexus IS 'What the ContextNexus engine keeps for itself; no user''s table is here.';

CREATE TABLE IF NOT EXISTS contextnexus.pipelines (
  name text PRIMARY KEY,
  slot text NOT NULL UNIQUE,
  publication text NOT NULL,
  neo4j_database_id text,
  fingerprint text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE contextnexus.pipelines IS
  'One row for each way from this database to a graph: its slot and publication, and what it was last bound to.';
COMMENT ON COLUMN contextnexus.pipelines.neo4j_database_id IS
  'The identity of the graph''s store; null until a graph has been initialised.';
COMMENT ON COLUMN contextnexus.pipelines.fingerprint IS 'The fingerprint of the mapping that the graph was built with.';

CREATE TABLE IF NOT EXISTS contextnexus.write_back (
  pipeline text PRIMARY KEY,
  filled_at timestamptz,
  renewed_at timestamptz,
  rows_written bigint NOT NULL DEFAULT 0,
  rows_locked bigint NOT NULL DEFAULT 0,
  failures bigint NOT NULL DEFAULT 0,
  problem text,
  last_error text,
  last_error_at timestamptz
);
COMMENT ON TABLE contextnexus.write_back IS 'What the write-back of each pipeline has done, for `contextnexus status`.';
COMMENT ON COLUMN contextnexus.write_back.filled_at IS
  'When the graph began to be filled: element ids that were written before are stale.';
COMMENT ON COLUMN contextnexus.write_back.renewed_at IS 'When none of them was left.';
COMMENT ON COLUMN contextnexus.write_back.problem IS 'Why something is not written now; null where all is well.';
