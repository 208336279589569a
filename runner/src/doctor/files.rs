use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// The kernel's largest table of a large host is smaller.
const MOST: u64 = 8 << 20;

/// The trimmed text of a file below `root`; `None` where it cannot be read.
pub(super) fn text(root: &Path, path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(root.join(path)).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// The value of the line `key separator value`.
pub(super) fn field<'a>(text: &'a str, key: &str, separator: char) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}

/// A line of `/proc/meminfo`, in bytes.
pub(super) fn memory(meminfo: &str, key: &str) -> Option<u64> {
    let kib: u64 = field(meminfo, key, ':')?.trim_end_matches(" kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// The folders of all processes, by id.
pub(super) fn processes(root: &Path) -> Vec<(u32, PathBuf)> {
    let entries = std::fs::read_dir(root.join("proc")).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path()))).collect()
}

/// The first of `names` that a process has. The kernel keeps fifteen bytes of a name.
pub(super) fn running<'a>(root: &Path, names: &[&'a str]) -> Option<&'a str> {
    let processes = processes(root);
    let mut found = processes.iter().filter_map(|(_, path)| text(path, "comm"));
    found.find_map(|comm| names.iter().find(|name| name.get(..15).unwrap_or(name) == comm).copied())
}

/// Bytes for a person.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes >> 10),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes >> 20),
        1_073_741_824..107_374_182_400 => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
        _ => format!("{} GiB", bytes >> 30),
    }
}
