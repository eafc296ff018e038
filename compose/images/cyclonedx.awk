# Lines of list-components.sh as a bill of materials in CycloneDX 1.5; the same lines make the
# same bytes.
#
# Usage: awk -v image=NAME -v id=SHA256 -f cyclonedx.awk

BEGIN {
  FS = "\t"
  print "{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.5\", \"version\": 1,"
  print " \"metadata\": {\"component\": {\"type\": \"container\", \"name\": " quoted(image) ", \"version\": " quoted(id) "}},"
  printf " \"components\": ["
}

{
  printf "%s\n  {\"type\": \"library\", \"name\": %s, \"version\": %s", separator, quoted($2), quoted($3)
  if ($1 == "deb") printf ", \"purl\": %s", quoted("pkg:deb/debian/" encoded($2) "@" encoded($3) "?arch=" $4)
  if ($1 == "pypi") printf ", \"purl\": %s", quoted("pkg:pypi/" normalized($2) "@" encoded($3))
  if ($1 == "pypi" && $4 != "") printf ", \"licenses\": [{\"license\": {\"name\": %s}}]", quoted($4)
  printf "}"
  separator = ","
}

END { print "\n ]}" }

function quoted(text) {
  gsub(/\\/, "&&", text)
  gsub(/"/, "\\\"", text)
  gsub(/[[:cntrl:]]/, " ", text)
  return "\"" text "\""
}

# as purl writes what has a meaning in an address
function encoded(text) {
  gsub(/%/, "%25", text)
  gsub(/\+/, "%2B", text)
  return text
}

# PEP 503
function normalized(name) {
  gsub(/[-_.]+/, "-", name)
  return tolower(name)
}
