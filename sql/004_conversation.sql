-- What is said about it: threads, the content they include, their messages and the context that each message used.

CREATE TABLE IF NOT EXISTS public.threads (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES public.tenants (id) ON UPDATE CASCADE ON DELETE CASCADE,
  project_id uuid NOT NULL,
  title text NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'resolved', 'archived')),
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES public.projects (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, created_by) REFERENCES public.users (tenant_id, id)
    ON UPDATE CASCADE ON DELETE SET NULL (created_by)
);
CREATE INDEX IF NOT EXISTS threads_project ON public.threads (project_id);
CREATE INDEX IF NOT EXISTS threads_created_by ON public.threads (created_by) WHERE created_by IS NOT NULL;

CREATE TABLE IF NOT EXISTS public.thread_relationships (
  parent_thread_id uuid NOT NULL,
  child_thread_id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  relationship_type text NOT NULL DEFAULT 'subthread',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (parent_thread_id, child_thread_id),
  FOREIGN KEY (tenant_id, parent_thread_id) REFERENCES public.threads (tenant_id, id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, child_thread_id) REFERENCES public.threads (tenant_id, id)
    ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS thread_relationships_child ON public.thread_relationships (child_thread_id);

CREATE TABLE IF NOT EXISTS public.thread_content (
  thread_id uuid NOT NULL,
  content_item_id uuid NOT NULL,
  tenant_id uuid NOT NULL REFERENCES public.tenants (id) ON UPDATE CASCADE ON DELETE CASCADE,
  relevance_score double precision,
  position integer,
  added_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  neo4j_node_id text,
  neo4j_relationship_id text,
  neo4j_sync_status text NOT NULL DEFAULT 'pending'
    CHECK (neo4j_sync_status IN ('pending', 'synced', 'failed', 'conflict')),
  neo4j_synced_version bigint,
  neo4j_synced_at timestamptz,
  PRIMARY KEY (thread_id, content_item_id),
  FOREIGN KEY (tenant_id, thread_id) REFERENCES public.threads (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, content_item_id) REFERENCES public.content_items (tenant_id, id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, added_by) REFERENCES public.users (tenant_id, id)
    ON UPDATE CASCADE ON DELETE SET NULL (added_by)
) WITH (fillfactor = 85);
COMMENT ON COLUMN public.thread_content.neo4j_node_id IS 'The node of the included content item.';
CREATE INDEX IF NOT EXISTS thread_content_content_item ON public.thread_content (tenant_id, content_item_id);
CREATE INDEX IF NOT EXISTS thread_content_added_by ON public.thread_content (added_by) WHERE added_by IS NOT NULL;
CREATE INDEX IF NOT EXISTS thread_content_not_synced ON public.thread_content (updated_at, thread_id, content_item_id)
  WHERE neo4j_sync_status <> 'synced';

CREATE TABLE IF NOT EXISTS public.messages (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES public.tenants (id) ON UPDATE CASCADE ON DELETE CASCADE,
  thread_id uuid NOT NULL,
  author_id uuid,
  role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'assistant', 'system', 'tool')),
  body text NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  neo4j_node_id text,
  neo4j_sync_status text NOT NULL DEFAULT 'pending'
    CHECK (neo4j_sync_status IN ('pending', 'synced', 'failed', 'conflict')),
  neo4j_synced_version bigint,
  neo4j_synced_at timestamptz,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, thread_id) REFERENCES public.threads (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, author_id) REFERENCES public.users (tenant_id, id)
    ON UPDATE CASCADE ON DELETE SET NULL (author_id)
) WITH (fillfactor = 85);
CREATE INDEX IF NOT EXISTS messages_thread ON public.messages (thread_id, created_at);
CREATE INDEX IF NOT EXISTS messages_author ON public.messages (author_id) WHERE author_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_not_synced ON public.messages (updated_at, id)
  WHERE neo4j_sync_status <> 'synced';

CREATE TABLE IF NOT EXISTS public.message_relationships (
  message_id uuid NOT NULL,
  reply_id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  relationship_type text NOT NULL DEFAULT 'reply' CHECK (relationship_type IN ('reply', 'alternative', 'edit')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (message_id, reply_id),
  FOREIGN KEY (tenant_id, message_id) REFERENCES public.messages (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, reply_id) REFERENCES public.messages (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS message_relationships_reply ON public.message_relationships (reply_id);

CREATE TABLE IF NOT EXISTS public.message_context_items (
  message_id uuid NOT NULL,
  content_item_id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  relevance_score double precision,
  position integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (message_id, content_item_id),
  FOREIGN KEY (tenant_id, message_id) REFERENCES public.messages (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, content_item_id) REFERENCES public.content_items (tenant_id, id)
    ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS message_context_items_content_item ON public.message_context_items (content_item_id);
