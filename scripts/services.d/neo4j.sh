# Neo4j Community, from Maven Central, as a private server; sourced by scripts/services.

# Sets: neo4j_artifact, neo4j_java (the least that runs it).
find_neo4j() {
  read -r neo4j_artifact neo4j_java < <(awk -v v="$neo4j_version" '$1 == v { print $2, $3 }' "$top/scripts/neo4j/versions.txt") ||
    die "Neo4j $neo4j_version is none of those that scripts/neo4j/versions.txt has"
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
db.tx_log.rotation.retention_policy=1G size
internal.server.bolt.thread_pool_shutdown_wait_time=0s
TEXT
  echo "$neo4j_version" >"$dir/neo4j/version"
  hand_over "$dir/neo4j"
}

start_neo4j() {
  [ -n "$(java_server_pid neo4j)" ] || launch_neo4j
  CNX_NEO4J_PASSWORD=$neo4j_password /usr/bin/python3 "$top/scripts/services.d/neo4j_ready.py" \
    "http://127.0.0.1:$http_port" "$(cat "$dir/neo4j.pid")" ||
    die "Neo4j does not start; see $dir/neo4j.console and $dir/neo4j/logs"
}

launch_neo4j() {
  local java jars neo4j_artifact neo4j_java main=org.neo4j.server.CommunityEntryPoint
  find_neo4j
  find_java "Neo4j $neo4j_version" "$neo4j_java"
  require_free_port "Neo4j's Bolt" "$bolt_port" bolt-port
  require_free_port "Neo4j's HTTP" "$http_port" http-port
  java_server_jars neo4j Neo4j "$neo4j_artifact"
  [ "$neo4j_version" = 5.26 ] || compile_neo4j_starter
  [ "$(cat "$dir/neo4j/version" 2>/dev/null || echo "$neo4j_version")" = "$neo4j_version" ] ||
    die "the data in $dir were made by another Neo4j than $neo4j_version; choose another --dir, or destroy it"
  write_neo4j_configuration
  launch_java_server neo4j "-Xms$heap" "-Xmx$heap" -cp "$jars/*" --add-opens=java.base/java.nio=ALL-UNNAMED \
    --add-opens=java.base/java.io=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \
    -XX:+ExitOnOutOfMemoryError "$main" \
    "--home-dir=$dir/neo4j" "--config-dir=$dir/neo4j/conf"
}

# Sets main. The class goes beside the jars, and onto the class path with them.
compile_neo4j_starter() {
  main=StartCommunity
  [ ! -f "$jars/starter.jar" ] || return 0
  command -v javac >/dev/null || die "Neo4j $neo4j_version needs a Java compiler to be started; run scripts/install-packages"
  local made
  made=$(mktemp -d)
  javac --release 17 -d "$made" "$top/scripts/neo4j/StartCommunity.java" && (cd "$made" && /usr/bin/python3 -m zipfile -c starter.jar StartCommunity.class) ||
    die "scripts/neo4j/StartCommunity.java does not compile"
  chmod a+r "$made/starter.jar"
  mv "$made/starter.jar" "$jars/starter.jar"
  rm -rf "$made"
}

stop_neo4j() { stop_java_server neo4j Neo4j; }
kill_neo4j() { kill_java_server neo4j Neo4j; }
pause_neo4j() { pause_java_server neo4j Neo4j; }
resume_neo4j() { resume_java_server neo4j; }

status_neo4j() {
  # shellcheck source=/dev/null
  . "$dir/settings"
  status_java_server neo4j "bolt 127.0.0.1:$bolt_port, http 127.0.0.1:$http_port"
}
