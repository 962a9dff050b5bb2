-- Who there is and where they work: tenants, their users, programmes and projects.
-- A foreign key inside a tenant carries tenant_id, so no row can point into another tenant; `(tenant_id, id)` is unique for that
-- reason alone. Deleting or renaming a key follows through everything below it.
-- A table with a column that is cleared when its user goes also references its tenant directly: when the tenant goes, the row is
-- gone before the column is cleared, else that update of a row that the same transaction wrote would be checked against a parent
-- already deleted.

CREATE TABLE IF NOT EXISTS public.tenants (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  slug text NOT NULL UNIQUE,
  settings jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1
);

CREATE TABLE IF NOT EXISTS public.users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES public.tenants (id) ON UPDATE CASCADE ON DELETE CASCADE,
  email text NOT NULL,
  display_name text,
  role text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member', 'guest')),
  password_hash text,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  UNIQUE (tenant_id, id),
  UNIQUE (tenant_id, email)
);
COMMENT ON COLUMN public.users.password_hash IS 'Stays in PostgreSQL: never in the graph.';

CREATE TABLE IF NOT EXISTS public.programs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES public.tenants (id) ON UPDATE CASCADE ON DELETE CASCADE,
  name text NOT NULL,
  description text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  UNIQUE (tenant_id, id)
);

CREATE TABLE IF NOT EXISTS public.projects (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES public.tenants (id) ON UPDATE CASCADE ON DELETE CASCADE,
  program_id uuid,
  name text NOT NULL,
  description text,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'archived')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, program_id) REFERENCES public.programs (tenant_id, id)
    ON UPDATE CASCADE ON DELETE SET NULL (program_id)
);
CREATE INDEX IF NOT EXISTS projects_program ON public.projects (program_id) WHERE program_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS public.project_memberships (
  project_id uuid NOT NULL,
  user_id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  role text NOT NULL DEFAULT 'viewer' CHECK (role IN ('owner', 'editor', 'viewer')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (project_id, user_id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES public.projects (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES public.users (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS project_memberships_user ON public.project_memberships (user_id);

CREATE TABLE IF NOT EXISTS public.knowledge_graph_configurations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES public.tenants (id) ON UPDATE CASCADE ON DELETE CASCADE,
  project_id uuid,
  is_enabled boolean NOT NULL DEFAULT true,
  conflict_strategy text NOT NULL DEFAULT 'postgres_wins',
  synced_kinds text[] NOT NULL DEFAULT '{text,code,file}',
  max_depth integer NOT NULL DEFAULT 3 CHECK (max_depth >= 0),
  traversed_types text[] NOT NULL DEFAULT '{}',
  settings jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  -- One for each project, and one default for the tenant.
  UNIQUE NULLS NOT DISTINCT (tenant_id, project_id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES public.projects (tenant_id, id) ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE public.knowledge_graph_configurations IS
  'How the application uses the graph; has no form in the graph itself.';
COMMENT ON COLUMN public.knowledge_graph_configurations.project_id IS 'Null: the tenant''s default.';
