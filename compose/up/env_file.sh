# shellcheck shell=bash
# .env, read exactly as Compose reads it. A line that would be read otherwise is refused by
# its number: no value means two things.

# shellcheck disable=SC2034  # settings.sh uses them
declare -A REMEMBERED=() REMEMBERED_AT=()

ENV_LINE='^[[:blank:]]*(export[[:blank:]]+)?([A-Za-z_][A-Za-z0-9_]*)=[[:blank:]]*(.*)$'
ENV_COMMENT='[[:blank:]]*([[:blank:]]#.*)?$'
ENV_SINGLE="^'(([^'\\]|\\\\[^\\])*)'$ENV_COMMENT"
ENV_DOUBLE="^\"(([^\"\\\$]|\\\\[\"\\\$])*)\"$ENV_COMMENT"
ENV_PLAIN="^([^\$[:space:]'\"#]([^\$]*[^\$[:space:]])?)?\$"

# read_env_file FILE: what it says goes to REMEMBERED, and to REMEMBERED_AT the number of the line;
# of two lines for a name the last counts
read_env_file() {
  local file=$1 line number=0 name value
  REMEMBERED=() REMEMBERED_AT=()
  [ -e "$file" ] || return 0
  check_is_text "$file"
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    [ "$number" -gt 1 ] || line=${line#$'\xef\xbb\xbf'}  # a byte order mark
    name='' value=''
    parse_env_line "$line" ||
      fail "$file, line $number is not what Compose and these scripts read alike" \
        "Write NAME='value', or take the line out. It is: $(printable "$line")"
    if [ -n "$name" ]; then REMEMBERED[$name]=$value REMEMBERED_AT[$name]=$number; fi
  done < "$file"
}

check_is_text() {
  if [ ! -f "$1" ] || [ ! -r "$1" ]; then
    fail "$1 cannot be read" "Make it a file that $(id -un) may read."
  fi
  [ "$(tr -d '\000' < "$1" | wc -c)" -eq "$(wc -c < "$1")" ] ||
    fail "$1 holds zero bytes" "Save it as UTF-8."
}

printable() { printf '%.80q' "$1"; }

# parse_env_line LINE: sets name and value; name stays empty where the line sets nothing
parse_env_line() {
  local LC_ALL=C line=${1%$'\r'} rest
  [[ ! $line =~ ^[[:blank:]]*(#.*)?$ ]] || return 0
  [[ ${line//$'\t'/} != *[[:cntrl:]]* && $line =~ $ENV_LINE ]] || return 1
  rest=${BASH_REMATCH[3]}
  name=${BASH_REMATCH[2]}
  parse_env_value "$rest"
}

parse_env_value() {
  if [[ $1 =~ $ENV_SINGLE ]]; then
    value=${BASH_REMATCH[1]//\\\'/\'}
  elif [[ $1 =~ $ENV_DOUBLE ]]; then
    unescape "${BASH_REMATCH[1]}"
  else
    plain "$1"
  fi
}

# Pairs of backslashes first; no control character is in the text.
unescape() {
  value=${1//\\\\/$'\1'}
  value=${value//\\\"/\"}
  value=${value//\\\$/\$}
  value=${value//$'\1'/\\}
}

# plain TEXT: unquoted; it ends before a comment, and before blanks at its end
plain() {
  local text=${1%%' #'*}
  text=${text%"${text##*[![:blank:]]}"}
  [[ $text =~ $ENV_PLAIN && $text != *[![:print:]]* ]] && value=$text
}

# quoted VALUE: as .env holds it
quoted() {
  local value=$1
  if [[ $value == *[\'\\]* ]]; then
    value=${value//\\/\\\\}
    value=${value//\"/\\\"}
    printf '"%s"' "${value//\$/\\\$}"
  else
    printf "'%s'" "$value"
  fi
}
