//! What a server sent is shown, never obeyed, in every file of a report.

use std::collections::BTreeMap;

use analysis::judgement::{Judgement, Reason};

use crate::{assert_well_nested, files, sample::Sample};

/// A run with a stranger's text wherever a stranger has a say.
pub(crate) fn hostile(mut sample: Sample, text: &str) -> Sample {
    let own = || text.to_owned();
    let Judgement {
        workload,
        candidates,
        baseline,
        bundles,
        calibration_bundles,
        controls,
        controls_lack,
        voids,
        loads,
        ladders,
        leaderboard,
        self_speeds,
        ..
    } = &mut sample.judgement;
    if let Some(board) = leaderboard {
        board.entries.iter_mut().for_each(|e| e.name = own());
        board
            .pairs
            .iter_mut()
            .for_each(|p| (p.ahead, p.behind, p.faster_with_confidence) = (own(), own(), Some(own())));
        board.unranked.iter_mut().for_each(|u| (u.name, u.why.text) = (own(), own()));
        board.notes.iter_mut().for_each(|n| n.text = own());
    }
    self_speeds.iter_mut().for_each(|s| (s.rejects, s.note) = (None, Some(Reason { code: "x", text: own() })));
    for facts in loads {
        (facts.arm, facts.model, facts.load, facts.shape) = (own(), own(), own(), own());
    }
    for ladder in ladders {
        (ladder.ladder, ladder.model) = (own(), own());
        ladder.arms.iter_mut().for_each(|a| a.arm = own());
    }
    *workload = own();
    *calibration_bundles = bundles.clone();
    calibration_bundles.iter_mut().for_each(|b| (b.folder, b.sealed) = (own(), own()));
    *controls_lack = controls.as_ref().is_none().then(own);
    bundles.iter_mut().for_each(|b| (b.folder, b.sealed) = (own(), own()));
    voids.iter_mut().for_each(|v| v.why = own());
    baseline.structure.iter_mut().for_each(|c| c.examples = vec![own()]);
    for (i, candidate) in candidates.iter_mut().enumerate() {
        candidate.name = format!("{text}{i}");
        candidate.description = own();
        let reasons = candidate.reasons.iter_mut().chain(&mut candidate.overall_note).chain(&mut candidate.notes);
        reasons.for_each(|r| r.text = own());
        candidate.structure.iter_mut().for_each(|c| c.examples = vec![own(), own()]);
        let whys = candidate.scores.iter_mut().map(|s| (&mut s.why, &mut s.score));
        whys.for_each(|(why, score)| (*why, *score) = (Some(Reason { code: "x", text: own() }), None));
        candidate.gates.iter_mut().for_each(|g| g.why = Some(Reason { code: "x", text: own() }));
        candidate.failures.iter_mut().for_each(|f| (f.trial, f.detail) = (own(), own()));
        candidate.outcomes.iter_mut().for_each(|o| o.0 = own());
        for cell in &mut candidate.speed {
            (cell.model, cell.load) = (own(), own());
        }
        for token in candidate.equivalence.iter_mut().flat_map(|e| &mut e.worst) {
            (token.trial, token.emitted, token.best) = (own(), own(), own());
        }
    }
    let environment = &mut sample.environments[0];
    environment.host = own();
    environment.system = Some(own());
    environment.program.version = own();
    for gpu in &mut environment.gpus {
        (gpu.uuid, gpu.name, gpu.driver) = (own(), own(), own());
        (gpu.vbios, gpu.pci) = (Some(own()), Some(own()));
    }
    environment.endpoints = std::iter::once((own(), own())).collect();
    environment.models = environment.models.values().map(|m| (own(), m.clone())).collect();
    sample.commands = vec![own()];
    for series in &mut sample.series {
        (series.arm, series.cell.model) = (own(), own());
    }
    for drift in &mut sample.drift {
        drift.cell.load = own();
        drift.points.iter_mut().for_each(|p| p.arm = own());
    }
    sample
}

fn rendered(text: &str) -> BTreeMap<String, String> {
    rendered_with(Sample::new(), text)
}

