# shellcheck shell=bash
# Which code this is; every model version names it.

# The tree that this is about: this one, or one that Jenkins sent its helper.
SOURCE=${MARQUEE_SOURCE:-.}
IN_IMAGES=(ci compose ingest monitoring nginx recommender trainer)
# In a zip or tar archive that git made, git has put the commit here; in the helper's image, its build.
ARCHIVED_COMMIT=$SOURCE/compose/images/commit.txt

# commit: the commit, with -dirty where files differ from it, or where some that it does not have
# lie in the folders that images take; "unknown" where nobody can tell
commit() {
  local found
  if found=$(in_repository rev-parse --verify HEAD 2> /dev/null); then
    if [ -n "$(changed --untracked-files=no; changed --untracked-files=all -- "${IN_IMAGES[@]}")" ]; then found+=-dirty; fi
  else
    found=$(grep -xE '[0-9a-f]{40}(-dirty)?' "$ARCHIVED_COMMIT" || echo unknown)
  fi
  printf '%s' "$found"
}

changed() { in_repository status --porcelain "$@" 2> /dev/null; }

# The folder is named, not searched for: git refuses to find one that is another user's.
in_repository() { git --git-dir="$SOURCE/.git" --work-tree="$SOURCE" "$@"; }

check_commit() {
  [ "$(commit)" != unknown ] ||
    say "No commit can be told of this folder (no .git, or no git): model versions will name their code 'unknown'"
}
