"""The sources against STYLE.md and the direction of dependencies that CMakeLists.txt grants. Reads files, runs nothing."""

import pathlib
import re
import subprocess
import warnings

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
FILES = sorted(path for suffix in ("*.hpp", "*.cpp") for path in SOURCE.rglob(suffix))
WANTED_LINES, MOST_LINES = 300, 500
KEYWORDS = {"DEPENDS", "LIBRARIES", "EXCLUDE", "TEST_LIBRARIES"}


def name_of(path):
    return str(path.relative_to(ROOT))


def granted():
    """Folder → the folders it may include, in the order of CMakeLists.txt."""
    text = re.sub(r"#.*", "", (ROOT / "CMakeLists.txt").read_text())
    modules = {}
    for call in re.findall(r"\bcnx_module\(([^)]*)\)", text):
        folder, *words = call.split()
        visible, keyword = {folder}, None
        for word in words:
            if word in KEYWORDS:
                keyword = word
            elif keyword == "DEPENDS":
                assert word in modules, f"{folder} depends on {word}, which is not granted before it"
                visible |= modules[word]
        modules[folder] = visible
    return modules


MODULES = granted()


def module_of(relative):
    """The module that a path below src/ belongs to: its longest folder that is one, or None (main.cpp)."""
    parents = [str(parent) for parent in pathlib.PurePosixPath(relative).parents if str(parent) != "."]
    return next((parent for parent in parents if parent in MODULES), None)


def each_file(check):
    """Collects what `check` says of every file, so that one run shows all."""
    found = [f"{name_of(path)}{fault}" for path in FILES for fault in check(path, path.read_text())]
    assert not found, "\n" + "\n".join(found)


def code(text):
    """The text without comments and without what stands in quotes, line by line."""
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match.group().count("\n"), text, flags=re.S)
    text = re.sub(r'R"(\w*)\(.*?\)\1"', lambda match: '""' + "\n" * match.group().count("\n"), text, flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', re.sub(r"//[^\n]*", "", text))


def lines_matching(text, pattern, words):
    for number, line in enumerate(text.split("\n"), 1):
        if match := re.search(pattern, line):
            yield f":{number}: {words.format(match.group().strip())}"


def test_every_folder_of_sources_is_a_module():
    lost = {name_of(path) for path in FILES if path.parent != SOURCE and module_of(path.relative_to(SOURCE)) is None}
    assert not lost


def test_an_include_follows_the_granted_direction():
    def check(path, text):
        own = module_of(path.relative_to(SOURCE))
        visible = MODULES[own] if own else set(MODULES)
        for number, line in enumerate(text.split("\n"), 1):
            if match := re.match(r'\s*#\s*include\s+"([^"]+)"', line):
                target = module_of(match[1])
                if target not in visible:
                    yield f":{number}: {own} may not include {match[1]}"
    each_file(check)


def test_a_namespace_is_its_folder():
    def check(path, text):
        own = module_of(path.relative_to(SOURCE))
        if own is None:
            return
        wanted = {"base": "cnx", "bolt": "bolt"}.get(own, "cnx::" + own.replace("/", "::"))
        # A folder within a folder (capture/logical) may share the outer one's namespace.
        outer = "::".join(wanted.split("::")[:2])
        # Names of a library that are only declared ahead, so that its headers stay out of ours, belong to nobody here.
        text = re.sub(r"^namespace \w+ \{\s*(?:(?:class|struct) \w+;\s*)+\}", "", code(text), flags=re.M)
        opened = re.findall(r"^(?:inline )?namespace ([\w:]+) \{(?!.*\})", text, re.M)
        for name in opened:
            inner = "cnx" not in name.split("::") and opened[0].startswith(outer)
            if name not in ("std", outer) and not (name + "::").startswith(wanted + "::") and not inner:
                yield f": namespace {name} in a folder whose namespace is {wanted}"
    each_file(check)


def test_a_header_says_what_it_is_for_is_included_once_and_opens_no_namespace():
    def check(path, text):
        if not text.startswith("// ") and not path.name.endswith(("_test.cpp", ".cpp")):
            yield ": does not begin with its role"
        if path.suffix == ".hpp" and "#pragma once" not in text:
            yield ": lacks #pragma once"
        if path.suffix == ".hpp" and re.search(r"^\s*using namespace ", code(text), re.M):
            yield ": opens a namespace to all who include it"
    each_file(check)


def test_files_are_of_a_size_to_be_read():
    def check(path, text):
        lines = text.count("\n")
        if lines > WANTED_LINES:
            warnings.warn(f"{name_of(path)} has {lines} lines: look for the second thing it does", stacklevel=2)
        if lines > MOST_LINES:
            yield f": has {lines} lines of {MOST_LINES}"
    each_file(check)


def test_no_file_is_named_for_nothing():
    vague = re.compile(r"^(utils?|common|helpers?|managers?|misc)(_test)?$")
    assert not [name_of(path) for path in FILES if vague.match(path.stem)]


@pytest.mark.parametrize("pattern, words", [
    (r"\bTODO\b|\bFIXME\b|\bXXX\b|\bHACK\b", "unfinished mark {}"),
    (r"\bDISABLED_\w+|\bGTEST_SKIP\b", "test switched off: {}"),
])
def test_no_work_is_left_as_a_mark(pattern, words):
    each_file(lambda path, text: lines_matching(text, pattern, words))


@pytest.mark.parametrize("pattern, words", [
    (r"^\s*#\s*define (?!CNX_)\w+", "macro: {}"),
    # Behind a private constructor, make_unique cannot: `unique_ptr<T> t(new T(…))` is the one form.
    (r"^(?!.*unique_ptr).*(\bnew [A-Z]\w*\b|\bdelete \w|\bdelete\[\])", "raw {}"),
    (r"\.detach\(\)", "detached thread: {}"),
    (r"\bstd::(cout|cerr)\b", "{}: a module does not print"),
])
def test_the_language_is_used_as_the_style_says(pattern, words):
    printing = "std::" in pattern

    def check(path, text):
        if printing and (module_of(path.relative_to(SOURCE)) in (None, "command") or path.name.endswith("_test.cpp")):
            return ()
        return lines_matching(code(text), pattern, words)
    each_file(check)


def test_only_the_log_itself_knows_by_what_it_is_written():
    def check(path, text):
        if module_of(path.relative_to(SOURCE)) == "telemetry":
            return ()
        return lines_matching(code(text), r"\bspdlog\b", "{}: an event goes through telemetry/log.hpp")
    each_file(check)


def test_the_project_names_no_machines_path():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:  # An unpacked archive.
        names = [name_of(path) for path in FILES]
    else:
        names = listed.stdout.split("\n")
    found = []
    for name in filter(None, names):
        path = ROOT / name
        if path.suffix in {".jsonl", ".bin"} or not path.is_file():
            continue
        text = path.read_text(errors="replace")
        found += [name + fault for fault in lines_matching(text, r"(?<![\w.])/(work|home|Users)/\w", "path of one machine: {}")]
    assert not found, "\n" + "\n".join(found)
