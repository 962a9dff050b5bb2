-- Row-level security. A session sees the rows of the tenant named by the setting contextnexus.tenant_id and none without it; the
-- engine's role sees all, so it needs neither superuser nor BYPASSRLS. As everywhere in PostgreSQL the tables' owner and superusers
-- are exempt: an application connects as another role.

DO $$
DECLARE
  name text;
  own_tenant text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'tenants', 'users', 'programs', 'projects', 'project_memberships', 'threads', 'thread_relationships', 'content_items',
    'text_content', 'code_content', 'content_chunks', 'tags', 'content_tags', 'thread_content', 'messages',
    'message_relationships', 'message_context_items', 'knowledge_graph_configurations']
  LOOP
    -- The sub-select is evaluated once a statement rather than once a row. A reset setting reads as the empty string.
    own_tenant := format('%I = (SELECT nullif(current_setting(''contextnexus.tenant_id'', true), '''')::uuid)',
                         CASE name WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('DROP POLICY IF EXISTS tenant_isolation ON public.%I', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON public.%I USING (%s) WITH CHECK (%s)', name, own_tenant, own_tenant);
    EXECUTE format('DROP POLICY IF EXISTS engine_sees_all ON public.%I', name);
    EXECUTE format('CREATE POLICY engine_sees_all ON public.%I TO contextnexus_engine USING (true)', name);
  END LOOP;
END
$$;
