#!/bin/sh
# Format the log folder on the first start, then become the broker.
# KAFKA_PORT: where the broker is published on the host's loopback.
set -eu

export CLASSPATH='/opt/kafka/libs/*'
log4j=-Dlog4j2.configurationFile=/etc/marquee/log4j2.properties
config=/etc/marquee/server.properties
natives=/opt/kafka/natives
agent=$(find /opt/kafka/libs -name 'jmx_prometheus_javaagent-*.jar')

# The id only tells clusters apart; a fixed one lets a killed first start be repeated.
java -Xmx128m "$log4j" kafka.tools.StorageTool format --ignore-formatted \
  --cluster-id TWFycXVlZUNsdXN0ZXJJZA --config "$config"

exec java -Xms256m -Xmx384m -XX:+UseSerialGC "-javaagent:$agent=9404:/etc/marquee/metrics.yml" \
  "-Djava.library.path=$natives" -Dorg.xerial.snappy.use.systemlib=true \
  "-DZstdNativePath=$natives/libzstd-jni.so" \
  "$log4j" kafka.Kafka "$config" \
  --override "advertised.listeners=INSIDE://kafka:19092,OUTSIDE://localhost:${KAFKA_PORT}"
