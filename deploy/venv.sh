#!/usr/bin/env bash
# Makes .venv with the Python given and installs a lock file into it, or says in words what is missing.
#   deploy/venv.sh PYTHON LOCK    An environment that was left half made or broken is begun anew.
set -eu
python=${1:-python3} lock=${2:-requirements.lock}
begun=.venv/begun

if ! command -v "$python" >/dev/null; then
  echo "HRIMS Sync needs Python 3.11 or later, and there is no $python here." >&2
  echo "Debian and Ubuntu: apt-get install python3 python3-venv    then again: make run" >&2
  exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "HRIMS Sync needs Python 3.11 or later; $python is $("$python" -V 2>&1)." >&2
  echo "Name another one: make PYTHON=python3.12 run" >&2
  exit 1
fi

# Whole: nobody was interrupted in it, and its Python still finds what is installed beside it.
whole() {
  [ ! -e "$begun" ] && .venv/bin/python -I -c 'import pip' 2>/dev/null
}

if ! whole; then
  if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "This Python cannot make virtual environments: its venv module is not installed." >&2
    echo "Debian and Ubuntu: apt-get install python${version}-venv    then again: make run" >&2
    exit 1
  fi
  rm -rf .venv
  mkdir .venv
  touch "$begun"
  "$python" -m venv .venv
fi

touch "$begun"
pip() {
  .venv/bin/python -m pip install -q --disable-pip-version-check "$@" || {
    echo "Installing failed or was interrupted. Run it again to continue: make run" >&2
    exit 1
  }
}
echo "Installing what HRIMS Sync needs ($lock) ..."
pip --require-hashes -r "$lock"
pip --no-deps --no-build-isolation -e .
rm "$begun"
