# Read by bin/altnet and bin/alternate, which have set `root` (the checkout) and `entry` (the script
# in it); `$@` are the user's words. Replaces this shell by the pinned Node.js, so that no launcher
# stays in memory, and leaves the working folder as it is.
#
# The way to the pinned Node.js is remembered in node_modules/.altnet-runtime. It counts as long as
# it is newer than what was installed and what should be; else tools/run.mjs looks again, and
# installs what is missing.

root=$(CDPATH='' cd -- "$root" && pwd -P) || exit 1
modules=$root/node_modules
memory=$modules/.altnet-runtime
runtime=

if [ "$memory" -nt "$root/package-lock.json" ] &&
  [ "$memory" -nt "$modules/.package-lock.json" ]; then
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
  echo "${runtime#"$root/"}" 2>/dev/null >"$memory" || :
fi

# Compiled code is kept from run to run: types are stripped and scripts parsed once.
NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-$modules/.cache/altnet-compile}
export NODE_COMPILE_CACHE
exec "$runtime" "$root/$entry" "$@"
