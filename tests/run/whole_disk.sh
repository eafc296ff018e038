# shellcheck shell=bash
# One disk that is full for everything at once: a stack whose volumes lie on a file system in a
# file. As root, where loop devices can be mounted.

whole_disk() {
  [ "$(id -u)" -eq 0 ] || fail "a disk of its own cannot be mounted" "Run it as root."
  export COMPOSE_PROJECT_NAME=marquee-test COMPOSE_FILE=docker-compose.yml:tests/drill/one_disk.yml
  trap remove_one_disk EXIT
  remove_stack || true
  make_one_disk
  start_stack
  make retrain
  in_tests_image --volume /var/run/docker.sock:/var/run/docker.sock --volume "$ONE_DISK:$ONE_DISK" \
    --env-file <(stack_environment) --env ONE_DISK \
    -- pytest tests/end_to_end/test_9_whole_disk.py
  remove_one_disk
  trap - EXIT
}

# Without blocks that only root may use: full is full for all.
make_one_disk() {
  local folder
  DISK_FILE=$(mktemp) ONE_DISK=$(mktemp --directory)
  export ONE_DISK
  truncate --size 2G "$DISK_FILE"
  mkfs.ext4 -q -m 0 "$DISK_FILE"
  mount -o loop "$DISK_FILE" "$ONE_DISK"
  for folder in postgres kafka models state page receipts-blue receipts-green prometheus; do
    mkdir "$ONE_DISK/$folder"
  done
}

remove_one_disk() {
  remove_stack || true
  umount --lazy "$ONE_DISK" 2> /dev/null || true
  rm -rf "$DISK_FILE" "$ONE_DISK"
}
