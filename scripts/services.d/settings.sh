# What an instance keeps between runs (ports, passwords, memory) and the env file made of it; sourced by scripts/services.
# DIR/settings is written once and read back at each start, so that addresses handed out stay true.

choose_settings() {
  postgres_port='' bolt_port='' http_port='' kafka_port='' kafka_controller_port='' postgres_password='' neo4j_password=''
  kept_heap='' kept_page_cache='' kept_brief='' kept_postgres_version='' kept_neo4j_version=''
  # shellcheck source=/dev/null
  [ ! -f "$dir/settings" ] || . "$dir/settings"
  local free
  read -r -a free < <(/usr/bin/python3 "$top/scripts/services.d/free_ports.py" 5)
  postgres_port=${asked_postgres_port:-${postgres_port:-${free[0]}}}
  bolt_port=${asked_bolt_port:-${bolt_port:-${free[1]}}}
  http_port=${asked_http_port:-${http_port:-${free[2]}}}
  kafka_port=${asked_kafka_port:-${kafka_port:-${free[3]}}}
  kafka_controller_port=${asked_kafka_controller_port:-${kafka_controller_port:-${free[4]}}}
  heap=${heap:-${kept_heap:-1g}}
  # The environment's are those of the instance that a test runs against: what it makes beside that is of the same.
  postgres_version=${asked_postgres_version:-${kept_postgres_version:-${CNX_POSTGRES_VERSION:-15}}}
  neo4j_version=${asked_neo4j_version:-${kept_neo4j_version:-${CNX_NEO4J_VERSION:-5.26}}}
  page_cache=${page_cache:-${kept_page_cache:-256m}}
  brief=${brief:-$kept_brief}
  : "${postgres_password:=$(new_password)}" "${neo4j_password:=$(new_password)}"
  (umask 077 && cat >"$dir/settings.new" <<TEXT
postgres_port=$postgres_port
bolt_port=$bolt_port
http_port=$http_port
kafka_port=$kafka_port
kafka_controller_port=$kafka_controller_port
kept_heap=$heap
kept_page_cache=$page_cache
kept_brief=$brief
kept_postgres_version=$postgres_version
kept_neo4j_version=$neo4j_version
postgres_password=$postgres_password
neo4j_password=$neo4j_password
TEXT
  )
  mv "$dir/settings.new" "$dir/settings"
}

new_password() {
  /usr/bin/python3 -c 'import secrets; print(secrets.token_hex(12))'
}

write_env() {
  (umask 077 && cat >"$dir/env.new" <<TEXT
export CNX_SERVICES_DIR='$dir'
export PGHOST=127.0.0.1
export PGPORT=$postgres_port
export PGUSER=postgres
export PGPASSWORD=$postgres_password
export PGDATABASE=contextnexus
export CNX_POSTGRES_URL='postgresql://postgres:$postgres_password@127.0.0.1:$postgres_port/contextnexus'
export CNX_POSTGRES_VERSION=$postgres_version
export CNX_NEO4J_VERSION=$neo4j_version
export CNX_NEO4J_URL='bolt://neo4j:$neo4j_password@127.0.0.1:$bolt_port'
export CNX_NEO4J_HTTP='http://127.0.0.1:$http_port'
export CNX_NEO4J_USER=neo4j
export CNX_NEO4J_PASSWORD=$neo4j_password
TEXT
    [ ! -d "$dir/kafka" ] || echo "export CNX_KAFKA=127.0.0.1:$kafka_port" >>"$dir/env.new"
  )
  mv "$dir/env.new" "$dir/env"
}

# Ends with a clear line where something else listens on a port of ours.
require_free_port() {
  /usr/bin/python3 "$top/scripts/services.d/free_ports.py" --check "$2" ||
    die "port $2 for $1 is in use by another program; free it, or choose another with --$3 N"
}
