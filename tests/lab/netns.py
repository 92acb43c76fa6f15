"""Network namespaces: make them, step into them, run things inside, and
remove them with everything that lives there.

A lab marks each of its namespaces with a prefix that no other lab has.  That
prefix is all that cleaning up needs to know: whatever runs in such a
namespace was started by this lab, also when the lab itself crashed before it
could write down what it did.
"""

import contextlib
import ctypes
import os
import pathlib
import select
import signal
import subprocess
import time

RUN_NETNS = pathlib.Path("/run/netns")
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Something that the lab needs failed; the text is one sentence."""


def run(*argv, stdin=None, check=True, env=()):
    """Run a command, with `env` added to the environment, and return what it
    printed."""
    done = subprocess.run([str(arg) for arg in argv], input=stdin, text=True,
                          capture_output=True, env=os.environ | dict(env))
    if check and done.returncode:
        raise LabError(f"{' '.join(map(str, argv))}: "
                       f"{(done.stderr or done.stdout).strip()}")
    return done.stdout


def path(name):
    return RUN_NETNS / name


def exists(name):
    return path(name).exists()


def names(prefix):
    """The namespaces whose name starts with `prefix`."""
    if not RUN_NETNS.is_dir():
        return []
    return sorted(p.name for p in RUN_NETNS.iterdir()
                  if p.name.startswith(prefix))


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET):
        errno = ctypes.get_errno()
        raise OSError(errno, f"setns: {os.strerror(errno)}")


@contextlib.contextmanager
def inside(name):
    """Move the calling thread into namespace `name` for the body.

    A socket belongs for life to the namespace in which it was made, so one
    process can hold sockets of many pods.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(path(name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def set_sysctls(name, sysctls):
    """Set pairs of a path below /proc/sys/net and a value."""
    with inside(name):
        for key, value in sysctls:
            pathlib.Path("/proc/sys/net", key).write_text(str(value),
                                                          encoding="ascii")


def create(name, sysctls=()):
    """Make the namespace, with its sysctls set before it has any interface
    but lo."""
    run("ip", "netns", "add", name)
    set_sysctls(name, sysctls)
    ip(name, "link", "set", "lo", "up")


def command(name, *argv):
    """The command line that runs `argv` in namespace `name`, as the same
    process: the pid that the caller sees is that of the command itself."""
    return ["nsenter", f"--net={path(name)}", "--", *map(str, argv)]


def ip(name, *args, **kwargs):
    """Run ip(8) in the namespace.  Its own option for that, -n, mounts, and
    so it fails in a plain chroot."""
    return run(*command(name, "ip", *args), **kwargs)


def pids(name):
    return [int(pid) for pid in
            run("ip", "netns", "pids", name, check=False).split()]


def _hold(pid, namespace):
    """A pidfd of a process that runs in `namespace`, else None.  It means
    that very process, also when the number is given to another later."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    try:
        if os.path.samefile(f"/proc/{pid}/ns/net", path(namespace)):
            return fd
    except OSError:
        pass                    # it ended, or is somewhere else
    os.close(fd)
    return None


def end(pidfds, patience=5.0):
    """End processes, asked first, then made to, and close their pidfds."""
    waiting = set(pidfds)
    for signum in (signal.SIGTERM, signal.SIGKILL):
        for fd in waiting:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(fd, signum)
        deadline = time.monotonic() + patience
        while waiting and (left := deadline - time.monotonic()) > 0:
            waiting -= set(select.select(list(waiting), [], [], left)[0])
    for fd in pidfds:
        os.close(fd)


def stop_processes(name):
    """End every process in the namespace, also those that start meanwhile."""
    while held := [fd for pid in pids(name)
                   if (fd := _hold(pid, name)) is not None]:
        end(held)


def delete(name):
    """Remove the namespace, its interfaces and its processes."""
    if exists(name):
        stop_processes(name)
        run("ip", "netns", "del", name, check=False)
