PREFIX = "x-vaultapisignature-"


class Captured:
    """One request as it came off the wire, read by hand."""

    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.line = first
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.names = [line.partition(":")[0] for line in lines]

    def string(self):
        signed = sorted((name, value) for name, value in self.headers.items() if name.startswith(PREFIX))
        return "".join(f"{name}:{value}\n" for name, value in signed).encode() + self.body

    def part(self, name):
        return self.headers[PREFIX + name]
