//! The report of a large run stays of a size that browsers and people bear.

use crate::{files, sample::Sample};

const MIB: usize = 1 << 20;

#[test]
fn pages_of_many_candidates_in_many_cells_stay_below_a_mebibyte() {
    let sample = Sample::large(40, 12);
    let files = files(&sample.input());
    let size = |name: &str| files[name].len();
    // A row in each of three tables is what a candidate beyond the fortieth adds: 160 more fit.
    assert!(size("index.html") + 160 * 1_200 < MIB, "{}", size("index.html"));
    let pages: Vec<usize> =
        files.iter().filter(|(name, _)| name.starts_with("candidates/")).map(|(_, text)| text.len()).collect();
    assert_eq!(pages.len(), 80);
    assert!(pages.iter().all(|bytes| *bytes < MIB), "{:?}", pages.iter().max());
}

#[test]
fn of_many_candidates_the_first_page_shows_some_and_says_so() {
    let sample = Sample::large(40, 3);
    let files = files(&sample.input());
    let shown = "Of 40 candidates the first 7 in the order of the verdicts are shown here";
    assert!(files["index.html"].contains(shown) && files["report.md"].contains(shown));
    for candidate in &sample.judgement.candidates {
        let name = &candidate.name;
        assert!(files["index.html"].contains(&format!("href=\"candidates/{name}.html\"")), "{name}");
        assert!(files["csv/loads.csv"].contains(&format!(",{name},")), "{name}");
        assert!(files[&format!("candidates/{name}.html")].contains("E2EL at equal work"), "{name}");
    }
}
