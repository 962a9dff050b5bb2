"""A guide of docs/ to be carried out: its fenced blocks, by heading and language, and a shell that runs its commands."""

import re
import subprocess
import textwrap

from .database import REPOSITORY


class Guide:
    def __init__(self, name):
        self._sections = {}
        heading, language, lines = "", None, []
        for line in (REPOSITORY / "docs" / name).read_text().splitlines():
            if language is None and (match := re.match(r"#+ (.*)", line)):
                heading = match[1]
            elif match := re.match(r" *```(\w*)$", line):
                if language is not None:
                    self._sections.setdefault((heading, language), []).append(textwrap.dedent("\n".join(lines) + "\n"))
                language, lines = (match[1] if language is None else None), []
            elif language is not None:
                lines.append(line)

    def blocks(self, heading, language):
        """Those of that language under that heading, in order; there is one at least."""
        return self._sections[heading, language]

    def commands(self, heading):
        """The lines of its shell blocks, but for the variables that are each reader's own."""
        text = "".join(self.blocks(heading, "sh")).replace("\\\n", " ")
        return [line for line in text.splitlines() if line.strip() and not line.startswith(("export ", "#"))]


class Shell:
    """A directory and variables in which commands of a guide are run."""

    def __init__(self, directory, environment):
        self._directory = directory
        self._environment = environment

    def set(self, name, value):
        self._environment = self._environment | {name: value}

    def run(self, command, code=0):
        """To its end, which has to be this one; what it printed."""
        done = subprocess.run(["bash", "-c", command], cwd=self._directory, env=self._environment, capture_output=True, text=True,
                              timeout=120, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == code, f"{command}\nended with {done.returncode}, expected {code}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self, command, log):
        """In the background, its output to a file."""
        with log.open("wb") as out:
            return subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=self._directory, env=self._environment, stdout=out,
                                    stderr=out, stdin=subprocess.DEVNULL)
