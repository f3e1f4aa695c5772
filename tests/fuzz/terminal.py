#!/usr/bin/env python3
"""Random keys, bytes and resizes at the prompt and in the monitor, through a pseudo-terminal.

    terminal.py FIRST COUNT STORE     prints TAP; session number i is always the same

What holds of each session: the program ends when it is asked to, with a status of its own; the
terminal is as it was (modes, screen, cursor, paste, mouse); all that was written is text and whole
escape sequences, not the bytes that were typed.  NETSPACE names the program.

readline shows bytes that are no UTF-8 as they are, and parts of characters where it writes a part
of a line anew, so half of the sessions at the prompt type keys and words, and of the others it is
only looked at how they end.
"""
import fcntl
import os
import pty
import random
import re
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time

PATIENCE = 60  # seconds until a program that should end hangs

KEYS = [b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[H", b"\x1b[F", b"\x1b[5~", b"\x1b[6~", b"\t",
        b"\r", b"\n", b"\x7f", b"\x1b", b"\x12", b"\x01", b"\x05", b"\x0b", b"\x15", b"\x19", b"\x1bx",
        b"\x1b.", b"\x1b[200~", b"\x1b[201~", b"\x1b[M !!", b"\x1b[<0;5;5M", b"\x1bOP", b"\x0c", b"\x03",
        b" ", b"/", b"?", b"n", b"s", b"l", b"1", b"2", b"3", b"w", b"e", b"p", b"h"]
WORDS = [b"stats.edf{ 40, 50 }\r", b"help 'edf'\r", b"zoo.na", b"1 +\r", b"?sweep", b"for i = 1, 3 do print(i) end\r",
         "x = 'é漢'\r".encode(), b"x\r", b":time 1\r", b"arch.anynet{ d = ", b"error 'no'\r", b"[[\r", b"who()\r"]
# Bytes that stop the program or its output by the terminal's own rules (^S, ^Z, ^\\), and those
# after which readline takes any byte as text, which it shows as it is while it searches (^V, ^Q).
LEFT_OUT = {0x13, 0x1a, 0x1c, 0x16, 0x11}


def typed(r, text):
    kind = r.randrange(10)
    if kind < 5:  # Alt with the first byte of a character would part it from the rest
        return r.choice([k for k in KEYS if not text or k != b"\x1b"])
    if kind < 7:
        return r.choice(WORDS)
    n = r.randrange(1, 12)
    if text:
        return bytes(r.randrange(32, 127) for _ in range(n))
    return bytes(b for b in (r.randrange(256) for _ in range(n)) if b not in LEFT_OUT)


def resize(fd, r, text):
    """Any size; where readline's text is looked at one that its characters fit into."""
    sizes = [(24, 80), (50, 200), (10, 30), (200, 300)] + ([] if text else [(1, 1), (2, 10), (24, 5)])
    rows, columns = r.choice(sizes)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


SEQUENCE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P_][^\x1b\x07]*(?:\x1b\\|\x07)|\x1b[ -/]*[0-~]|\x1b[\]P_X^]")


def garbled(out):
    """What is no text and no escape sequence, or None."""
    rest = SEQUENCE.sub(b"", out)
    bad = re.search(rb"[\x00-\x06\x0b\x0e-\x1f\x7f]", rest)
    if bad:
        return "the byte %r in %r" % (bad.group(), rest[max(0, bad.start() - 30):bad.end() + 10])
    try:
        rest.decode()
    except UnicodeDecodeError as e:
        return "bytes that are no UTF-8: %r" % rest[max(0, e.start - 30):e.end + 10]
    return None


def left_on(out):
    """A mode of the terminal that was switched on and not off, or None."""
    for name, mode in ("the other screen", 1049), ("pasting", 2004), ("the mouse", 1000), ("its motion", 1002):
        states = re.findall(rb"\x1b\[\?%d([hl])" % mode, out)
        if states and states[-1] == b"h":
            return name
    cursor = re.findall(rb"\x1b\[\?(?:12;)?25([hl])", out)
    return "a hidden cursor" if cursor and cursor[-1] == b"l" else None


class Session:
    def __init__(self, arguments, home, echo):
        self.out = b""
        self.status = None
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        modes = termios.tcgetattr(self.slave)
        modes[3] |= termios.NOFLSH  # ^C throws nothing away of what is being written
        if not echo:  # what the terminal itself shows while nobody reads is not the program's
            modes[3] &= ~termios.ECHO
        termios.tcsetattr(self.slave, termios.TCSANOW, modes)
        self.before = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.closerange(3, 256)
            os.chdir(home)
            env = dict(os.environ, TERM="xterm-256color", HOME=home, XDG_STATE_HOME=home,
                       XDG_CONFIG_HOME=home, XDG_CACHE_HOME=home, LC_ALL="C.UTF-8",
                       OPENBLAS_NUM_THREADS="1")
            program = os.environ["NETSPACE"]
            os.execve(program, [program, "--graphics=text"] + arguments, env)
        os.set_blocking(self.master, False)

    def read(self, seconds):
        """Takes what is written until nothing comes for so long; whether the program still runs."""
        end = time.monotonic() + seconds
        while self.status is None:
            if select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
                self.out += os.read(self.master, 65536)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
            elif time.monotonic() >= end:
                return True
        while select.select([self.master], [], [], 0)[0]:
            self.out += os.read(self.master, 65536)
        return False

    def write(self, text):
        while text and self.read(0):
            try:
                text = text[os.write(self.master, text):]
            except BlockingIOError:
                self.read(0.05)

    def end(self):
        """Asks it to end, as a person does who does not know where the keys have led."""
        stop = time.monotonic() + PATIENCE
        ways = [b"\x1b[201~", b"\x03", b"\x15\x04", b"q", b"\x07", b"\r", b"\x03\x15\x04"]
        turn = 0
        while self.read(0.3 if turn else 0.05) and time.monotonic() < stop:
            self.write(ways[turn % len(ways)])
            turn += 1
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            return "it does not end"
        code = os.waitstatus_to_exitcode(self.status)
        if code not in (0, 1, 130):
            return "it ended with %d" % code
        if termios.tcgetattr(self.slave) != self.before:
            return "the terminal has other modes than before"
        return None

    def close(self):
        os.close(self.master)
        os.close(self.slave)


def session(i, store):
    r = random.Random(i)
    home = tempfile.mkdtemp(prefix="netspace-terminal-")
    shutil.copy(store, home + "/runs.db")
    prompt = i % 2 == 0
    text = i % 4 == 0
    s = Session(["-q", "--no-init", "-i"] if prompt else ["monitor", "runs.db"], home, prompt)
    try:
        # it is there when it shows something
        start = time.monotonic()
        while not s.out and s.read(0.1) and time.monotonic() < start + PATIENCE:
            pass
        for _ in range(r.randrange(5, 60)):
            if r.randrange(8) == 0:
                resize(s.master, r, text)
            s.write(typed(r, text))
            if r.randrange(3) == 0:
                s.read(0.02)
            if s.status is not None:
                break
        wrong = s.end() or (text or not prompt) and garbled(s.out)
        on = left_on(s.out)
        return wrong or on and "it leaves behind: " + on
    finally:
        s.close()
        shutil.rmtree(home, ignore_errors=True)


def main():
    first, count, store = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    failed = 0
    for n, i in enumerate(range(first, first + count), 1):
        wrong = session(i, store)
        print("%s %d - session %d, %s" % ("not ok" if wrong else "ok", n, i, "monitor" if i % 2 else "prompt"),
              flush=True)
        if wrong:
            failed += 1
            print("# " + wrong.replace("\n", "\n# "), flush=True)
    print("1..%d" % count)
    return failed > 0


sys.exit(main())
