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
