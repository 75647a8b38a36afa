"""The commit before this one: its chart and its programs, to upgrade from and to go back to."""

import os
import shutil
import subprocess

HOME = "target/former"


class Unknown(Exception):
    """There is none to be had, and why."""


def commit(root):
    """The full name of the commit: E2E_FORMER, or the last one if this tree differs from it, or else the one before."""
    name = os.environ.get("E2E_FORMER") or ("HEAD" if _git(root, "status", "--porcelain") else "HEAD~1")
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except Unknown as error:
        raise Unknown(f"this clone has no commit {name}; `git fetch --unshallow` gets it") from error


def check_out(root):
    """The folder with the files of that commit, and the chart in it."""
    sha, home = commit(root), root / HOME
    tree, mark = home / "tree", home / "commit"
    if not mark.exists() or mark.read_text() != sha:
        for folder in (tree, home / "bin"):
            shutil.rmtree(folder, ignore_errors=True)
        tree.mkdir(parents=True)
        with subprocess.Popen(["git", "archive", sha], cwd=root, stdout=subprocess.PIPE) as archive:
            # With times of now: cargo takes what is older than what it built for what it built.
            subprocess.run(["tar", "-xm", "-C", tree], stdin=archive.stdout, check=True)
        if archive.returncode != 0:
            raise Unknown(f"git archive {sha} failed")
        mark.write_text(sha)
    return tree


def is_built(root):
    """Whether `programs` did what it was asked for."""
    return (root / HOME / "bin").is_dir()


def programs(root, tree, wanted):
    """Builds the (package, program)s that there were then; their paths. In a folder of their own: to cargo, two trees in
    one would be one and the same."""
    folder = root / HOME / "bin"
    there = [(package, program) for package, program in wanted if (tree / package).is_dir()]
    paths = [folder / program for _, program in there]
    if all(path.exists() for path in paths):
        return paths
    parts = [part for package, program in there for part in ("-p", package, "--bin", program)]
    build = ["cargo", "build", "--quiet", "--locked", *parts]
    built = root / HOME / "target"
    environment = os.environ | {"CARGO_TARGET_DIR": str(built)}
    if subprocess.run(build, cwd=tree, env=environment, check=False).returncode != 0:
        raise Unknown("the former commit does not build, see above")
    folder.mkdir(exist_ok=True)
    for path in paths:
        shutil.copy2(built / "debug" / path.name, path)
    return paths


def _git(root, *arguments):
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Unknown("there is no git") from error
    if done.returncode != 0:
        raise Unknown(done.stderr.strip() or f"git {' '.join(arguments)} failed")
    return done.stdout.strip()
