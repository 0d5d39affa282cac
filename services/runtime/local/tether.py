"""Become another program that cannot outlive the one which started it. Run by path, never imported.

    python tether.py PARENT_PID SIGNAL USER_ID KEEP_ACCESS PROGRAM ARGUMENT...

On Linux the kernel sends SIGNAL when the starting thread is gone, whatever ended it. USER_ID, unless
it is -1, is dropped to before (PostgreSQL refuses to run as root); with KEEP_ACCESS = 1 the program
keeps the one capability that lets it pass through directories closed to that user, such as a home
directory or a private temporary one, whose modes are not ours to change.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def drop_to(libc: ctypes.CDLL, user_id: int, keep_access: bool) -> None:
    """Become `user_id` for good. Access is kept as far as this process has it to give."""
    if keep_access:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(user_id, user_id, user_id)
    os.setresuid(user_id, user_id, user_id)
    if keep_access:
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        bit = 1 << _CAP_DAC_OVERRIDE
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
        libc.capset(ctypes.byref(header), ctypes.byref(sets))
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def main() -> None:
    """Drop, tie, and become the program."""
    parent, signal, user_id, keep_access = (int(argument) for argument in sys.argv[1:5])
    program = sys.argv[5:]
    libc = ctypes.CDLL(None, use_errno=True)
    if user_id != -1:
        drop_to(libc, user_id, keep_access == 1)
    if sys.platform == "linux":
        libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0)  # after the drop, which would clear it
        if os.getppid() != parent:
            sys.exit("the program that asked for this one is gone")
    os.execv(program[0], program)  # noqa: S606  # a shell in between would be the one that is tied


if __name__ == "__main__":
    main()
