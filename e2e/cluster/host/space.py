"""The node: network, mounts, process ids and name of its own, held by one process that sleeps."""

import subprocess
from pathlib import Path

from . import cgroups, place
from .say import Failed, wait

# Settings of the whole machine that a kubelet insists on; the node's has files in their place.
SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}


def make(sleeper):
    """Makes the namespaces and what is in them before any program starts."""
    addresses_are_free()
    cgroups.make()
    own = ["--net", "--mount", "--uts", "--ipc", "--pid"]
    outer = start(
        ["unshare", *own, "--fork", "--kill-child", "--mount-proc", "--propagation", "private", sleeper], "node"
    )

    def first():
        if outer.poll() is not None:
            raise Failed(f"no namespaces: {(place.LOGS / 'node.log').read_text().strip()}")
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
        return [c for c in children if Path(f"/proc/{c}/exe").resolve() == sleeper]

    wait("the node's first process", 10, first)
    (place.DIR / "pid").write_text(first()[0])
    mounts()
    cable()


def mounts():
    """Folders of its own where programs write by habit; then what pods mount may be passed on among them."""
    lines = ["mount -t tmpfs tmpfs /run", "mkdir -p /run/lock /run/netns"]
    lines += [f"mount --bind {place.DIR}/lib /var/lib", f"mount --bind {place.DIR}/log /var/log"]
    for name, value in SETTINGS.items():
        file = place.DIR / "sysctl" / name.replace("/", ".")
        file.write_text(f"{value}\n")
        lines.append(f"mount --bind {file} /proc/sys/{name}")
    lines += ["mount --make-rshared /", f"hostname {place.NODE}"]
    run("sh", "-ec", "\n".join(lines))


def cable():
    """A virtual cable between this machine and the node; pods and services are behind it."""
    here(f"ip link add {place.CABLE} type veth peer name eth0 netns {pid()}")
    here(f"ip address add {place.HERE}/24 dev {place.CABLE}")
    here(f"ip link set {place.CABLE} up")
    for behind in (place.PODS, place.SERVICES):
        here(f"ip route add {behind} via {place.THERE} dev {place.CABLE}")
    lines = [
        "ip link set lo up",
        f"ip address add {place.THERE}/24 dev eth0",
        "ip link set eth0 up",
        f"ip route add default via {place.HERE}",
        "echo 1 > /proc/sys/net/ipv4/ip_forward",
    ]
    run("sh", "-ec", "\n".join(lines))


def addresses_are_free():
    """A network of this machine that has the cluster's addresses would be cut off."""
    for network in (place.LINK, place.PODS, place.SERVICES):
        for relation in ("root", "match"):
            routes = here(f"ip -4 route show to {relation} {network}").splitlines()
            taken = [route for route in routes if not route.startswith("default ")]
            if taken:
                raise Failed(f"the cluster's addresses are in use here: {taken[0]}")


def remove_cable():
    """Its other end went with the node, and mostly both; a run that was killed early may have left it."""
    if Path("/sys/class/net", place.CABLE).exists():
        subprocess.run(["ip", "link", "delete", place.CABLE], check=False, stderr=subprocess.DEVNULL)
    wait(f"the end of {place.CABLE}", 10, lambda: not Path("/sys/class/net", place.CABLE).exists())


def pid():
    """The id of the node's first process, here."""
    return (place.DIR / "pid").read_text()


def inside(arguments):
    """The command line that runs `arguments` in the node."""
    spaces = ["--mount", "--net", "--uts", "--ipc", "--pid"]
    return ["nsenter", "--target", pid(), *spaces, "--", *arguments]


def start(arguments, name):
    """Starts a program of the node that outlives this one; what it says goes into a log file."""
    with open(place.LOGS / f"{name}.log", "ab") as log:
        return subprocess.Popen(
            [str(a) for a in arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": place.PATH, "HOME": "/root"},
            start_new_session=True,
            preexec_fn=cgroups.join,
        )


def run(*arguments):
    """Runs a command in the node and returns what it printed."""
    return output(inside(arguments), preexec_fn=cgroups.join)


def here(line):
    """Runs a command on this machine and returns what it printed."""
    return output(line.split(" "))


def output(arguments, **how):
    """Runs a command; a failure says what the command said."""
    arguments = [str(a) for a in arguments]
    env = {"PATH": place.PATH, "HOME": "/root"}
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, env=env, **how)
    if done.returncode != 0:
        raise Failed(f"{' '.join(arguments)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()
