"""Write stand-ins for the CUDA libraries that the registry's build of torch is linked to.

    stub_cuda.py TORCH_LIB_DIR STUB_DIR

The registry carries one Linux build of torch, and that one is linked to about 2 GiB of CUDA
libraries (cuBLAS, cuDNN, NCCL, ...) which must be found when it is imported, although a CPU server
calls none of them. This script reads which libraries and symbols are asked for, and writes small
shared objects that define those symbols. Every function in them does the same: it returns 100
(in the CUDA runtime: "no device"; in every other of these interfaces: some error).

Libraries already in TORCH_LIB_DIR or STUB_DIR are left as they are. Neither a compiler nor any
package is needed, and the same input gives the same bytes.
"""

import mmap
import pathlib
import re
import struct
import sys

CUDA = re.compile(r"lib(cu|nv|nccl)[A-Za-z_]*\.so\.\d+$")
RETURN_100 = b"\xb8\x64\x00\x00\x00\xc3"  # mov eax, 100; ret

SHT_DYNAMIC, SHT_DYNSYM = 6, 11
SHT_VERNEED, SHT_VERSYM = 0x6FFFFFFE, 0x6FFFFFFF


class Wanted:
    """What one shared object needs: libraries, and undefined symbols with their version."""

    def __init__(self, path):
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            self.needed, self.symbols = [], []
            if data[:6] == b"\x7fELF\x02\x01":
                self._read(data)

    def _read(self, data):
        (table,) = struct.unpack_from("<Q", data, 40)
        size, count = struct.unpack_from("<HH", data, 58)
        sections = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(count)]
        by_type = {s[1]: s for s in sections}

        def text(section, offset):
            start = sections[section[6]][4] + offset  # sh_link: its string table
            return data[start : data.find(b"\0", start)].decode()

        dynamic, dynsym = by_type.get(SHT_DYNAMIC), by_type.get(SHT_DYNSYM)
        if not dynamic or not dynsym:
            return
        for at in range(dynamic[4], dynamic[4] + dynamic[5], 16):
            tag, value = struct.unpack_from("<qQ", data, at)
            if tag == 0:
                break
            if tag == 1:
                self.needed.append(text(dynamic, value))

        versions = {}  # version index -> (library, version)
        if SHT_VERNEED in by_type:
            section = by_type[SHT_VERNEED]
            at = section[4]
            while True:
                _, auxes, name, aux, step = struct.unpack_from("<HHIII", data, at)
                library, aux = text(section, name), at + aux
                for _ in range(auxes):
                    _, _, index, version, aux_step = struct.unpack_from("<IHHII", data, aux)
                    versions[index & 0x7FFF] = (library, text(section, version))
                    aux += aux_step
                if not step:
                    break
                at += step
        versym = by_type.get(SHT_VERSYM)
        for i in range(1, dynsym[5] // 24):
            name, _, _, where = struct.unpack_from("<IBBH", data, dynsym[4] + i * 24)
            if where == 0 and name:
                index = struct.unpack_from("<H", data, versym[4] + 2 * i)[0] if versym else 1
                self.symbols.append((text(dynsym, name), *versions.get(index & 0x7FFF, (None, None))))


def sysv_hash(name):
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high & 0xFFFFFFFF
    return value


def shared_object(soname, symbols, version):
    """The bytes of an x86-64 shared object that defines `symbols`, all at one address."""
    strings = bytearray(b"\0")

    def string(text):
        offset = len(strings)
        strings.extend(text.encode() + b"\0")
        return offset

    soname_at = string(soname)
    version_at = string(version) if version else 0
    names = [string(s) for s in symbols]
    count = len(symbols) + 1

    buckets = max(1, len(symbols))
    heads, chain = [0] * buckets, [0] * count
    for i, symbol in enumerate(symbols, 1):
        slot = sysv_hash(symbol) % buckets
        chain[i], heads[slot] = heads[slot], i
    hashes = struct.pack(f"<{2 + buckets + count}I", buckets, count, *heads, *chain)

    parts, at = {}, 64 + 4 * 56

    def place(name, size, align=8):
        nonlocal at
        at = -(-at // align) * align
        parts[name] = at
        at += size

    place("text", len(RETURN_100))
    place("hash", len(hashes))
    place("dynsym", 24 * count)
    place("dynstr", len(strings))
    if version:
        place("versym", 2 * count)
        place("verdef", 2 * 28)
    read_only_end = at
    place("dynamic", 16 * 10, align=4096)  # nine tags at most, and the end

    image = bytearray(at)

    def put(name, data):
        image[parts[name] : parts[name] + len(data)] = data

    put("text", RETURN_100)
    put("hash", hashes)
    # Symbols: global functions in (nominal) section 1.
    entries = [struct.pack("<IBBHQQ", n, 0x12, 0, 1, parts["text"], len(RETURN_100)) for n in names]
    put("dynsym", bytes(24) + b"".join(entries))
    put("dynstr", strings)
    tags = [
        (14, soname_at),  # DT_SONAME
        (4, parts["hash"]),  # DT_HASH
        (5, parts["dynstr"]),  # DT_STRTAB
        (6, parts["dynsym"]),  # DT_SYMTAB
        (10, len(strings)),  # DT_STRSZ
        (11, 24),  # DT_SYMENT
    ]
    if version:
        put("versym", struct.pack(f"<{count}H", 0, *([2] * len(symbols))))
        verdef = b""
        for flags, index, name, step in ((1, 1, soname, 28), (0, 2, version, 0)):
            name_at = soname_at if flags else version_at
            verdef += struct.pack("<HHHHIII", 1, flags, index, 1, sysv_hash(name), 20, step)
            verdef += struct.pack("<II", name_at, 0)
        put("verdef", verdef)
        tags += [
            (0x6FFFFFF0, parts["versym"]),
            (0x6FFFFFFC, parts["verdef"]),
            (0x6FFFFFFD, 2),  # DT_VERDEFNUM
        ]
    put("dynamic", b"".join(struct.pack("<qQ", *tag) for tag in tags))

    dynamic, dynamic_size = parts["dynamic"], len(image) - parts["dynamic"]
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    image[:64] = ident + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 4, 64, 0, 0)
    headers = (
        (1, 5, 0, read_only_end, 4096),  # PT_LOAD, read and execute
        (1, 6, dynamic, dynamic_size, 4096),  # PT_LOAD, read and write
        (2, 6, dynamic, dynamic_size, 8),  # PT_DYNAMIC
        (0x6474E551, 6, 0, 0, 16),  # PT_GNU_STACK, not executable
    )
    for i, (kind, flags, start, size, align) in enumerate(headers):
        struct.pack_into("<IIQQQQQQ", image, 64 + 56 * i, kind, flags, start, start, start, size, size, align)
    return bytes(image)


def main():
    torch_lib, out = (pathlib.Path(p) for p in sys.argv[1:3])
    out.mkdir(parents=True, exist_ok=True)
    marker = out / "STUBS"  # what earlier runs wrote: to be written again, not taken for real ones
    ours = set(marker.read_text().split()) if marker.exists() else set()
    present = {p.name for p in torch_lib.iterdir()} | {p.name for p in out.iterdir()} - ours

    objects = [Wanted(p) for p in sorted(torch_lib.glob("*.so*"))]
    missing = sorted({n for o in objects for n in o.needed if CUDA.match(n) and n not in present})
    symbols = {name: set() for name in missing}
    versions = {}
    stems = sorted(((n[3 : n.index(".so")].removesuffix("_host").lower(), n) for n in missing), reverse=True)
    for symbol, library, version in (s for o in objects for s in o.symbols):
        if library in symbols:
            if versions.setdefault(library, version) != version:
                sys.exit(f"stub_cuda.py: {library} is wanted in two versions")
            symbols[library].add(symbol)
        elif library is None:
            # Without a version nothing says where a symbol lives; its prefix does (pnccl: nccl).
            for stem, name in stems:
                if symbol.lower().startswith((stem, "p" + stem)):
                    symbols[name].add(symbol)
                    break
    marker.write_text("\n".join(missing) + "\n")
    for name in missing:
        content, path = shared_object(name, sorted(symbols[name]), versions.get(name)), out / name
        if not path.exists() or path.read_bytes() != content:  # a running server may have it mapped
            path.write_bytes(content)
    print(f"{len(missing)} stub libraries, {sum(map(len, symbols.values()))} functions")


main()
