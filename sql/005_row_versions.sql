-- Every change that a user makes raises the row's version. The trigger names the users' columns (all but version, updated_at and
-- the engine's own) instead of comparing rows, which would read large values back from TOAST; the engine's write of its
-- synchronisation columns therefore does not fire it. ENABLE ALWAYS: a session that replays changes from elsewhere
-- (session_replication_role = replica) changes rows as well.

CREATE OR REPLACE FUNCTION public.raise_row_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  NEW.updated_at := pg_catalog.now();
  RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION public.raise_row_version_and_mark_pending() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  NEW.updated_at := pg_catalog.now();
  NEW.neo4j_sync_status := 'pending';
  -- Under another key the row may be another node: its element id is asked for again.
  IF NEW.id IS DISTINCT FROM OLD.id THEN
    NEW.neo4j_node_id := NULL;
  END IF;
  RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION public.raise_thread_content_version_and_mark_pending() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  NEW.updated_at := pg_catalog.now();
  NEW.neo4j_sync_status := 'pending';
  IF (NEW.thread_id, NEW.content_item_id) IS DISTINCT FROM (OLD.thread_id, OLD.content_item_id) THEN
    NEW.neo4j_node_id := NULL;
    NEW.neo4j_relationship_id := NULL;
  END IF;
  RETURN NEW;
END
$$;

DO $$
DECLARE
  changed record;
BEGIN
  FOR changed IN
    SELECT c.relname AS name,
           string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
             FILTER (WHERE a.attname NOT IN ('version', 'updated_at') AND a.attname NOT LIKE 'neo4j\_%') AS users_columns,
           bool_or(a.attname = 'neo4j_sync_status') AS has_status
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace
      AND c.relname IN ('tenants', 'users', 'programs', 'projects', 'project_memberships', 'threads',
                        'thread_relationships', 'content_items', 'text_content', 'code_content', 'content_chunks', 'tags',
                        'content_tags', 'thread_content', 'messages', 'message_relationships', 'message_context_items',
                        'knowledge_graph_configurations')
    GROUP BY c.relname
  LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER row_version BEFORE UPDATE OF %s ON public.%I FOR EACH ROW EXECUTE FUNCTION public.%I()',
                   changed.users_columns, changed.name,
                   CASE WHEN changed.name = 'thread_content' THEN 'raise_thread_content_version_and_mark_pending'
                        WHEN changed.has_status THEN 'raise_row_version_and_mark_pending'
                        ELSE 'raise_row_version' END);
    EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER row_version', changed.name);
  END LOOP;
END
$$;
