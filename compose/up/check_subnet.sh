# shellcheck shell=bash
# The two /24 in which services have fixed addresses; only looks. One that this host uses already
# would stop the start half way: another takes its place, unless just this one was asked for.

choose_subnets() {
  choose_subnet SUBNET_PREFIX published
  choose_subnet SLOTS_SUBNET_PREFIX answers
}

# choose_subnet SETTING NETWORK
choose_subnet() {
  local -n prefix=$1 asked=$1_ASKED
  local own
  own=$(own_subnet "$2")
  if [ -n "$own" ]; then
    [ -z "$asked" ] || [ "$asked" = "$own" ] ||
      fail "this stack's network is $own.0/24" "To move it: make down, then make up $1=$asked"
    prefix=$own
  elif is_taken "$prefix" "$(ranges_in_use "$1")"; then
    take_another "$1"
  fi
}

take_another() {
  local wanted=$prefix
  prefix=$(free_subnet "$1")
  [ -z "$asked" ] ||
    fail "the subnet $wanted.0/24 is in use on this host" "Free, for one: make up $1=$prefix"
  say "The subnet $wanted.0/24 is in use on this host; taking $prefix.0/24"
}

# own_subnet NETWORK: the first three numbers of the one that this stack has already, if it has one
own_subnet() {
  docker network inspect "${COMPOSE_PROJECT_NAME}_$1" \
    --format '{{range .IPAM.Config}}{{.Subnet}}{{end}}' 2> /dev/null | sed -n 's|\.0/24$||p' || true
}

# free_subnet SETTING
free_subnet() {
  local prefix ranges
  ranges=$(ranges_in_use "$1")
  for prefix in 172.31.{250..230} 10.231.{0..20} 192.168.{250..230}; do
    if ! is_taken "$prefix" "$ranges"; then printf '%s' "$prefix"; return; fi
  done
  fail "no free subnet was found" "Name one: make up SUBNET_PREFIX=<three numbers>"
}

# is_taken PREFIX RANGES: whether a range, one a line as its first and last address, meets it
is_taken() {
  local first last from to
  first=$(number_of "$1.0")
  last=$((first + 255))
  while read -r from to; do
    if [ -n "$from" ] && ((from <= last && to >= first)); then return 0; fi
  done <<< "$2"
  return 1
}

# ranges_in_use SETTING: by others than the network that it is for
ranges_in_use() {
  if [ "$1" = SLOTS_SUBNET_PREFIX ]; then echo "$(number_of "$SUBNET_PREFIX.0") $(number_of "$SUBNET_PREFIX.255")"; fi
  routes
  networks_of_the_engine
}

# The kernel's routes but the default one; addresses and masks are little-endian there.
routes() {
  local destination mask first
  while read -r _ destination _ _ _ _ _ mask _; do
    if [[ $mask =~ ^[0-9A-F]{8}$ && $mask != 00000000 ]]; then
      first=$(turned "$destination")
      echo "$first $((first + (~$(turned "$mask") & 0xFFFFFFFF)))"
    fi
  done < "${MARQUEE_ROUTES:-/proc/net/route}"
}

turned() { echo $((16#${1:6:2}${1:4:2}${1:2:2}${1:0:2})); }

# Also those that no route leads to
networks_of_the_engine() {
  local subnet bits first
  subnets_of_the_engine | while IFS=/ read -r subnet bits; do
    if [[ $subnet =~ ^[0-9.]+$ ]]; then
      first=$(number_of "$subnet")
      echo "$first $((first + (1 << (32 - bits)) - 1))"
    fi
  done
}

subnets_of_the_engine() {
  local networks
  networks=$(docker network ls --quiet 2> /dev/null) || return 0
  # shellcheck disable=SC2086  # one word each
  docker network inspect --format '{{range .IPAM.Config}}{{println .Subnet}}{{end}}' $networks
}

number_of() {
  local a b c d
  IFS=. read -r a b c d <<< "$1"
  echo $(((10#$a << 24) + (10#$b << 16) + (10#$c << 8) + 10#$d))
}
