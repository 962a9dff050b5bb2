-- What is known: content items with their text or code, chunks and tags.
-- The two tables with neo4j_* columns are written by the engine after each batch: a fill factor of 85 leaves the new row version room
-- on its page, and the partial index holds only the rows that a sweep looks for, those not (or no longer) in the graph.

CREATE TABLE IF NOT EXISTS public.content_items (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES public.tenants (id) ON UPDATE CASCADE ON DELETE CASCADE,
  project_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('text', 'code', 'file')),
  title text NOT NULL,
  storage_backend text NOT NULL DEFAULT 'postgres' CHECK (storage_backend IN ('postgres', 's3', 'file')),
  storage_key text,
  mime_type text,
  size_bytes bigint,
  checksum text,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  neo4j_node_id text,
  neo4j_sync_status text NOT NULL DEFAULT 'pending'
    CHECK (neo4j_sync_status IN ('pending', 'synced', 'failed', 'conflict')),
  neo4j_synced_version bigint,
  neo4j_synced_at timestamptz,
  CHECK (storage_backend = 'postgres' OR storage_key IS NOT NULL),
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES public.projects (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, created_by) REFERENCES public.users (tenant_id, id)
    ON UPDATE CASCADE ON DELETE SET NULL (created_by)
) WITH (fillfactor = 85);
COMMENT ON COLUMN public.content_items.storage_key IS
  'Where the bytes are outside PostgreSQL: "<bucket>/<key>" for s3, an absolute path for file.';
CREATE INDEX IF NOT EXISTS content_items_project ON public.content_items (project_id);
CREATE INDEX IF NOT EXISTS content_items_created_by ON public.content_items (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX IF NOT EXISTS content_items_not_synced ON public.content_items (updated_at, id)
  WHERE neo4j_sync_status <> 'synced';

CREATE TABLE IF NOT EXISTS public.text_content (
  content_item_id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  body text NOT NULL,
  language text,
  word_count integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  FOREIGN KEY (tenant_id, content_item_id) REFERENCES public.content_items (tenant_id, id)
    ON UPDATE CASCADE ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS public.code_content (
  content_item_id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  source text NOT NULL,
  language text,
  path text,
  line_count integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  FOREIGN KEY (tenant_id, content_item_id) REFERENCES public.content_items (tenant_id, id)
    ON UPDATE CASCADE ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS public.content_chunks (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  content_item_id uuid NOT NULL,
  ordinal integer NOT NULL,
  body text NOT NULL,
  token_count integer,
  start_offset integer,
  end_offset integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  neo4j_node_id text,
  neo4j_sync_status text NOT NULL DEFAULT 'pending'
    CHECK (neo4j_sync_status IN ('pending', 'synced', 'failed', 'conflict')),
  neo4j_synced_version bigint,
  neo4j_synced_at timestamptz,
  -- Deferrable, so that one statement may renumber an item's chunks.
  UNIQUE (content_item_id, ordinal) DEFERRABLE INITIALLY IMMEDIATE,
  FOREIGN KEY (tenant_id, content_item_id) REFERENCES public.content_items (tenant_id, id)
    ON UPDATE CASCADE ON DELETE CASCADE
) WITH (fillfactor = 85);
CREATE INDEX IF NOT EXISTS content_chunks_not_synced ON public.content_chunks (updated_at, id)
  WHERE neo4j_sync_status <> 'synced';

CREATE TABLE IF NOT EXISTS public.tags (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  project_id uuid NOT NULL,
  name text NOT NULL,
  color text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  UNIQUE (tenant_id, id),
  UNIQUE (project_id, name),
  FOREIGN KEY (tenant_id, project_id) REFERENCES public.projects (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS public.content_tags (
  content_item_id uuid NOT NULL,
  tag_id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (content_item_id, tag_id),
  FOREIGN KEY (tenant_id, content_item_id) REFERENCES public.content_items (tenant_id, id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, tag_id) REFERENCES public.tags (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS content_tags_tag ON public.content_tags (tag_id);
