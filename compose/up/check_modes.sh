# shellcheck shell=bash
# Services run as users of their own, and read what images and volumes take from this checkout.

check_modes() {
  local closed
  closed=$(find "${IN_IMAGES[@]}" -name __pycache__ -prune -o \( -type f ! -perm -o=r -o -type d ! -perm -o=rx \) -print -quit 2> /dev/null || true)
  [ -z "$closed" ] || fail "$closed is not readable by others, as which services run" \
    "A umask of 077 or 027 does that to a clone. Mend it: chmod -R go+rX ${IN_IMAGES[*]}"
}
