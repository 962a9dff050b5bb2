-- What the engine's role may do: read what has a form in the graph, write its synchronisation columns and its own tables.

GRANT USAGE ON SCHEMA public TO contextnexus_engine;
GRANT SELECT ON
  public.tenants, public.users, public.programs, public.projects, public.project_memberships, public.threads,
  public.thread_relationships, public.content_items, public.text_content, public.code_content, public.content_chunks,
  public.tags, public.content_tags, public.thread_content, public.messages, public.message_relationships,
  public.message_context_items
  TO contextnexus_engine;

GRANT UPDATE (neo4j_node_id, neo4j_sync_status, neo4j_synced_version, neo4j_synced_at)
  ON public.content_items, public.content_chunks, public.messages TO contextnexus_engine;
GRANT UPDATE (neo4j_node_id, neo4j_relationship_id, neo4j_sync_status, neo4j_synced_version, neo4j_synced_at)
  ON public.thread_content TO contextnexus_engine;

GRANT USAGE ON SCHEMA contextnexus TO contextnexus_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON contextnexus.pipelines, contextnexus.write_back TO contextnexus_engine;

-- The write-back's transactions carry an origin of their own where the role may set one, so that others can tell them apart
-- (docs/write-back.md). Only a superuser may grant it, and nothing is missed without.
DO $$
BEGIN
  GRANT EXECUTE ON FUNCTION pg_catalog.pg_replication_origin_oid(text), pg_catalog.pg_replication_origin_create(text),
    pg_catalog.pg_replication_origin_session_setup(text) TO contextnexus_engine;
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE NOTICE 'the write-back will carry no replication origin: only a superuser may grant that';
END
$$;
