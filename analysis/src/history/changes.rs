//! Change points of every series of a page.

use lab::{Digest, seed::Stream};
use stats::{
    NoAnswer,
    divisive::{self, MIN_VALUES, change_points},
    multiple,
};

use super::{Change, Changes, Point, Segment, Series};
use crate::parallel;

/// Of all that is said to change on a page where nothing does, as a probability.
const LEVEL: f64 = 0.05;

/// The segments of each series and the changes within them, in the order of the series. All segments
/// are one family: the level of each is what Holm's procedure leaves it.
pub fn changes(series: &[Series]) -> Vec<Vec<Segment>> {
    let parts = series.iter().map(|one| (one, one.parts()));
    let parts: Vec<_> = parts.flat_map(|(one, parts)| parts.into_iter().map(move |part| (one, part))).collect();
    let times = permutations(parts.iter().filter(|(_, (runs, _))| runs.len() >= MIN_VALUES).count());
    let asked = parallel::map(&parts, |(one, (runs, _))| ask(&one.name, &one.points()[runs.clone()], times));
    let p: Vec<f64> = asked.iter().flatten().map(divisive::Changes::p).collect();
    let mut levels = multiple::holm_levels(&p, LEVEL).unwrap_or_default().into_iter();
    let mut segments = parts.into_iter().zip(asked).map(|((_, (runs, cut)), asked)| {
        let changes = asked.and_then(|asked| told(&asked, levels.next().unwrap_or(LEVEL), runs.start));
        Segment { runs, cut, changes }
    });
    series.iter().map(|one| segments.by_ref().take(one.parts().len()).collect()).collect()
}

/// Orders a test: so many that the smallest p, among so many segments, is at most 0.01.
fn permutations(segments: usize) -> u32 {
    u32::try_from(segments.max(10) * 100 - 1).unwrap_or(u32::MAX)
}

/// Where these runs change, in orders that follow from their bundles and the name of their series.
fn ask(name: &str, points: &[Point], times: u32) -> Result<divisive::Changes, NoAnswer> {
    let logs: Vec<f64> = points.iter().map(|point| libm::log(point.value)).collect();
    let mut bundles: Vec<String> = points.iter().flat_map(|p| &p.bundles).map(Digest::to_string).collect();
    bundles.sort_unstable();
    let seed = Digest::of(bundles.join("\n"));
    let mut stream = Stream::new(&seed.bytes(), &format!("change points of {name}"));
    change_points(&logs, LEVEL, times, &mut |part| stream.shuffle(part))
}

/// What is shown of it at this level, for a segment that begins at `from`.
fn told(asked: &divisive::Changes, level: f64, from: usize) -> Result<Changes, NoAnswer> {
    let points = asked.at(level)?.into_iter().map(|point| Change {
        at: from + point.index,
        p: point.p,
        before: libm::exp(point.before),
        after: libm::exp(point.after),
    });
    Ok(Changes { p: asked.p(), level, points: points.collect() })
}
