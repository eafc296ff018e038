#!/bin/sh
# Make the cluster on the first start, then become the server. The owner's password is what the
# secrets volume says: where that was lost and made anew, the cluster takes the new one.
set -eu

data=/var/lib/postgresql/data/cluster
known=/var/lib/postgresql/data/owner-password.sha256
bin=/usr/lib/postgresql/17/bin
secret=/run/secrets/postgres

# alone DATABASE FOLDER: statements from standard input, one a line, without a server. What a
# killed server left says that it is running as this very shell, so that is said to be no reason.
alone() { PG_GRANDPARENT_PID=$$ "$bin/postgres" --single -D "$2" "$1" > /dev/null; }

if [ ! -s "$data/PG_VERSION" ]; then
  # A first start that was killed half way leaves a folder without a name that counts.
  rm -rf "$data.new"
  "$bin/initdb" --pgdata="$data.new" --username=marquee --pwfile="$secret" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums
  echo "CREATE DATABASE marquee" | alone postgres "$data.new"
  sha256sum < "$secret" > "$known"
  mv "$data.new" "$data"
fi

# 192 random bits: their hash tells nobody anything
if ! sha256sum < "$secret" | cmp -s - "$known"; then
  echo "the owner's password is not the one of the last start: taking it from the secrets volume"
  sed "s/'/''/g; s/.*/ALTER ROLE marquee PASSWORD '&'/" "$secret" | alone postgres "$data"
  sha256sum < "$secret" > "$known"
fi

exec "$bin/postgres" -D "$data" -c config_file=/etc/marquee/postgresql.conf
