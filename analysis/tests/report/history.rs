//! The page on many runs.

use std::collections::BTreeMap;

use analysis::{
    history::{Board, Entry, Stay},
    report::{History, render_history},
};

use crate::{assert_well_nested, complete::Stored, escaping::parsed, sample::Weeks, snapshots::assert_as_before};

fn files(input: &History) -> BTreeMap<String, String> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    render_history(input).into_iter().map(|(name, bytes)| (name, text(bytes))).collect()
}

/// What a page of so many of the weeks says first.
fn headline(entries: Vec<Entry>) -> String {
    let report = files(&Weeks::of(entries).input())["report.md"].clone();
    report.split("<!-- note").next().unwrap().to_owned()
}

#[test]
fn the_page_and_its_pictures_look_as_before() {
    let files = files(&Weeks::new().input());
    assert_as_before("history.md", &files["report.md"]);
    assert_as_before("history-speed-1.svg", &files["plots/history-speed-1.svg"]);
}

#[test]
fn the_headline_says_who_leads_since_when_and_what_changed() {
    let said = headline(Weeks::new().entries);
    // The second image of `fast` came in the seventeenth week, the step in the twenty-second.
    assert!(said.contains("**fast** has led chat since 2026-W30 (14 runs). In its newest run it is "), "{said}");
    assert!(said.contains("Before, eager led."), "{said}");
    assert!(said.contains("**2026-W35** The baseline is slower from here on: TTFT +8.0 % ("), "{said}");
    assert!(said.contains("**2026-W26** The baseline is another server from here on ("), "{said}");
    assert!(said.contains("Also new there: kernel 6.12.57 → 6.12.61."), "{said}");
    assert!(!said.contains("speed-up "), "speed-ups are ratios, which the machine does not move: {said}");
}

#[test]
fn a_step_of_the_machine_is_found_where_it_is_and_by_how_much() {
    let files = files(&Weeks::new().input());
    let rows = parsed(&files["csv/changepoints.csv"]);
    assert!(rows.len() > 2, "{rows:?}");
    for row in &rows[1..] {
        let change: f64 = row[8].parse().unwrap();
        assert_eq!((row[0].as_str(), row[2].as_str()), ("2026-W35", "baseline"), "{row:?}");
        let truth = if row[3] == "output throughput" { -7.4 } else { 8.0 };
        assert!((change - truth).abs() < 1.0, "{row:?}");
        assert_eq!(row[10], "kernel 6.12.57 → 6.12.61");
    }
    let measures: Vec<&str> = rows[1..].iter().map(|row| row[3].as_str()).collect();
    assert_eq!(measures, ["TTFT", "TPOT", "output throughput"]);
    assert_eq!(parsed(&files["csv/rebases.csv"]).len(), 2);
}

#[test]
fn with_one_week_of_each_cell_the_page_says_that_history_begins() {
    let files = files(&Weeks::first().input());
    let report = &files["report.md"];
    assert!(
        report.contains("**History** begins with 2026-W14: no cell has been measured in two weeks yet"),
        "{report}"
    );
    assert!(report.contains("**eager** leads chat in 2026-W14: it is "), "{report}");
    assert!(!files.keys().any(|name| name.starts_with("plots/")));
    assert!(files["csv/segments.csv"].contains(",n/a (n < 8),"), "{}", files["csv/segments.csv"]);
}

#[test]
fn without_any_run_there_is_a_page() {
    let report = &files(&Weeks::of(Vec::new()).input())["report.md"];
    assert!(report.contains("**No run** has been judged yet."), "{report}");
}

#[test]
fn below_eight_runs_nothing_is_looked_for_and_the_page_says_so() {
    let said = headline(Weeks::new().entries[..7].to_vec());
    assert!(said.contains("**No change point** can be told yet: that takes 8 runs on one baseline"), "{said}");
}

