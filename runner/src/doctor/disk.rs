//! Room for what is measured, and for images.

use std::path::Path;

use nix::{
    sys::statvfs::{FsFlags, statvfs},
    unistd::{AccessFlags, access},
};

use super::{Finding, files::size};

/// Below it a long run may not fit.
const ENOUGH: u64 = 20 << 30;
/// Below it a short one may not.
const TIGHT: u64 = 2 << 30;
/// Below it nothing begins.
const NOTHING: u64 = 64 << 20;

/// The folder of results, which need not exist yet.
pub(super) fn results(out: &Path) -> Finding {
    const SUBJECT: &str = "results folder";
    let there = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
    let there = there.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let place = there.display();
    let next = "name another folder: `bench doctor --out FOLDER`, `bench run … --out FOLDER`";
    if !there.is_dir() {
        return Finding::spoils(SUBJECT, format!("{place} is no folder"), "nothing could be kept").next(next).stops();
    }
    let Some(room) = room(there) else {
        return Finding::absent(
            SUBJECT,
            format!("the free space of {place} is not to be read"),
            "it may be too little",
        );
    };
    if room.read_only || access(there, AccessFlags::W_OK).is_err() {
        return Finding::spoils(SUBJECT, format!("{place} cannot be written"), "nothing could be kept")
            .next(next)
            .stops();
    }
    of(SUBJECT, there, room.bytes, "a run keeps every byte that servers sent")
}

/// The engine's folder of images and containers; `None` where this process does not see it.
pub(super) fn images(folder: &Path) -> Option<Finding> {
    let room = room(folder)?;
    let finding = of("engine's folder", folder, room.bytes, "images of servers are often 10 to 30 GiB");
    Some(Finding { stops: false, ..finding })
}

struct Room {
    bytes: u64,
    read_only: bool,
}

fn room(folder: &Path) -> Option<Room> {
    let stat = statvfs(folder).ok()?;
    let bytes = stat.blocks_available() * stat.fragment_size();
    Some(Room { bytes, read_only: stat.flags().contains(FsFlags::ST_RDONLY) })
}

fn of(subject: &str, folder: &Path, bytes: u64, means: &str) -> Finding {
    let found = format!("{} free in {}", size(bytes), folder.display());
    let next = format!("make room: `df -h {}`", folder.display());
    match bytes {
        0..NOTHING => Finding::spoils(subject, found, "nothing could be kept").next(next).stops(),
        NOTHING..TIGHT => Finding::spoils(subject, found, means).next(next),
        TIGHT..ENOUGH => Finding::note(subject, found, means).next(next),
        _ => Finding::good(subject, found, means),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn free_space_decides() {
        let level = |bytes| {
            let finding = of("results folder", Path::new("/data"), bytes, "");
            (finding.level, finding.stops)
        };
        assert_eq!(level(30 << 30), (Level::Good, false));
        assert_eq!(level(19 << 30), (Level::Note, false));
        assert_eq!(level(1 << 30), (Level::Spoils, false));
        assert_eq!(level(1 << 20), (Level::Spoils, true));
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_where_it_will_be() {
        let folder = tempfile::tempdir().unwrap();
        let finding = results(&folder.path().join("results/2026"));
        assert!(finding.found.contains(&folder.path().display().to_string()), "{}", finding.found);
    }

    #[test]
    fn a_file_in_its_place_stops_everything() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let finding = results(&file.path().join("results"));
        assert_eq!((finding.level, finding.stops), (Level::Spoils, true));
    }

    #[test]
    fn a_folder_that_this_process_does_not_see_is_no_finding() {
        assert_eq!(images(Path::new("/nowhere/at/all")), None);
        assert!(images(Path::new("/")).is_some());
    }
}
