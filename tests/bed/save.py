#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""save.py - save a running QEMU to a file, and end it.

Usage: save.py MONITOR_SOCKET FILE. Talks to QEMU's human monitor. The machine
is not stopped first: a machine saved while stopped comes back stopped.
"""
import socket
import sys
import time

PROMPT = b"(qemu) "


class Monitor:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(path)
        self._answer()

    def _answer(self):
        data = b""
        while not data.endswith(PROMPT):
            part = self.sock.recv(65536)
            if not part:
                raise OSError("QEMU closed its monitor")
            data += part
        return data.decode(errors="replace")

    def command(self, text):
        self.sock.sendall(text.encode() + b"\n")
        return self._answer()

    def quit(self):
        """Waits for QEMU to go: the file is complete only then."""
        self.sock.sendall(b"quit\n")
        try:
            while self.sock.recv(4096):
                pass
        except OSError:
            pass


def main():
    path, target = sys.argv[1:]
    monitor = Monitor(path)
    monitor.command("migrate_set_parameter max-bandwidth 10G")
    monitor.command(f'migrate -d "exec:cat > \'{target}\'"')
    end = time.monotonic() + 60
    while time.monotonic() < end:
        status = monitor.command("info migrate")
        if "Migration status: completed" in status:
            monitor.quit()
            return 0
        if "Migration status: failed" in status:
            break
        time.sleep(0.05)
    print(f"save.py: QEMU could not save the machine: {status}",
          file=sys.stderr)
    monitor.quit()
    return 1


if __name__ == "__main__":
    sys.exit(main())
