# Where an instance lives and as whom its servers run; sourced by scripts/services. Sets: local_root, dir, run_as.

# The unprivileged user: PostgreSQL refuses to run as root. Debian's package makes `postgres`.
service_user=postgres
run_as=()
if [ "$(id -u)" = 0 ]; then
  getent passwd "$service_user" >/dev/null || die "the user $service_user is missing; run scripts/install-packages"
  run_as=(setpriv "--reuid=$service_user" "--regid=$service_user" --init-groups env "HOME=/nonexistent")
fi

# Gives a path to the user that the servers run as.
hand_over() {
  [ ${#run_as[@]} = 0 ] || chown -R "$service_user:$service_user" "$@"
}

# Resolves DIR without creating it.
find_place() {
  local_root=$top/.local
  dir=${1:-.local/services}
  case $dir in
    /*) ;;
    .local/*) dir=$top/$dir ;;
    *) dir=$PWD/$dir ;;
  esac
  # A link is resolved: its path may lead through a directory that is closed to the servers.
  [ ! -d "$local_root" ] || local_root=$(cd "$local_root" && pwd -P)
  [ ! -d "$dir" ] || dir=$(cd "$dir" && pwd -P)
}

# Creates .local and DIR. A clone below a closed home directory (/root) cannot be reached by an unprivileged server; then .local is
# a link to a directory that can.
choose_place() {
  find_place "$1"
  if [ ! -e "$local_root" ]; then
    if [ ${#run_as[@]} = 0 ] || "${run_as[@]}" test -x "$top"; then
      mkdir -p "$local_root"
    else
      local elsewhere
      elsewhere=/var/lib/contextnexus-$(printf '%s' "$top" | cksum | cut -d' ' -f1)
      mkdir -p "$elsewhere"
      ln -s "$elsewhere" "$local_root"
    fi
  fi
  mkdir -p "$dir"
  find_place "$dir"
  if [ ${#run_as[@]} -gt 0 ] && ! "${run_as[@]}" test -x "$dir"; then
    die "the user $service_user cannot reach $dir; choose another --dir"
  fi
}

# Runs a command while no other run of this script works on the same directory.
locked() {
  [ -d "$dir" ] || die "there is nothing in $dir; start it first"
  exec {lock}>"$dir/lock"
  flock -w 180 "$lock" || die "another run is busy in $dir"
  "$@"
  exec {lock}>&-
}

# True where the process PID is there and its command line holds the path PATH, which no one else's does.
is_ours() {
  local pid=$1 path=$2
  [[ $pid =~ ^[0-9]+$ ]] && [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$path"
}

# Waits until the processes are gone: seconds, pids….
wait_gone() {
  local left=$(($1 * 10)) pid
  shift
  for pid in "$@"; do
    while [ -d "/proc/$pid" ] && [ "$(process_state "$pid")" != Z ]; do
      [ $((left -= 1)) -gt 0 ] || return 1
      sleep 0.1
    done
  done
}

process_state() {
  sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null || true
}
