-- The engine's own tables, version 4: the audit log. What was tried of every change, one partition a day (UTC).

CREATE TABLE IF NOT EXISTS contextnexus.audit_log (
  at timestamptz NOT NULL,
  pipeline text NOT NULL,
  correlation_id uuid,
  batch_id uuid,
  operation text NOT NULL,
  table_schema text,
  table_name text,
  key text,
  old_key text,
  tenant text,
  lsn pg_lsn NOT NULL,
  ordinal bigint NOT NULL,
  from_lsn pg_lsn,
  from_ordinal bigint,
  row_count bigint,
  refused bigint,
  attempt int NOT NULL,
  duration_seconds double precision,
  outcome text NOT NULL,
  code text
) PARTITION BY RANGE (at);
COMMENT ON TABLE contextnexus.audit_log IS 'What was tried of every change, and how it ended: `contextnexus audit` finds in it.';
COMMENT ON COLUMN contextnexus.audit_log.at IS 'When the attempt ended, by the engine''s clock.';
COMMENT ON COLUMN contextnexus.audit_log.correlation_id IS
  'The one id of the change, or of the batch: made of the source and its position, so that a replay has the same. Null where it has no position.';
COMMENT ON COLUMN contextnexus.audit_log.batch_id IS 'Of a change: the id of the batch that it was tried in, which is in the Neo4j transaction''s metadata.';
COMMENT ON COLUMN contextnexus.audit_log.operation IS
  'insert, update, delete, truncate; read_again: the row as it was read later; batch, copy: one Neo4j transaction; conflict: what was done '
  'about a row that met one, with the strategy as code; retry, discard: of a dead letter.';
COMMENT ON COLUMN contextnexus.audit_log.key IS 'The values of the key''s columns, joined by commas.';
COMMENT ON COLUMN contextnexus.audit_log.old_key IS 'The key before an update that changed it; else null.';
COMMENT ON COLUMN contextnexus.audit_log.lsn IS 'Where the change stands, with `ordinal`; of a batch: where it ends. 0/0: it was copied.';
COMMENT ON COLUMN contextnexus.audit_log.from_lsn IS 'Of a batch: behind which it begins, with `from_ordinal`.';
COMMENT ON COLUMN contextnexus.audit_log.row_count IS 'Of a batch: its rows.';
COMMENT ON COLUMN contextnexus.audit_log.refused IS 'Of a batch: how many of them were older than what the graph has, and wrote nothing.';
COMMENT ON COLUMN contextnexus.audit_log.attempt IS '1, 2, …; 0: not known, since the engine that made it was killed.';
COMMENT ON COLUMN contextnexus.audit_log.outcome IS
  'applied; retried, lost, refused, failed: of an attempt that was not; held, dead_letter, discarded, asked, recovered; of a conflict who is right: docs/audit.md.';

CREATE INDEX IF NOT EXISTS audit_log_by_time ON contextnexus.audit_log (at);
CREATE INDEX IF NOT EXISTS audit_log_failures ON contextnexus.audit_log (at) WHERE outcome <> 'applied';
-- Nothing but equality is asked of these, a key may be longer than a B-tree takes, and at the level `all` every change pays for each.
CREATE INDEX IF NOT EXISTS audit_log_by_correlation ON contextnexus.audit_log USING hash (correlation_id);
CREATE INDEX IF NOT EXISTS audit_log_by_key ON contextnexus.audit_log USING hash (key);
CREATE INDEX IF NOT EXISTS audit_log_by_old_key ON contextnexus.audit_log USING hash (old_key);
CREATE INDEX IF NOT EXISTS audit_log_by_position ON contextnexus.audit_log USING brin (lsn, from_lsn) WITH (pages_per_range = 16);

-- What the engine adds it cannot change or remove again, but by whole days: partitions are made and dropped by this function,
-- with its owner's rights. Makes those of the days from the first to the last, and drops those that lie more than `keep_days`
-- before today and before the first; 0 keeps all.
CREATE OR REPLACE FUNCTION contextnexus.audit_partitions(first_day date, last_day date, keep_days int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  today date := (now() AT TIME ZONE 'UTC')::date;
  each date := first_day;
  name text;
  dropped int := 0;
BEGIN
  IF last_day - first_day > 400 THEN
    RAISE EXCEPTION 'more days of the audit log than any engine asks for';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('contextnexus.audit_log'));
  WHILE each <= last_day LOOP
    name := 'audit_log_' || to_char(each, 'YYYYMMDD');
    IF to_regclass('contextnexus.' || name) IS NULL THEN
      -- Attached rather than made in place: whoever reads the log meanwhile is not waited for.
      EXECUTE format('CREATE TABLE contextnexus.%I (LIKE contextnexus.audit_log)', name);
      EXECUTE format('ALTER TABLE contextnexus.audit_log ATTACH PARTITION contextnexus.%I FOR VALUES FROM (%L) TO (%L)', name,
                     to_char(each, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(each + 1, 'YYYY-MM-DD') || ' 00:00:00+00');
    END IF;
    each := each + 1;
  END LOOP;
  IF keep_days > 0 THEN
    FOR name IN
      SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'contextnexus.audit_log'::regclass AND c.relname ~ '^audit_log_[0-9]{8}$'
        AND to_date(right(c.relname, 8), 'YYYYMMDD') < least(today - keep_days, first_day)
    LOOP
      EXECUTE format('DROP TABLE contextnexus.%I', name);
      dropped := dropped + 1;
    END LOOP;
  END IF;
  RETURN dropped;
END
$$;
REVOKE EXECUTE ON FUNCTION contextnexus.audit_partitions(date, date, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contextnexus.audit_partitions(date, date, int) TO contextnexus_engine;
GRANT SELECT, INSERT ON contextnexus.audit_log TO contextnexus_engine;

INSERT INTO contextnexus.version AS v (version) VALUES (4)
  ON CONFLICT (one) DO UPDATE SET version = excluded.version WHERE v.version < excluded.version;
