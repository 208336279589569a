//! Whether this process may enter the network of a container that has none of its own.

use std::path::Path;

use super::{
    Finding,
    files::{field, text},
};

const SUBJECT: &str = "network namespaces";
/// `CAP_SYS_ADMIN` in the kernel's masks.
const SYS_ADMIN: u64 = 1 << 21;

pub(super) fn findings(root: &Path) -> Vec<Finding> {
    let status = text(root, "proc/self/status").unwrap_or_default();
    let mask = field(&status, "CapEff", ':').and_then(|hex| u64::from_str_radix(hex, 16).ok());
    let first = text(root, "proc/self/uid_map");
    let whole = first.is_none_or(|map| map.split_whitespace().collect::<Vec<_>>() == ["0", "0", "4294967295"]);
    const WITHOUT: &str =
        "profiles `strict` and `host-binds` are not possible: their client works inside the server's network";
    vec![match mask {
        None => Finding::absent(SUBJECT, "the capabilities of this process are not to be read", WITHOUT),
        Some(mask) if mask & SYS_ADMIN == 0 => {
            Finding::note(SUBJECT, "this process may not enter them: it lacks CAP_SYS_ADMIN", WITHOUT).next(
                "start bench as root: `sudo -E bench run …`, or declare `container.profile = \"docker-in-docker\"`",
            )
        }
        Some(_) if !whole => Finding::note(SUBJECT, "CAP_SYS_ADMIN holds only inside this user namespace", WITHOUT)
            .next("start bench outside of the container, as root"),
        Some(_) => Finding::good(SUBJECT, "may be entered", "profiles `strict` and `host-binds` are possible"),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, tests::Host};

    fn level(mask: &str, map: &str) -> Level {
        let host = Host::new().with("proc/self/status", &format!("Name:\tbench\nCapEff:\t{mask}\n"));
        findings(host.with("proc/self/uid_map", map).root())[0].level
    }

    #[test]
    fn root_of_the_host_may_enter_and_nobody_else() {
        let host = "         0          0 4294967295";
        assert_eq!(level("000001fffeffffff", host), Level::Good);
        assert_eq!(level("0000000000000000", host), Level::Note);
        assert_eq!(level("000001ffffffffff", "0 1000 1"), Level::Note);
        assert_eq!(findings(Host::new().root())[0].level, Level::Absent);
    }
}
