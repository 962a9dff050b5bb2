"""What the demo reads: the files of a directory and, where it is a git work tree, its history."""

import hashlib
import mimetypes
import os
import pathlib
import subprocess
from dataclasses import dataclass, field

# A file above this stays in the file system; PostgreSQL keeps only where it is.
TEXT_BYTES_MAX = 512 * 1024
FILES_MAX = 20_000
COMMITS_MAX = 5_000

CODE = {
    "c": "c", "h": "c", "cc": "c++", "cpp": "c++", "cxx": "c++", "hpp": "c++", "cs": "c#", "go": "go", "java": "java", "js": "javascript",
    "jsx": "javascript", "ts": "typescript", "tsx": "typescript", "kt": "kotlin", "lua": "lua", "php": "php", "pl": "perl",
    "py": "python", "rb": "ruby", "rs": "rust", "scala": "scala", "sh": "shell", "sql": "sql", "swift": "swift", "cypher": "cypher",
    "cmake": "cmake", "css": "css", "html": "html", "xml": "xml", "yaml": "yaml", "yml": "yaml", "json": "json", "toml": "toml",
}
PROSE = {"md": "markdown", "markdown": "markdown", "rst": "restructuredtext", "txt": "text", "adoc": "asciidoc", "tex": "latex", "": "text"}
SKIPPED_FOLDERS = {".git", ".local", ".cache", "build", "node_modules", "__pycache__"}


@dataclass
class File:
    path: str  # Relative to the directory, with forward slashes.
    size: int
    checksum: str
    kind: str  # text, code or file
    language: str
    mime_type: str
    text: str  # Empty where the kind is file.

    @property
    def folder(self):
        return folder_of(self.path)


@dataclass
class Commit:
    name: str
    parents: list
    email: str
    author: str
    seconds: int  # Since 1970.
    message: str
    paths: list = field(default_factory=list)


def folder_of(path):
    """The folder that a file is spoken of under: at most two levels, empty for the top."""
    return "/".join(path.split("/")[:-1][:2])


def git(directory, *arguments):
    """The output of git in the directory, or None where it is no work tree or git is missing."""
    # A directory of another user is read as well: nothing of it is run.
    command = ["git", "-c", "safe.directory=*", "-c", "core.quotePath=false", "-C", str(directory), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def paths(directory):
    listed = git(directory, "ls-files", "-z")
    if listed:
        return sorted(set(filter(None, listed.split("\0"))))[:FILES_MAX]
    found = []
    for folder, below, names in os.walk(directory):
        below[:] = sorted(name for name in below if name not in SKIPPED_FOLDERS)
        found += [os.path.relpath(os.path.join(folder, name), directory) for name in sorted(names)]
    return found[:FILES_MAX]


def read_file(directory, path):
    """The file, or None for what is no regular file or cannot be read."""
    full = pathlib.Path(directory, path)
    if full.is_symlink() or not full.is_file():
        return None
    try:
        content = full.read_bytes()
    except OSError:
        return None
    extension = full.suffix.lower().lstrip(".")
    name_hint = "cmake" if full.name == "CMakeLists.txt" else None
    text = ""
    if len(content) <= TEXT_BYTES_MAX and b"\0" not in content:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            pass
    language = name_hint or CODE.get(extension)
    shebang = text.startswith("#!") and not extension
    if shebang:
        language = "python" if "python" in text.split("\n", 1)[0] else "shell"
    kind = "file" if content and not text else "code" if language else "text"
    return File(path=path, size=len(content), checksum=hashlib.sha256(content).hexdigest(), kind=kind,
                language=language or PROSE.get(extension, "text"), text=text,
                mime_type=mimetypes.guess_type(full.name)[0] or ("text/plain" if text else "application/octet-stream"))


def files(directory):
    return [file for file in (read_file(directory, path) for path in paths(directory)) if file]


def commits(directory):
    """Oldest first; none where there is no history. A shallow clone's oldest names parents that are not here."""
    # Fields end with \x02, a commit's text with \x03; the names of its files follow, a line each. Paths relative to the directory.
    log = git(directory, "log", f"--max-count={COMMITS_MAX}", "--name-only", "--relative", "--no-renames",
              "--format=%x01%H%x02%P%x02%ae%x02%an%x02%ct%x02%B%x03")
    result = []
    for entry in (log or "").split("\x01")[1:]:
        head, _, names = entry.partition("\x03")
        name, parents, email, author, seconds, message = head.split("\x02", 5)
        result.append(Commit(name, parents.split(), email.strip().lower() or "unknown", author.strip(), int(seconds),
                             message.replace("\0", "").strip() or "(no message)", [line for line in names.split("\n") if line]))
    return result[::-1]


def imported(found, seconds):
    """What stands in for a history where there is none: one commit for each folder's files, by nobody."""
    by_folder = {}
    for file in found:
        by_folder.setdefault(file.folder, []).append(file.path)
    return [Commit(f"import of {folder}", [], "nobody@localhost", "Nobody", seconds,
                   f"Imported {len(names)} files of {folder or 'the top folder'}", names) for folder, names in sorted(by_folder.items())]
