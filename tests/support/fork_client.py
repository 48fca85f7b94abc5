"""Run ``hrims`` in a process of the fork server, for scripts of the shell.

Input: the address of the server, and the arguments of ``hrims``. Output: those of the command. It imports
nothing of the project, so that it takes milliseconds.
"""

import json
import os
import socket
import sys
from pathlib import Path


def main() -> None:
    """Request a process with this one's arguments, environment, folder and streams. Wait for its end."""
    address, *words = sys.argv[1:]
    request = {
        "args": ["hrims", *words],
        "env": dict(os.environ),
        "cwd": str(Path.cwd()),
        "umask": os.umask(0o022),
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [json.dumps(request).encode()], [0, 1, 2])
        _pid, status = connection.recv(4), connection.recv(4)
    sys.exit(os.waitstatus_to_exitcode(int.from_bytes(status, "little")))


if __name__ == "__main__":
    main()