#[test]
fn an_endpoint_may_be_another_server_each_week_and_has_no_history() {
    let mut weeks = Weeks::new();
    weeks.entries.iter_mut().for_each(|entry| entry.baseline = None);
    let files = files(&weeks.input());
    assert!(files["report.md"].contains("> Of 30 runs, 30 have a baseline that nobody here can identify"));
    assert_eq!(parsed(&files["csv/segments.csv"]).len(), 1);
    assert!(!files.keys().any(|name| name.starts_with("plots/")), "{:?}", files.keys());
}

#[test]
fn runs_beside_another_on_their_gpu_are_listed_and_no_part_of_any_history() {
    let mut weeks = Weeks::new();
    let runs = |weeks: &Weeks| -> u64 {
        let segments = parsed(&files(&weeks.input())["csv/segments.csv"]);
        segments[1..].iter().filter(|row| row[2] == "TTFT").map(|row| row[5].parse::<u64>().unwrap()).sum()
    };
    assert_eq!(runs(&weeks), 30);
    let stay = |from: &str, to: &str| Stay { gpu: "GPU-1".into(), from: from.into(), to: to.into() };
    weeks.entries[28].stays = vec![stay("2026-10-14T09:00:00Z", "2026-10-14T10:00:00Z")];
    weeks.entries[29].stays = vec![stay("2026-10-14T10:00:00Z", "2026-10-14T11:00:00Z")];
    assert_eq!(runs(&weeks), 30, "one after the other");
    weeks.entries[29].stays = vec![stay("2026-10-14T09:59:59Z", "2026-10-14T11:00:00Z")];
    weeks.entries[29].board = Board::Led(["eager".to_owned()].into());
    assert_eq!(runs(&weeks), 28);
    let files = files(&weeks.input());
    assert!(
        files["report.md"].contains("> Of 30 runs, 2 were on a GPU while another run was: their speeds are listed")
    );
    let values = parsed(&files["csv/history.csv"]);
    let left = values.iter().filter(|row| row[11] == "no, beside another run on its GPU").count();
    assert_eq!(left, 2 * (3 + 3), "three measures of the baseline and three candidates, each twice");
    assert_eq!(parsed(&files["csv/leaders.csv"])[1][2], "fast", "nobody leads by such a run");
}

#[test]
fn a_leaderboard_that_settles_nothing_changes_nobodys_lead() {
    let weeks = Weeks::new();
    assert!(weeks.entries.iter().any(|entry| matches!(entry.board, Board::Void(_))));
    let rows = parsed(&files(&weeks.input())["csv/leaders.csv"]);
    let led: Vec<(&str, &str)> = rows[1..].iter().map(|row| (row[1].as_str(), row[2].as_str())).collect();
    assert_eq!(led, [("2026-W30", "fast"), ("2026-W14", "eager")]);
}

#[test]
fn runs_give_the_same_bytes_in_whichever_order_they_are_told() {
    let weeks = Weeks::new();
    let mut turned = Weeks::new();
    turned.entries.reverse();
    assert_eq!(render_history(&weeks.input()), render_history(&turned.input()));
}

