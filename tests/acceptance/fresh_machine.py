"""A fresh machine: a minimal Debian 12 with git, in which a clean clone runs the README's two commands.

Made by mmdebstrap in a directory and entered by chroot in mount and process namespaces of its own, so that everything
started in it ends with it. How this machine reaches its package archives (apt sources, certificates, proxies, pip and
Maven settings) is copied from it as it is.
"""

import os
import pathlib
import shutil
import subprocess
import time

SUITE = "bookworm"
# Settings of a person or of the machine that say how to reach an archive; copied where they are there.
_SETTINGS = ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/root/.config/pip", "/root/.m2/settings.xml",
             "/etc/maven/settings.xml", "/usr/local/share/ca-certificates")
_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "MAVEN_OPTS",
              "MAVEN_ARGS")


class FreshMachine:
    """One directory tree; `make()`, then `run()` commands in it, then `remove()`."""

    def __init__(self, room):
        self.room = pathlib.Path(room)
        self.root = self.room / "root"

    def make(self):
        """Bootstraps the system; raises RuntimeError with the end of mmdebstrap's output."""
        self.remove()
        self.room.mkdir(parents=True)
        done = subprocess.run(
            ["mmdebstrap", "--variant=minbase", "--include=git,ca-certificates", *_apt_options(), SUITE,
             str(self.root), *_debian_sources()], capture_output=True, text=True, timeout=900, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"mmdebstrap: {done.stderr[-1000:]}")
        for name in _SETTINGS:
            self._copy(pathlib.Path(name))
        self._copy_keys()
        code, log = self.run("update-ca-certificates", 120, "certificates")
        if code != 0:
            raise RuntimeError(f"update-ca-certificates: {log.read_text()[-1000:]}")

    def _copy(self, path):
        target = self.root / path.relative_to("/")
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        elif path.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copyfile(path, target)

    def _copy_keys(self):
        """Certificates of this machine's bundle that Debian's package does not bring, made known to update-ca-certificates."""
        bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
        known = {_body(path.read_text()) for path in (self.root / "usr/share/ca-certificates").rglob("*.crt")}
        place = self.root / "usr/local/share/ca-certificates"
        place.mkdir(parents=True, exist_ok=True)
        for number, certificate in enumerate(_certificates(bundle.read_text()) if bundle.exists() else ()):
            if _body(certificate) not in known:
                (place / f"machine-{number}.crt").write_text(certificate)

    def clone(self, repository):
        """A clean clone of what is committed; returns its path inside."""
        target = self.root / "root" / "contextnexus"
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(repository), str(target)], check=True, timeout=120)
        return "/root/contextnexus"

    def run(self, command, timeout, name):
        """Runs a shell command inside; (exit code or None on time-out, its log)."""
        log = self.room / f"{name}.log"
        script = (f"mount -t proc proc {self.root}/proc && mount --rbind /dev {self.root}/dev && "
                  f"mount --rbind /sys {self.root}/sys && exec chroot {self.root} /bin/bash -c \"$1\"")
        variables = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
        environment = variables | {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                   "HOME": "/root", "LANG": "C.UTF-8"}
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", script, "bash", command],
                stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment)
            try:
                return process.wait(timeout), log
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return None, log

    def remove(self):
        if self.room.exists():
            shutil.rmtree(self.room)


def _certificates(text):
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    for part in text.split(begin)[1:]:
        yield begin + part.split(end)[0] + end + "\n"


def _body(certificate):
    return "".join(certificate.split("-----")[2].split())


def _apt_options():
    """How apt reaches the archive from here (proxies, time limits), as this machine has it set."""
    dumped = subprocess.run(["apt-config", "dump", "--no-empty", "Acquire"], capture_output=True, text=True, check=True)
    wanted = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Retries", "Acquire::http::Timeout",
              "Acquire::https::Timeout", "Acquire::https::CaInfo")
    return [f"--aptopt={line.rstrip(';')}" for line in dumped.stdout.splitlines() if line.startswith(wanted)]


def _debian_sources():
    """This machine's source files that speak of Debian's own archive; none: mmdebstrap's default."""
    places = [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]
    return [str(path) for path in places
            if path.is_file() and SUITE in path.read_text() and "/debian" in path.read_text()]


def closing_lines(log, count=3):
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-count:])


def timed(work):
    started = time.monotonic()
    result = work()
    return result, time.monotonic() - started
