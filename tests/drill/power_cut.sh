#!/usr/bin/env bash
# What our broker loses when the power is cut: its data lie on a file system in a file, and
# what that file holds at the moment of the cut is all that is left. As root, where loop
# devices can be mounted; IMAGE_PREFIX names the images of the broker and of the tests.
#
#     IMAGE_PREFIX=marquee-test tests/drill/power_cut.sh
set -euo pipefail

IMAGE_PREFIX=${IMAGE_PREFIX:-marquee-test}
PORT=${PORT:-29292}
work=$(mktemp -d)
container=power-cut-$$
trap clean_up EXIT

clean_up() {
  docker rm --force "$container" > /dev/null 2>&1 || true
  umount --lazy "$work/disk" 2> /dev/null || true
  rm -rf "$work"
}

# mount_disk IMAGE: nothing reaches the image but what is flushed, for as long as this takes
mount_disk() {
  mkdir -p "$work/disk"
  mount -o loop,commit=600 "$1" "$work/disk"
}

start_broker() {
  docker run --detach --name "$container" --hostname kafka --publish "127.0.0.1:$PORT:9092" \
    --env "KAFKA_PORT=$PORT" --volume "$work/disk/data:/var/lib/kafka/data" \
    --entrypoint start-kafka "$IMAGE_PREFIX/kafka" > /dev/null
}

in_tests() {
  docker run --rm --network host --volume "$PWD:/src" --volume /var/run/docker.sock:/var/run/docker.sock \
    "$IMAGE_PREFIX/tests" python -m tests.drill.power_cut "$@"
}

truncate --size 1G "$work/before.img"
mkfs.ext4 -q "$work/before.img"
mount_disk "$work/before.img"
install --directory --owner=1000 --group=1000 "$work/disk/data"
sync --file-system "$work/disk"
start_broker
acknowledged=$(in_tests publish "localhost:$PORT" "$container")
cp --sparse=always "$work/before.img" "$work/after.img"
docker rm --force "$container" > /dev/null
umount "$work/disk"
mount_disk "$work/after.img"
start_broker
in_tests lost "localhost:$PORT" "$acknowledged"