/// The text of a page without its style, its script, formulas and commands, piece by piece.
fn pieces(page: &str) -> Vec<String> {
    let mut page = page.to_owned();
    for (from, to) in [
        ("<style>", "</style>"),
        ("<script>", "</script>"),
        ("<dl class=\"formulas\">", "</dl>"),
        ("<pre class=\"commands\">", "</pre>"),
    ] {
        if let Some((before, rest)) = page.clone().split_once(from) {
            page = format!("{before}{}", rest.split_once(to).unwrap().1);
        }
    }
    // How many rows a table has that is folded away is seen when it is opened.
    let texts = page.split('<').filter(|piece| !piece.starts_with("summary>"));
    let texts = texts.filter_map(|piece| piece.split_once('>')).map(|(_, text)| text.trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

#[test]
fn every_number_of_the_page_but_those_of_axes_is_in_a_csv_file() {
    for weeks in [Weeks::new(), Weeks::first()] {
        let files = files(&weeks.input());
        let stored = Stored::of(&files);
        let pieces = pieces(&files["index.html"]);
        assert!(pieces.len() > 50);
        // A tick's label is a number and nothing else.
        let counts = |piece: &str| piece.ends_with(" values");
        let ours = |piece: &&String| piece.parse::<f64>().is_err() && !counts(piece) && *piece != weeks.input().title;
        for piece in pieces.iter().filter(ours) {
            let words = piece.split([' ', '(', ')']).filter(|word| !stored.is_digest(word));
            let words = words.collect::<Vec<_>>().join(" ").replace("&#39;", "'");
            assert_eq!(stored.lacks(&words), [""; 0], "`{piece}`");
        }
    }
}

#[test]
fn what_the_page_names_is_there_or_is_a_week_beside_it() {
    let weeks = Weeks::new();
    let files = files(&weeks.input());
    let mut beside = 0;
    for (page, before, after, first) in
        [("index.html", "href=\"", '"', "index.html"), ("report.md", "](", ')', "report.md")]
    {
        for link in files[page].split(before).skip(1).map(|part| part.split(after).next().unwrap()) {
            match link.strip_prefix('#') {
                Some(id) => assert!(files[page].contains(&format!("id=\"{id}\"")), "{link}"),
                None if link.starts_with('W') => {
                    beside += 1;
                    assert!(link.ends_with(&format!("/{first}")), "{link}");
                }
                None => assert!(files.contains_key(link), "{page}: {link}"),
            }
        }
    }
    assert!(beside > 60);
    let mut alone = weeks.input();
    let none = Default::default();
    alone.weeks = &none;
    assert!(!crate::history::files(&alone)["index.html"].contains("href=\"W"));
}

#[test]
fn every_csv_file_has_as_many_fields_in_each_line_as_in_its_header() {
    for (name, text) in files(&Weeks::new().input()).iter().filter(|(name, _)| name.starts_with("csv/")) {
        let lines = parsed(text);
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{name}");
    }
}

/// The last ten weeks, with a stranger's text wherever a stranger has a say.
fn hostile(text: &str) -> Weeks {
    let mut weeks = Weeks::of(Weeks::new().entries.split_off(20));
    let own = || text.to_owned();
    for entry in &mut weeks.entries {
        (entry.run, entry.report, entry.workload) = (own(), own(), own());
        let kernel = entry.context[1].1.clone();
        entry.context = vec![(own(), format!("{text}{kernel}"))];
        entry.candidates.iter_mut().enumerate().for_each(|(i, rival)| rival.name = format!("{text}{i}"));
        entry.board = match entry.week.to_string().as_str() {
            "2026-W43" => Board::Void(own()),
            _ => Board::Led([format!("{text}0"), format!("{text}1")].into()),
        };
        for measured in &mut entry.cells {
            (measured.cell.model, measured.cell.load) = (own(), own());
            measured.contract =
                vec![(own(), if entry.week.to_string().as_str() < "2026-W36" { own() } else { "x".into() })];
        }
    }
    weeks.commands = vec![own()];
    weeks
}

fn rendered(text: &str) -> BTreeMap<String, String> {
    let weeks = hostile(text);
    let mut input = weeks.input();
    (input.title, input.description) = (text, text);
    files(&input)
}

#[test]
fn markup_of_a_stranger_stays_text() {
    for text in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</title><b>", "' onclick='x", "&lt;"]
    {
        for (name, file) in rendered(text).iter().filter(|(name, _)| name.ends_with(".html") || name.ends_with(".svg"))
        {
            let script = format!("<script>{}</script>", include_str!("../../src/report/sort.js"));
            let file = file.replace(&script, "");
            assert_well_nested(name, &file);
            for bad in ["<script", "<img", "<b>al", "' onclick=", "\" onclick="] {
                assert!(!file.contains(bad), "{name}: {bad}");
            }
        }
    }
}

#[test]
fn a_strangers_names_neither_break_tables_nor_calculate_nor_hide() {
    let bare = |line: &str| line.replace("\\|", "").matches('|').count();
    for text in
        ["a|b", "[x](javascript:alert(1))", "=HYPERLINK(\"http://x\")", "+1", "a\u{1b}[2J\r\n\t\u{202e}b\u{feff}\u{0}"]
    {
        let files = rendered(text);
        for table in files["report.md"].split("\n\n").filter(|part| part.starts_with("| ")) {
            let columns: Vec<usize> = table.lines().map(bare).collect();
            assert!(columns.iter().all(|n| *n == columns[0]), "{text}: {table}");
        }
        let shown = files["report.md"].lines().filter(|line| !line.starts_with("    "));
        assert!(!shown.clone().any(|line| line.replace("\\]", "").contains("](javascript")), "{text}");
        for (name, file) in &files {
            assert_eq!(file.chars().find(|c| *c != '\n' && lab::text::is_unprintable(*c)), None, "{name}");
            for field in parsed(file).iter().flatten().filter(|_| name.ends_with(".csv")) {
                let starts = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
                assert!(!starts || field.parse::<f64>().is_ok(), "{name}: {field}");
            }
        }
    }
}

#[test]
fn a_note_on_the_page_is_kept() {
    let weeks = Weeks::first();
    let input = History { note: "The host moved.", ..weeks.input() };
    let files = files(&input);
    assert_eq!(analysis::report::note(&files["report.md"]).as_deref(), Ok("The host moved."));
    assert!(files["index.html"].contains("Note by hand"));
}

#[test]
fn a_run_that_is_told_again_with_a_further_stage_counts_once() {
    let mut entries = Weeks::new().entries[..9].to_vec();
    let mut again = entries[7].clone();
    again.week = entries[8].week;
    again.bundles.push(lab::Digest::of("a further stage"));
    again.candidates[0].overall.as_mut().unwrap().speedup = 1.777;
    entries.insert(0, again);
    let files = files(&Weeks::of(entries).input());
    let told =
        |csv: &str, of: &str| parsed(&files[csv]).iter().filter(|row| row.iter().any(|field| field == of)).count();
    assert_eq!(told("csv/runs.csv", "chat-lab1-0007"), 1);
    assert_eq!((told("csv/history.csv", "1.78"), told("csv/segments.csv", "9")), (1, 5));
    assert_eq!(parsed(&files["csv/weeks.csv"])[1][..3], ["2026-W22", "eager", "2"], "the week tells both");
}

#[test]
fn only_candidates_have_a_report_of_their_run() {
    let mut weeks = Weeks::first();
    weeks.entries[0].candidates.clear();
    weeks.entries[0].board = Board::None;
    let files = files(&weeks.input());
    assert!(!files["index.html"].contains("chat-lab1-0000/") && files["index.html"].contains("chat-lab1-0000"));
    assert!(!files["index.html"].contains("id=\"leaders\""));
}

#[test]
fn another_driver_begins_another_cell_of_the_same_name_and_the_page_says_which() {
    let mut weeks = Weeks::new();
    let driver = |entry: &mut Entry| entry.cells[0].contract[4].1 = "590.12".into();
    weeks.entries[15..].iter_mut().for_each(driver);
    let files = files(&weeks.input());
    let rows = parsed(&files["csv/contracts.csv"]);
    let cell = |n: u32| format!("smollm2-135m · 1 GPU · closed-8, contract {n}");
    let row = |n, is: &str| vec![cell(n), "driver".to_owned(), is.to_owned()];
    assert_eq!(rows[1..], [row(1, "580.95.05"), row(2, "590.12")]);
    assert!(files["report.md"].contains("has led chat, contract 2 since"));
    // Fifteen runs and fifteen runs, not thirty.
    let counts: Vec<String> = parsed(&files["csv/segments.csv"])[1..].iter().map(|row| row[5].clone()).collect();
    assert!(counts.iter().all(|n| n.parse::<u32>().unwrap() <= 15), "{counts:?}");
    assert!(files.contains_key("plots/history-baseline-2.svg"));
}

#[test]
fn with_several_cells_a_candidate_has_a_history_over_all_and_in_each() {
    let mut weeks = Weeks::new();
    for entry in &mut weeks.entries {
        let mut other = entry.cells[0].clone();
        other.cell.load = "closed-16".into();
        entry.cells.push(other.clone());
        for rival in &mut entry.candidates {
            let effect = rival.cells[0].1;
            rival.cells.push((other.cell.clone(), effect));
        }
    }
    let files = files(&weeks.input());
    let places: std::collections::BTreeSet<String> = parsed(&files["csv/segments.csv"])[1..]
        .iter()
        .filter(|row| row[1] == "fast")
        .map(|row| row[0].clone())
        .collect();
    let cell = |load: &str| format!("smollm2-135m · 1 GPU · {load}");
    assert_eq!(places, ["chat".to_owned(), cell("closed-8"), cell("closed-16")].into());
    for name in ["speed-1", "speed-2", "speed-3", "baseline-1", "baseline-2"] {
        assert!(files.contains_key(&format!("plots/history-{name}.svg")), "{name}");
    }
    assert!(files["report.md"].contains("The baseline in smollm2-135m · 1 GPU · closed-8 is slower"));
    // One rebase, in all cells.
    assert_eq!(parsed(&files["csv/rebases.csv"]).len(), 2);
}

#[test]
fn a_page_of_many_cells_and_candidates_stays_below_a_mebibyte() {
    let mut weeks = Weeks::of(Weeks::new().entries);
    let like = weeks.entries[0].clone();
    for entry in &mut weeks.entries {
        let cells = (1..=12).map(|i| {
            let mut cell = like.cells[0].clone();
            cell.cell.load = format!("closed-{i}");
            cell
        });
        entry.cells = cells.collect();
        let candidates = (0..20).map(|i| {
            let mut rival = like.candidates[0].clone();
            rival.name = format!("candidate-{i}");
            let effect = rival.overall.unwrap();
            rival.cells = entry.cells.iter().map(|cell| (cell.cell.clone(), effect)).collect();
            rival
        });
        entry.candidates = candidates.collect();
    }
    let files = files(&weeks.input());
    assert!(files["index.html"].len() < 1 << 20, "{}", files["index.html"].len());
    let report = &files["report.md"];
    assert!(
        report.contains("8 further cells in csv/history.csv.")
            && report.contains("13 other candidates only in the data")
    );
    assert!(report.contains(" values, in csv/history.csv."));
}

#[test]
fn candidates_that_came_once_are_no_picture() {
    let mut weeks = Weeks::of(Weeks::new().entries[..5].to_vec());
    for (i, entry) in weeks.entries.iter_mut().enumerate() {
        entry.candidates.iter_mut().for_each(|rival| rival.name = format!("{}-{i}", rival.name));
    }
    let files = files(&weeks.input());
    assert!(!files.contains_key("plots/history-speed-1.svg") && files.contains_key("plots/history-baseline-1.svg"));
    assert!(files["report.md"].contains("No candidate has been measured in two weeks over the same cells yet"));
}

#[test]
fn runs_of_one_week_are_no_history_yet() {
    let mut weeks = Weeks::of(Weeks::new().entries[..2].to_vec());
    weeks.entries[1].started = weeks.entries[0].started.clone();
    weeks.entries[1].week = weeks.entries[0].week;
    let files = files(&weeks.input());
    assert!(
        files["report.md"].contains("**History** begins with 2026-W14: no cell has been measured in two weeks yet")
    );
    assert!(!files.keys().any(|name| name.starts_with("plots/")), "{:?}", files.keys());
    assert_eq!(parsed(&files["csv/segments.csv"])[1][5], "2", "and yet both runs are of the series");
}
