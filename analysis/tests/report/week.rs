//! The page on a week.

use std::collections::{BTreeMap, BTreeSet};

use analysis::{
    history::Board,
    judgement::Verdict,
    report::render_week,
    week::{Change, Input, Published, What},
};

use crate::{
    assert_well_nested,
    complete::{cells, numbers},
    escaping::{hostile, parsed},
    sample::{self, OneWeek, Sample},
    snapshots::assert_as_before,
};

pub(crate) fn files(input: &Input) -> BTreeMap<String, String> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    render_week(input).into_iter().map(|(name, bytes)| (name, text(bytes))).collect()
}

fn headline(week: &OneWeek) -> String {
    files(&week.input())["report.md"].split("<!-- note").next().unwrap().to_owned()
}

/// What changed in a week's runs, by the names that JSON has for it.
fn kinds(week: &OneWeek) -> Vec<String> {
    let changes = Published::of(&week.input()).changes;
    let kind = |change: &Change| serde_json::to_value(&change.what).unwrap()["kind"].as_str().unwrap().to_owned();
    changes.iter().map(kind).collect()
}

#[test]
fn the_page_looks_as_before() {
    assert_as_before("week.md", &files(&OneWeek::new().input())["report.md"]);
}

#[test]
fn the_headline_says_who_leads_and_what_changed_in_words() {
    let said = headline(&OneWeek::new());
    assert!(
        said.contains("**chat:** fast leads (provisionally) and is 24 % faster than the baseline (95 % interval "),
        "{said}"
    );
    assert!(said.contains("Of 5 candidates: "), "{said}");
    assert!(said.contains("**chat** is led by others: fast leads, before eager."), "{said}");
    assert!(said.contains("**chat** is judged by method "), "{said}");
    assert!(said.contains("**chat-70b** runs for the first time."), "{said}");
    assert!(said.contains("2 comparisons, 1 run of controls, judged by method "), "{said}");
}

#[test]
fn who_leads_or_cheated_is_said_before_that_nothing_came_out() {
    let order = |week: &OneWeek| {
        let said = headline(week);
        said.find("**chat:**").unwrap() < said.find("**chat-70b:**").unwrap()
    };
    let mut week = OneWeek::new();
    assert!(order(&week));
    for chat in week.runs.iter_mut().filter(|run| run.entry.workload == "chat") {
        chat.entry.board = Board::Void("too few rounds".into());
    }
    assert!(order(&week), "somebody cheated");
    for chat in week.runs.iter_mut().filter(|run| run.entry.workload == "chat") {
        chat.judgement.candidates.retain(|candidate| candidate.verdict != Verdict::Altered);
    }
    assert!(!order(&week));
}

#[test]
fn a_first_week_has_no_news_and_says_so() {
    let mut week = OneWeek::new();
    week.before.clear();
    assert!(!headline(&week).contains("for the first time"));
    assert!(files(&week.input())["report.md"].contains("No week before this one is published here"));
}

#[test]
fn each_change_is_told_and_the_same_again_is_none() {
    let mut week = OneWeek::new();
    let all: BTreeSet<String> = kinds(&week).into_iter().collect();
    assert_eq!(Vec::from_iter(&all), ["joined", "leader", "left", "method", "new", "speed", "verdict"]);
    // What ran before is what runs now; the other comparison is still new.
    week.before = vec![sample::week::published("2026-W46".parse().unwrap(), week.runs[1].entry.clone())];
    assert_eq!(kinds(&week), ["new"]);
    // Over another baseline a speed-up is another thing, and no change.
    let before = &mut week.before[0].runs[0];
    before.baseline = None;
    before.candidates[0].overall.as_mut().unwrap().high = 0.5;
    assert_eq!(kinds(&week), ["rebased", "new"]);
    // A leaderboard that settles nothing had no leader.
    week.before[0].runs[0].baseline = week.runs[1].entry.baseline;
    week.before[0].runs[0].candidates = week.runs[1].entry.candidates.clone();
    week.before[0].runs[0].board = Board::Void("too few rounds".into());
    let changes = Published::of(&week.input()).changes;
    let nobody = BTreeSet::new();
    assert!(matches!(&changes[0].what, What::Leader { from, to } if *from == nobody && to.contains("fast")));
}

#[test]
fn intervals_that_meet_are_no_change_of_speed() {
    let mut week = OneWeek::new();
    week.before = vec![sample::week::published("2026-W46".parse().unwrap(), week.runs[1].entry.clone())];
    let now = week.runs[1].entry.candidates[0].overall.unwrap();
    for (low, high, kinds_then) in [
        (0.5, now.low, &["new"][..]),
        (0.5, now.low - 0.001, &["speed", "new"]),
        (now.high, 9.0, &["new"]),
        (now.high + 0.001, 9.0, &["speed", "new"]),
    ] {
        let then = week.before[0].runs[0].candidates[0].overall.as_mut().unwrap();
        (then.low, then.high) = (low, high);
        assert_eq!(kinds(&week), kinds_then, "{low} to {high}");
    }
}

