//! Files that a stranger made: opened without following a link and without waiting for anybody,
//! read up to a bound.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use nix::fcntl::OFlag;

/// Opens a file that is one: no link is followed, no pipe is waited for, no device is read.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = File::options().read(true).custom_flags(flags.bits()).open(path).map_err(|e| {
        let link = std::fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink());
        if link { io::Error::other("a link, which is not followed") } else { e }
    })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("no plain file")) }
}

/// All bytes of such a file, which are at most so many.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("larger than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_a_pipe_a_device_and_a_folder_are_no_plain_files() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        std::fs::write(at("file"), "hello").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR).unwrap();
        assert_eq!(read(&at("file"), 5).unwrap(), b"hello");
        let refused = |path: &Path| read(path, 4).unwrap_err().to_string();
        assert_eq!(refused(&at("file")), "larger than 4 bytes");
        assert_eq!(refused(&at("link")), "a link, which is not followed");
        // Whoever waited for a writer would never come back.
        assert_eq!(refused(&at("pipe")), "no plain file");
        assert_eq!(refused(Path::new("/dev/zero")), "no plain file");
        assert_eq!(refused(temp.path()), "no plain file");
        assert_eq!(open(&at("nowhere")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
