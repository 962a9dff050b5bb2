# Neo4j Community, from Maven Central, as a private server; sourced by scripts/services.

neo4j_version=$(sed -n 's/.*<neo4j.version>\(.*\)<.*/\1/p' "$top/scripts/neo4j/pom.xml")

neo4j_pid() {
  local pid=''
  [ ! -f "$dir/neo4j.pid" ] || pid=$(cat "$dir/neo4j.pid")
  ! is_ours "$pid" "--home-dir=$dir/neo4j" || echo "$pid"
}

# The jars, once for all instances. They are copied beside the place and moved into it whole.
neo4j_jars() {
  jars=$local_root/neo4j-$neo4j_version
  [ ! -d "$jars" ] || return 0
  (
    flock 9
    [ ! -d "$jars" ] || exit 0
    command -v mvn >/dev/null || die "maven is missing; run scripts/install-packages"
    echo "services: fetching Neo4j $neo4j_version from Maven Central" >&2
    local log=$local_root/neo4j.maven.log
    rm -rf "$jars.new"
    mvn -q -B -f "$top/scripts/neo4j/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
      -DoutputDirectory="$jars.new" >"$log" 2>&1 </dev/null ||
      die "Neo4j could not be fetched from Maven Central (is there a network?); see $log"
    chmod -R a+rX "$jars.new"
    mv "$jars.new" "$jars"
  ) 9>"$local_root/neo4j.lock" || exit 1
}

find_java() {
  java=${JAVA_HOME:+$JAVA_HOME/bin/java}
  [ -n "$java" ] && [ -x "$java" ] || java=$(command -v java || true)
  [ -n "$java" ] || die "no Java is installed and Neo4j needs 17; run scripts/install-packages"
  local version
  version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "${version:-0}" -ge 17 ] || die "Neo4j needs Java 17 and $java is ${version:-of an unknown version}; run scripts/install-packages"
}

write_neo4j_configuration() {
  mkdir -p "$dir/neo4j/conf"
  cat >"$dir/neo4j/conf/neo4j.conf" <<TEXT
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:$bolt_port
server.bolt.advertised_address=127.0.0.1:$bolt_port
server.http.listen_address=127.0.0.1:$http_port
server.http.advertised_address=127.0.0.1:$http_port
server.https.enabled=false
dbms.security.auth_enabled=true
dbms.usage_report.enabled=false
server.memory.pagecache.size=$page_cache
db.tx_log.preallocate=false
internal.server.bolt.thread_pool_shutdown_wait_time=0s
TEXT
  hand_over "$dir/neo4j"
}

start_neo4j() {
  [ -n "$(neo4j_pid)" ] || launch_neo4j
  CNX_NEO4J_PASSWORD=$neo4j_password /usr/bin/python3 "$top/scripts/services.d/neo4j_ready.py" \
    "http://127.0.0.1:$http_port" "$(cat "$dir/neo4j.pid")" ||
    die "Neo4j does not start; see $dir/neo4j.console and $dir/neo4j/logs"
}

launch_neo4j() {
  local java jars
  find_java
  require_free_port "Neo4j's Bolt" "$bolt_port" bolt-port
  require_free_port "Neo4j's HTTP" "$http_port" http-port
  neo4j_jars
  write_neo4j_configuration
  # Through exec all the way down, so that the pid is the server's; without this script's lock.
  (
    exec {lock}>&-
    exec setsid "${run_as[@]}" "$java" "-Xms$heap" "-Xmx$heap" -cp "$jars/*" --add-opens=java.base/java.nio=ALL-UNNAMED \
      --add-opens=java.base/java.io=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \
      -XX:+ExitOnOutOfMemoryError org.neo4j.server.CommunityEntryPoint \
      "--home-dir=$dir/neo4j" "--config-dir=$dir/neo4j/conf"
  ) >"$dir/neo4j.console" 2>&1 </dev/null &
  echo $! >"$dir/neo4j.pid"
}

stop_neo4j() {
  local pid
  pid=$(neo4j_pid)
  [ -n "$pid" ] || return 0
  kill -CONT "$pid" 2>/dev/null || true
  kill -TERM "$pid" 2>/dev/null || true
  wait_gone 40 "$pid" || { kill -KILL "$pid" && wait_gone 10 "$pid"; } || die "Neo4j (pid $pid) does not stop"
  rm -f "$dir/neo4j.pid"
}

kill_neo4j() {
  local pid
  pid=$(neo4j_pid)
  [ -n "$pid" ] || die "Neo4j is not running in $dir"
  kill -KILL "$pid"
  wait_gone 20 "$pid" || die "Neo4j (pid $pid) does not end"
}

pause_neo4j() {
  local pid
  pid=$(neo4j_pid)
  [ -n "$pid" ] || die "Neo4j is not running in $dir"
  kill -STOP "$pid"
}

resume_neo4j() {
  local pid
  pid=$(neo4j_pid)
  [ -z "$pid" ] || kill -CONT "$pid"
}

status_neo4j() {
  local pid
  pid=$(neo4j_pid)
  [ -n "$pid" ] || { echo "neo4j: stopped"; return 1; }
  # shellcheck source=/dev/null
  . "$dir/settings"
  # T: paused by SIGSTOP.
  [ "$(process_state "$pid")" != T ] || { echo "neo4j: paused, pid $pid, bolt 127.0.0.1:$bolt_port"; return 1; }
  echo "neo4j: running, pid $pid, bolt 127.0.0.1:$bolt_port, http 127.0.0.1:$http_port"
}
