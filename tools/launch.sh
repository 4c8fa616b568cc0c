# Read by bin/altnet and bin/alternate, which have set `root` (the checkout), `program` (its name) and
# `source` (the script in it); `$@` are the user's words. Replaces this shell by the pinned Node.js,
# so that no launcher stays in memory, and leaves the working folder as it is.

root=$(CDPATH='' cd -- "$root" && pwd -P) || exit 1
modules=$root/node_modules

# 1. Which Node.js. The way to the pinned one is remembered in node_modules/.altnet-runtime. It
#    counts as long as it is newer than what was installed and what should be; else tools/run.mjs
#    looks again, and installs what is missing. A file from later than now was written while the clock
#    was wrong: its time says nothing, here and below (-mmin -0 finds it, to the second).
memory=$modules/.altnet-runtime
runtime=
if [ "$memory" -nt "$root/package-lock.json" ] &&
  [ "$memory" -nt "$modules/.package-lock.json" ] && [ -z "$(find "$memory" -mmin -0)" ]; then
  IFS= read -r runtime <"$memory" || runtime=
  # Kept relative to the checkout where possible: a checkout that was moved uses its own.
  case $runtime in
    '' | /*) ;;
    *) runtime=$root/$runtime ;;
  esac
fi

if [ ! -x "$runtime" ]; then
  if ! command -v node >/dev/null 2>&1; then
    echo 'altnet: Node.js 20 or newer and npm are needed to install the rest; see https://nodejs.org' >&2
    exit 1
  fi
  runtime=$(node "$root/tools/run.mjs" tools/print-runtime.ts) || exit 1
  # Nothing is lost where this cannot be written, but time at the next start.
  { echo "${runtime#"$root/"}" >"$memory"; } 2>/dev/null || :
fi

# 2. Which script: the bundle that dist/current names, unless a source is newer than it, or one of
#    them from later than now; then it is made again. Where that fails, and in a checkout that this user may not write, the sources run.
current=$root/dist/current
is_current() {
  [ -f "$current" ] && stale=$(find "$root/src" "$root/package-lock.json" "$root/tools/build.ts" \
    "$current" \( -newer "$current" -o -mmin -0 \) ! -name '*.test.ts' -type f -print) &&
    [ -z "$stale" ]
}
find_bundle() {
  IFS= read -r bundle <"$current" && bundle=$root/dist/$bundle && [ -f "$bundle/$program.js" ]
}

cache=$modules/.cache/altnet-compile
entry=
if is_current && find_bundle; then
  entry=$bundle/$program.js
elif [ -w "$root" ]; then
  # One that was made now counts even if somebody is writing on: it is from after this start.
  if NODE_COMPILE_CACHE=$cache "$runtime" "$root/tools/build.ts" && find_bundle; then
    entry=$bundle/$program.js
  else
    echo 'altnet: going on with the sources, which take longer to start' >&2
  fi
fi
if [ -n "$entry" ]; then
  cache=$bundle/cache
else
  entry=$root/$source
fi

# 3. How. Compiled code is kept from run to run, so that scripts are parsed once. A small nursery for
#    short-lived objects costs no speed that could be measured, and saves 10 MB at rest and 50 MB
#    while large files pass through. (Fewer malloc arenas, MALLOC_ARENA_MAX=2, would save 3 MB more,
#    but threads then wait for each other: a fetch took a fifth longer. A bound for
#    the old space, --max-old-space-size=1024, makes V8 keep less garbage: a fetch of 10,000 files
#    takes 40 MB less, but one of a large file half as much time of the processor again.)
NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-$cache}
export NODE_COMPILE_CACHE
exec "$runtime" --max-semi-space-size=2 \
  ${ALTNET_WITH_PARENT:+-r "$root/tools/with-parent.mjs"} "$entry" "$@"
