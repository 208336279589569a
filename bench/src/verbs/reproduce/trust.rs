//! A foreign bundle is hostile: its workload is code of whoever made it.

use lab::{
    Kind, Problem, Result,
    bundle::{Bundle, WORKLOAD},
    text::shown,
    workload::{Arm, BASELINE, Profile, Server, Workload},
};

/// Refuses what nobody here can start, and, unless it is trusted, what reaches this host.
///
/// Commands of the built-in test server are no exception: its options write files, open
/// connections and take memory, and the variables beside them load anybody's code.
pub(super) fn check(workload: &Workload, bundle: &Bundle, trusted: bool) -> Result<()> {
    let place = || bundle.path.join(WORKLOAD).display().to_string();
    if let Some((name, url)) = arms(workload).find_map(|(name, arm)| Some((name, endpoint(arm)?))) {
        let what = format!("{name} is an endpoint, {}, which nobody here can start or describe", shown(&url, 200));
        return Err(Problem::new(Kind::NotComparable, what)
            .at(place())
            .next("bench reproduce --offline says what holds without it; whoever has the endpoint can measure it with bench run"));
    }
    let reaching: Vec<String> =
        arms(workload).filter_map(|(name, arm)| Some(format!("{name} {}", reaches(arm)?))).collect();
    let profile = workload.container.profile;
    let open = (profile != Profile::Strict && images(workload))
        .then(|| format!("containers have the profile {}, which is not closed", profile.name()));
    let reaching: Vec<String> = reaching.into_iter().chain(open).collect();
    if trusted || reaching.is_empty() {
        return Ok(());
    }
    let shown: Vec<&str> = reaching.iter().take(MOST_SHOWN).map(String::as_str).collect();
    let more = match reaching.len() - shown.len() {
        0 => String::new(),
        n => format!("\n  and {n} more"),
    };
    let what = format!("its workload reaches beyond closed containers:\n  {}{more}", shown.join("\n  "));
    Err(Problem::input(what).at(place()).next(
        "nothing was started. Read that file; to run what it says as this user, unconfined: --trust-commands; to run nothing: --offline",
    ))
}

/// What reaches out is named, at most so many times.
const MOST_SHOWN: usize = 12;

/// The baseline first.
fn arms(workload: &Workload) -> impl Iterator<Item = (&str, &Arm)> {
    let candidates = workload.candidates.iter().map(|(name, arm)| (name.as_str(), arm));
    let reference = workload.reference().map(|arm| ("the reference", arm));
    std::iter::once((BASELINE, &workload.baseline)).chain(candidates).chain(reference)
}

fn endpoint(arm: &Arm) -> Option<String> {
    match &arm.server {
        Server::Endpoint(url) => Some(url.to_string()),
        _ => None,
    }
}

/// How an arm reaches beyond a closed container, in words.
fn reaches(arm: &Arm) -> Option<String> {
    if let Some(name) = &arm.api_key_env {
        return Some(format!("is sent what this host's variable {} holds", shown(name, 80)));
    }
    match &arm.server {
        Server::Command(command) => Some(format!("is a command: {}", shown(&format!("{command:?}"), 300))),
        Server::Image { binds, .. } => {
            binds.keys().next().map(|inside| format!("sees a folder of this host as {}", shown(inside, 120)))
        }
        Server::Endpoint(_) => None,
    }
}

fn images(workload: &Workload) -> bool {
    arms(workload).any(|(_, arm)| matches!(arm.server, Server::Image { .. }))
}
