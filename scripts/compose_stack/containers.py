"""What must hold for every running container, and for the images of Spark."""

from compose_stack.stack import Failure, Stack, run

SHARED_LAYERS_BEYOND_BASE = 4
"""Java, bytecode, user, and the virtual environment with Spark."""


def check(stack: Stack, services: list[str]) -> None:
    """Raises Failure naming what does not hold."""
    ports = []
    for service in services:
        host = stack.inspect(service)["HostConfig"]
        if not host["ReadonlyRootfs"]:
            raise Failure(f"{service}: its root file system can be written to")
        if not host["Memory"]:
            raise Failure(f"{service}: has no memory limit")
        status = dict(
            line.split(":\t")
            for line in stack.read_file(service, "/proc/1/status").splitlines()
            if ":\t" in line
        )
        for name, wanted in (
            ("CapEff", "0000000000000000"),
            ("CapBnd", "0000000000000000"),
            ("NoNewPrivs", "1"),
        ):
            if status[name] != wanted:
                raise Failure(f"{service}: {name} is {status[name]}, not {wanted}")
        if "0" in status["Uid"].split():
            raise Failure(f"{service}: runs as root")
        ports += [
            (service, binding["HostIp"], binding["HostPort"])
            for bindings in (stack.inspect(service)["NetworkSettings"]["Ports"] or {}).values()
            for binding in bindings or []
        ]
    if ports != [("web", "127.0.0.1", str(stack.port))]:
        raise Failure(f"published are {ports}, not the page's port alone")


def check_shared_layers(first: str, second: str, base: str) -> None:
    """Raises Failure unless both images begin with the same layers up to Spark's."""
    one, other, beneath = (
        run("docker", "image", "inspect", "-f", "{{range .RootFS.Layers}}{{.}} {{end}}", image).split()
        for image in (first, second, base)
    )
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    if shared < len(beneath) + SHARED_LAYERS_BEYOND_BASE:
        raise Failure(f"{first} and {second} share {shared} layers, {len(beneath)} of them the base image's")


def check_no_spark(image: str) -> None:
    """Raises Failure if the image holds Java or pyspark."""
    look = "command -v java; find / -xdev -iname '*pyspark*' -o -xdev -name 'libjvm.so'"
    if found := run("docker", "run", "--rm", "--entrypoint", "bash", image, "-c", f"{look}; true").split():
        raise Failure(f"{image} holds {found[0]}")


def volumes(stack: Stack, services: list[str]) -> list[str]:
    """The names of all volumes that the containers use, those without a name of ours included."""
    return sorted(
        {
            mount["Name"]
            for service in services
            for mount in stack.inspect(service)["Mounts"]
            if mount["Type"] == "volume"
        }
    )


def check_nothing_left(stack: Stack, volume_names: list[str]) -> None:
    """Raises Failure naming a container, network or volume that outlived `remove`."""
    label = f"label=com.docker.compose.project={stack.project}"
    left = run("docker", "ps", "-aq", "--filter", label).split()
    left += run("docker", "network", "ls", "-q", "--filter", label).split()
    left += sorted(set(run("docker", "volume", "ls", "-q").split()) & set(volume_names))
    if left:
        raise Failure(f"left behind: {' '.join(left)}")
