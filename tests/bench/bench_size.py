"""What is shipped, beside exporters, which are one program each with all that it needs inside."""

from pathlib import Path

from image import image, size
from rows import Measured, Row, benchmark

EXPORTERS = ("postgres", "mysqld", "sql", "blackbox")
ROWS = (
    Row("image", "size of the image"),
    Row("programs", "size of the programs"),
    Row("objects", "size of the shared objects that they load"),
    Row("objects-count", "shared objects that they load"),
    *(Row(name, f"size of {name}_exporter") for name in EXPORTERS),
)


@benchmark("size", ROWS)
def sizes(bench):
    files = image(bench)
    found = {
        "image": megabytes(files.files()),
        "programs": megabytes(files.programs()),
        "objects": megabytes(files.shared_objects()),
        "objects-count": Measured(len(files.shared_objects())),
    }
    for name in EXPORTERS:
        found[name] = megabytes([Path(f"/usr/bin/prometheus-{name}-exporter")])
    return found


def megabytes(paths):
    return Measured(size(paths) / 1e6, "MB")
