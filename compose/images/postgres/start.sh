#!/bin/sh
# Make the cluster on the first start, then become the server.
set -eu

data=/var/lib/postgresql/data/cluster
bin=/usr/lib/postgresql/17/bin

if [ ! -s "$data/PG_VERSION" ]; then
  # A first start that was killed half way leaves a folder without a name that counts.
  rm -rf "$data.new"
  "$bin/initdb" --pgdata="$data.new" --username=marquee --pwfile=/run/secrets/postgres \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums
  "$bin/postgres" --single -D "$data.new" postgres <<SQL
CREATE DATABASE marquee
SQL
  mv "$data.new" "$data"
fi

exec "$bin/postgres" -D "$data" -c config_file=/etc/marquee/postgresql.conf