#[test]
fn every_run_of_a_week_is_held_against_the_one_before_it() {
    let mut week = OneWeek::new();
    let older = sample::week::published("2026-W45".parse().unwrap(), week.before[0].runs[0].clone());
    week.before[0].runs = vec![week.runs[1].entry.clone()];
    week.before.insert(0, older);
    assert_eq!(kinds(&week), ["new"]);
    // Two further runs of the same week: of another baseline, and of the first one again.
    let mut other = sample::week::run(Sample::new().judgement, "chat-lab1-0001", "2026-11-20T09:12:40Z");
    other.entry.baseline = None;
    week.runs.push(other);
    week.runs.push(sample::week::run(Sample::new().judgement, "chat-lab1-0002", "2026-11-21T09:12:40Z"));
    assert_eq!(kinds(&week), ["new", "rebased", "rebased"]);
    let since: Vec<Option<String>> = Published::of(&week.input()).changes.into_iter().map(|c| c.since).collect();
    assert_eq!(since, [None, Some("chat-lab1-7f3a".into()), Some("chat-lab1-0001".into())]);
}

#[test]
fn a_run_of_other_settings_is_said_to_be_one_and_not_compared() {
    let mut week = OneWeek::new();
    let before = &mut week.before[0].runs[0];
    before.cells[0].contract[0].1 = "max_tokens = 256".into();
    assert_eq!(kinds(&week), ["contract", "new"]);
    let said = headline(&week);
    assert!(said.contains("does not measure what it measured before (sampling): nothing is compared"), "{said}");
    // A run before that one measured the same cells: it is held against that.
    let mut alike = sample::week::published("2026-W45".parse().unwrap(), week.runs[1].entry.clone());
    (alike.runs[0].run, alike.runs[0].bundles) = ("chat-lab1-45".into(), vec![lab::Digest::of("45")]);
    alike.runs[0].method = "0.4.0".into();
    week.before.insert(0, alike);
    assert_eq!(kinds(&week), ["method", "new"]);
    week.before.remove(0);
    week.before[0].runs[0].cells.clear();
    assert!(headline(&week).contains("(one of the two measured no cell)"));
}

#[test]
fn a_stage_that_confirms_in_a_later_week_is_told_whatever_ran_since() {
    let mut week = OneWeek::new();
    let mut told = week.runs[1].entry.clone();
    told.bundles.truncate(1);
    told.candidates[4].verdict = analysis::judgement::Verdict::Undecided;
    week.before = vec![sample::week::published("2026-W46".parse().unwrap(), told)];
    week.runs.push(sample::week::run(Sample::new().judgement, "chat-lab1-0002", "2026-11-21T09:12:40Z"));
    assert_eq!(kinds(&week), ["evidence", "verdict", "new"]);
    let said = headline(&week);
    assert!(said.contains("**chat** is told again, with stages or grades that it did not have before."), "{said}");
    assert!(said.contains("**int4, chat** is altered, before undecided."), "{said}");
}

#[test]
fn speeds_of_a_run_beside_another_on_its_gpu_are_not_compared_and_the_page_says_so() {
    let mut week = OneWeek::new();
    let beside = "While it ran, chat-lab1-7f3a ran on its GPU too";
    assert!(kinds(&week).contains(&"speed".to_owned()) && !files(&week.input())["report.md"].contains(beside));
    week.runs[2].entry.stays = week.runs[1].entry.stays.clone();
    assert!(!kinds(&week).contains(&"speed".to_owned()));
    assert!(files(&week.input())["report.md"].contains(beside));
    // One after the other they do not disturb each other.
    let stay = &mut week.runs[2].entry.stays[0];
    (stay.from, stay.to) = (stay.to.clone(), "2026-11-19T01:00:00Z".into());
    assert!(kinds(&week).contains(&"speed".to_owned()));
}

#[test]
fn a_provisional_verdict_is_marked_wherever_it_ranks_somebody() {
    let mut week = OneWeek::new();
    let candidates = week.runs.iter_mut().flat_map(|run| &mut run.judgement.candidates);
    candidates.for_each(|candidate| candidate.provisional = candidate.name == "fast");
    let files = files(&week.input());
    assert!(files["report.md"].contains("**chat:** fast leads (provisionally) and is 24 % faster"));
    let board = parsed(&files["csv/leaderboard.csv"]);
    let of = |name: &str| board.iter().filter(|row| row[3] == name).map(|row| row[5].clone()).collect::<Vec<_>>();
    assert_eq!((of("fast"), of("eager")), (vec!["provisional".to_owned(); 2], vec!["final".to_owned(); 2]));
}

