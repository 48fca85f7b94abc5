#!/usr/bin/env bash
# Makes .venv with the Python given, or says in words what is missing.
set -eu
python=${1:-python3}
if ! command -v "$python" >/dev/null; then
  echo "HRIMS Sync needs Python 3.11 or later, and there is no $python here." >&2
  echo "Debian and Ubuntu: apt-get install python3 python3-venv" >&2
  exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "HRIMS Sync needs Python 3.11 or later; $python is $("$python" -V 2>&1)." >&2
  echo "Name another one: make PYTHON=python3.12 run" >&2
  exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "This Python cannot make virtual environments: its venv module is not installed." >&2
  echo "Debian and Ubuntu: apt-get install python${version}-venv    then again: make run" >&2
  exit 1
fi
rm -rf .venv
"$python" -m venv .venv || { rm -rf .venv; exit 1; }
