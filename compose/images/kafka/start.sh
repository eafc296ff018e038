#!/bin/sh
# Wait for room, format the log folder on the first start, then become the broker.
# KAFKA_PORT: where the broker is published on the host's loopback. KAFKA_ADDRESS: the one of its
# addresses at which it takes and gives lines; KAFKA_READERS_ADDRESS: the one at which it only gives
# them; all where none is said.
set -eu

export CLASSPATH='/opt/kafka/libs/*:/opt/kafka/classes'
log4j=-Dlog4j2.configurationFile=/etc/marquee/log4j2.properties
config=/etc/marquee/server.properties
natives=/opt/kafka/natives
agent=$(find /opt/kafka/libs -name 'jmx_prometheus_javaagent-*.jar')

# A broker that opens its logs where nothing can be written takes them for damaged and empties
# them, that of its topics first. A full disk stops it; so it stays stopped until there is room.
room_mib() { df --output=avail --block-size=1M /var/lib/kafka/data | tail -n 1 | tr -d " "; }
while [ "$(room_mib)" -lt 256 ]; do
  echo "waiting for room: $(room_mib) MiB are free, 256 are needed to open the logs unharmed"
  sleep 5
done

# The id only tells clusters apart; a fixed one lets a killed first start be repeated.
java -Xmx128m "$log4j" kafka.tools.StorageTool format --ignore-formatted \
  --cluster-id TWFycXVlZUNsdXN0ZXJJZA --config "$config"

exec java -Xms256m -Xmx384m -XX:+UseSerialGC "-javaagent:$agent=9404:/etc/marquee/metrics.yml" \
  "-Djava.library.path=$natives" -Dorg.xerial.snappy.use.systemlib=true \
  "-DZstdNativePath=$natives/libzstd-jni.so" \
  "$log4j" kafka.Kafka "$config" \
  --override "listeners=READERS://${KAFKA_READERS_ADDRESS-}:19092,INSIDE://${KAFKA_ADDRESS-}:19093,OUTSIDE://${KAFKA_ADDRESS-}:9092,CONTROLLER://localhost:9093" \
  --override "advertised.listeners=READERS://kafka:19092,INSIDE://kafka:19093,OUTSIDE://localhost:${KAFKA_PORT}"