#[test]
fn every_number_in_a_table_is_in_a_csv_file_and_every_link_leads_to_a_page_of_a_run_or_here() {
    let week = OneWeek::new();
    let files = files(&week.input());
    let stored: BTreeSet<String> =
        files.iter().filter(|(name, _)| name.starts_with("csv/")).flat_map(|(_, text)| numbers(text)).collect();
    let page = &files["index.html"];
    assert_well_nested("index.html", page);
    for cell in cells(page) {
        for number in numbers(&cell.replace("&#39;", "'")) {
            assert!(stored.contains(&number), "{number} of `{cell}`");
        }
    }
    let reported: Vec<&str> =
        week.runs.iter().filter(|run| run.is_reported()).map(|run| run.entry.run.as_str()).collect();
    let links = page.split("href=\"").skip(1).map(|part| part.split('"').next().unwrap());
    let mut outside: BTreeSet<&str> =
        links.filter(|link| !link.starts_with('#') && !files.contains_key(*link)).collect();
    assert!(outside.remove("../index.html"), "{outside:?}");
    for link in &outside {
        let (run, file) = link.split_once('/').unwrap();
        assert!(reported.contains(&run) && (file == "index.html" || file.starts_with("candidates/")), "{link}");
    }
    assert_eq!(outside.len(), 2 * (1 + 5));
    for (name, text) in files.iter().filter(|(name, _)| name.starts_with("csv/")) {
        let lines = parsed(text);
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{name}");
    }
}

#[test]
fn a_week_leads_to_its_year_and_says_what_tokens_cost_where_that_is_known() {
    let mut week = OneWeek::new();
    let known = files(&week.input());
    assert!(known["index.html"].contains("href=\"../index.html\">Year 2026</a>"));
    assert!(known["report.md"].contains("*[Year 2026](../report.md) · Weekly report"));
    let costs = parsed(&known["csv/costs.csv"]);
    assert_eq!(costs.len(), 1 + 2 * 2 * 6, "two cells of the arms of two comparisons");
    let shown = |files: &BTreeMap<String, String>, what: &str| files["report.md"].contains(what);
    assert!(shown(&known, "| Cost of 10⁶ tokens | Energy a token |"));
    let all = week.runs.iter_mut().flat_map(|run| &mut run.judgement.loads);
    all.for_each(|facts| facts.cost_per_million_tokens = None);
    let unpriced = files(&week.input());
    assert!(!shown(&unpriced, "Cost of 10⁶ tokens") && shown(&unpriced, "| Energy a token |"));
    let all = week.runs.iter_mut().flat_map(|run| &mut run.judgement.loads);
    all.for_each(|facts| facts.joules_per_token = None);
    assert!(!shown(&files(&week.input()), "Energy a token"));
}

#[test]
fn a_week_without_a_judged_run_says_what_could_not_be_judged() {
    let mut week = OneWeek::new();
    week.runs.clear();
    let page = &files(&week.input())["report.md"];
    assert!(page.contains("No run, judged by method ") && page.contains("it is no JSON"), "{page}");
}

#[test]
fn what_strangers_wrote_is_shown_and_never_obeyed() {
    for text in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "=cmd()|' /C calc'!A0"] {
        let mut week = OneWeek::new();
        let mut judgement = hostile(Sample::new(), text).judgement;
        judgement.candidates.iter_mut().for_each(|candidate| candidate.name = text.into());
        let mut run = sample::week::run(judgement, text, "2026-11-18T09:12:40Z");
        run.description = text.into();
        week.unjudged[0] = analysis::week::Unjudged { place: text.into(), problem: text.into() };
        week.before[0].runs[0].workload = text.into();
        week.runs.push(run);
        let files = files(&week.input());
        let script = format!("<script>{}</script>", include_str!("../../src/report/sort.js"));
        let page = files["index.html"].replace(&script, "");
        assert_well_nested("index.html", &page);
        for bad in ["<script", "<img"] {
            assert!(!page.contains(bad), "{bad}");
            assert!(!files["report.md"].replace("\\<", "").contains(bad), "{bad}");
        }
        for (name, table) in files.iter().filter(|(name, _)| name.starts_with("csv/")) {
            assert!(parsed(table).iter().flatten().all(|field| !field.starts_with('=')), "{name}");
        }
        let back: Published = serde_json::from_str(&files["verdicts.json"]).unwrap();
        assert_eq!(back, Published::of(&week.input()));
    }
}
