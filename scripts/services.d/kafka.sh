# Kafka, from Maven Central, as a private server: one node that is broker and controller (KRaft); sourced by scripts/services.

kafka_version=$(sed -n 's/.*<kafka.version>\(.*\)<.*/\1/p' "$top/scripts/kafka/pom.xml")
# Enough for tests; a broker keeps its data in the page cache.
kafka_heap=256m

# Of a single node: what is made of three copies by default is made of one. A topic has to be made before it is written to, so that
# a misspelt name is noticed.
write_kafka_configuration() {
  mkdir -p "$dir/kafka"
  cat >"$dir/kafka/server.properties" <<TEXT
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$kafka_controller_port
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$kafka_port,CONTROLLER://127.0.0.1:$kafka_controller_port
advertised.listeners=PLAINTEXT://127.0.0.1:$kafka_port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/kafka/data
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
TEXT
  cat >"$dir/kafka/log4j2.properties" <<TEXT
rootLogger.level=warn
rootLogger.appenderRefs=console
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %c: %m%n
logger.start.name=kafka.server.KafkaRaftServer
logger.start.level=info
TEXT
  hand_over "$dir/kafka"
}

start_kafka() {
  [ -n "$(java_server_pid kafka)" ] || launch_kafka
  /usr/bin/python3 "$top/scripts/services.d/kafka_ready.py" "$kafka_port" "$(cat "$dir/kafka.pid")" ||
    die "Kafka does not start; see $dir/kafka.console"
}

launch_kafka() {
  local java jars
  find_java Kafka 17
  require_free_port Kafka "$kafka_port" kafka-port
  require_free_port "Kafka's controller" "$kafka_controller_port" kafka-controller-port
  java_server_jars kafka Kafka "$kafka_version"
  write_kafka_configuration
  local tools=("${run_as[@]}" "$java" -Xmx128m "-Dlog4j2.configurationFile=$dir/kafka/log4j2.properties" -cp "$jars/*"
    kafka.tools.StorageTool)
  # Any name will do for a cluster of one: 16 bytes in base64.
  [ -d "$dir/kafka/data" ] ||
    "${tools[@]}" format -t Y29udGV4dG5leHVzLTAwMQ -c "$dir/kafka/server.properties" >"$dir/kafka.format.log" 2>&1 ||
    die "Kafka's storage cannot be made; see $dir/kafka.format.log"
  launch_java_server kafka "-Xms$kafka_heap" "-Xmx$kafka_heap" "-Dlog4j2.configurationFile=$dir/kafka/log4j2.properties" \
    -cp "$jars/*" -XX:+ExitOnOutOfMemoryError kafka.Kafka "$dir/kafka/server.properties"
}

stop_kafka() { stop_java_server kafka Kafka; }
kill_kafka() { kill_java_server kafka Kafka; }
pause_kafka() { pause_java_server kafka Kafka; }
resume_kafka() { resume_java_server kafka; }

status_kafka() {
  # shellcheck source=/dev/null
  . "$dir/settings"
  status_java_server kafka "127.0.0.1:$kafka_port"
}
