#!/bin/sh
# Install the missing Debian packages for "run", and for "test" or "bench" besides, when this is root on Debian;
# otherwise print the one line that installs them. Never fails: what is missing is said later.
set -u
purpose=${1:-run}
list=$(dirname "$0")/debian-packages.txt
wanted=$(awk -v purpose="$purpose" '!/^#/ && NF && ($2 == "run" || $2 == purpose) { print $1 }' "$list")
command -v dpkg-query >/dev/null 2>&1 || { echo "Not a Debian system; please provide: $(echo $wanted)"; exit 0; }
missing=""
for package in $wanted; do
    # A Python that did not come from Debian brings its own venv.
    [ "$package" = python3-venv ] && python3 -c 'import ensurepip' 2>/dev/null && continue
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "Missing system packages. Install them with:"
    echo "  sudo apt-get install --no-install-recommends$missing"
    exit 0
fi
echo "Installing system packages:$missing"
# The tests run servers of their own; none of the system's need start (runlevel 1: single user).
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    echo "Could not install:$missing"
exit 0