fn rendered_with(sample: Sample, text: &str) -> BTreeMap<String, String> {
    let sample = hostile(sample, text);
    let mut input = sample.input();
    (input.title, input.description) = (text, text);
    let mut files = files(&input);
    files.insert("terminal".into(), analysis::report::table(&sample.judgement, 80, false));
    files
}

/// The fields of each line of a CSV file.
pub(crate) fn parsed(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut line));
            }
            c => field.push(c),
        }
    }
    lines
}

#[test]
fn markup_stays_text_on_the_page_and_in_pictures() {
    for text in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</title><b>", "' onclick='x", "&lt;"]
    {
        for (name, file) in rendered(text) {
            if name.ends_with(".html") || name.ends_with(".svg") {
                let script = format!("<script>{}</script>", include_str!("../../src/report/sort.js"));
                let file = file.replace(&script, "");
                assert_well_nested(&name, &file);
                for bad in ["<script", "<img", "<b>al", "' onclick=", "\" onclick="] {
                    assert!(!file.contains(bad), "{name}: {bad}");
                }
                let escaped = file.contains("&lt;script")
                    || file.contains("&quot;&gt;")
                    || file.contains("&lt;/title")
                    || file.contains("&#39; on")
                    || file.contains("&amp;lt;");
                assert!(escaped || name.starts_with("plots/drift"), "{name} does not show {text}");
            }
        }
    }
}

#[test]
fn no_file_holds_a_control_character_or_a_bidirectional_override() {
    for (name, file) in rendered("a\u{1b}[2J\u{9b}31m\r\n\t\u{7}\u{202e}b\u{2066}\u{feff}\u{0}") {
        let acts = |c: char| c != '\n' && lab::text::is_unprintable(c);
        assert_eq!(file.chars().find(|c| acts(*c)), None, "{name}");
    }
}

#[test]
fn spreadsheets_find_no_formula() {
    for text in ["=HYPERLINK(\"http://x\",\"y\")", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "a,=1", "a\n=1"] {
        for (name, file) in rendered(text).iter().filter(|(name, _)| name.ends_with(".csv")) {
            for field in parsed(file).iter().flatten() {
                let starts = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
                assert!(!starts || field.parse::<f64>().is_ok(), "{name}: {field}");
            }
        }
    }
}

#[test]
fn tables_in_markdown_keep_their_columns_and_hold_no_markup() {
    let bare = |line: &str| line.replace("\\|", "").matches('|').count();
    for text in ["a|b", "`a`|b", "\\|", "<script>|</script>", "[x](javascript:alert(1))", "![x](http://y)", "a\n| b |"]
    {
        let markdown = &rendered(text)["report.md"];
        for table in markdown.split("\n\n").filter(|part| part.starts_with("| ")) {
            let columns: Vec<usize> = table.lines().map(bare).collect();
            assert!(columns.iter().all(|n| *n == columns[0]), "{text}: {table}");
        }
        for bad in ["<script", "](javascript", "](http"] {
            let code = markdown.lines().filter(|line| !line.starts_with("    "));
            assert!(
                !code.clone().any(|line| line.replace("\\]", "").replace("\\<", "").contains(bad)),
                "{text}: {bad}"
            );
        }
    }
}

#[test]
fn a_name_of_a_mebibyte_is_cut() {
    let mut sample = Sample::new();
    sample.judgement.candidates.truncate(2);
    sample.series.truncate(2);
    sample.drift[0].points.truncate(8);
    for (name, file) in rendered_with(sample, &"<\u{1b}".repeat(1 << 19)) {
        let most = if name == "verdicts.json" { 4 << 20 } else { 1 << 20 };
        assert!(file.len() < most, "{name}: {} bytes", file.len());
    }
}

#[test]
fn a_terminal_line_stays_within_its_width_whatever_names_are() {
    for text in ["\u{1b}[2J", "x", &"long ".repeat(99), &"y".repeat(1 << 20)] {
        let table = analysis::report::table(&hostile(Sample::new(), text).judgement, 80, false);
        for line in table.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
