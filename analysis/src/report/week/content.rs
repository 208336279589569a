//! What the page on a week says, in which order.

use std::collections::BTreeSet;

use super::{
    changed, names,
    tables::{Tables, kind},
};
use crate::{
    history::Board,
    judgement::{Candidate, Verdict},
    report::{
        document::{Block, Document, Home, Section},
        escape, figures, number, shown,
        words::{self, Line, counted},
    },
    week::{Input, Published, Run},
};

/// Runs that the headline names one by one.
const NAMED: usize = 6;

pub(super) fn document(input: &Input<'_>, published: &Published, tables: &Tables) -> Document {
    let mut sections = vec![Section::new("runs", "Runs", vec![Block::Table(tables.runs.clone())])];
    let reported = input.runs.iter().filter(|run| run.is_reported());
    sections.extend(reported.zip(1..).map(|(run, n)| of_run(run, n, input, tables)));
    sections.push(Section::new("changes", "What changed", changes(input, published, tables)));
    sections.push(Section::new("baseline", "The baseline against itself", baseline(input, tables)));
    if !tables.unjudged.rows.is_empty() {
        sections.push(Section::new("not-judged", "Not judged", vec![Block::Table(tables.unjudged.clone())]));
    }
    sections.push(Section::new("bundles", "Bundles", bundles(tables)));
    sections.push(Section::new("reproduce", "Reproduce this page", reproduce(input)));
    let [monday, sunday] = input.week.days();
    Document {
        title: format!("Week {}", input.week),
        above: format!("Weekly report · {monday} to {sunday}"),
        home: Some(Home { title: format!("Year {}", input.week.year()), folder: "../" }),
        description: description(input, published),
        headline: headline(input, published),
        caution: String::new(),
        note: input.notes.get("").cloned().unwrap_or_default(),
        sections,
    }
}

/// `2 comparisons, 8 controls, 1 measurement, judged by method 0.5.1.`
fn description(input: &Input<'_>, published: &Published) -> String {
    let of = |wanted: &str, one: &str, many: &str| {
        let n = input.runs.iter().filter(|run| kind(&run.judgement) == wanted).count();
        (n > 0).then(|| format!("{n} {}", if n == 1 { one } else { many }))
    };
    let parts = [
        of("comparison", "comparison", "comparisons"),
        of("controls", "run of controls", "runs of controls"),
        of("measurement", "measurement without candidates", "measurements without candidates"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let parts = if parts.is_empty() { "No run".to_owned() } else { parts.join(", ") };
    format!("{parts}, judged by method {}.", escape::name(&published.method))
}

/// What came out of each comparison, what changed, and how far the noise goes.
fn headline(input: &Input<'_>, published: &Published) -> Vec<Line> {
    let mut reported: Vec<&Run> = input.runs.iter().filter(|run| run.is_reported()).collect();
    // Who leads and who cheated is news; that nothing came out is told after it.
    reported.sort_by_key(|run| !settled(run));
    let mut lines: Vec<Line> = reported.iter().take(NAMED).map(|run| came_out(run)).collect();
    if reported.len() > NAMED {
        let rest = counted((reported.len() - NAMED) as u64, "more comparison") + ".";
        lines.push(Line { verdict: None, glyph: "+", subject: "And".into(), rest });
    }
    if !published.unjudged.is_empty() {
        let subject = counted(published.unjudged.len() as u64, "bundle");
        lines.push(Line { verdict: None, glyph: "!", subject, rest: "could not be judged: see Not judged.".into() });
    }
    // That there was nothing before is no news of a first week.
    if !input.before.is_empty() {
        lines.extend(changed::lines(&published.changes));
    }
    lines
}

/// Whether anybody leads, or altered outputs.
fn settled(run: &Run) -> bool {
    let altered = run.judgement.candidates.iter().any(|candidate| candidate.verdict == Verdict::Altered);
    altered || matches!(run.entry.board, Board::Led(_))
}

/// `llama-cpp leads and is 42 % faster than the baseline (95 % interval 40–44 %). 1 equivalent, 2 undecided, 1 altered.`
fn came_out(run: &Run) -> Line {
    let candidates = &run.judgement.candidates;
    let speed = |name: &String| {
        let found = candidates.iter().find(|c| c.name == *name);
        found.map(words::how_fast).map(|(verb, speed)| format!(" {verb} {speed}")).unwrap_or_default()
    };
    let standing = |by: &BTreeSet<String>| {
        if candidates.iter().any(|c| c.provisional && by.contains(&c.name)) { " (provisionally)" } else { "" }
    };
    let (verdict, first) = match &run.entry.board {
        Board::Led(by) if by.len() == 1 => {
            let leader =
                by.iter().map(|name| format!("{} leads{} and{}", escape::name(name), standing(by), speed(name)));
            (Some(Verdict::Equivalent), leader.collect())
        }
        Board::Led(by) => (Some(Verdict::Equivalent), format!("{} share the first place{}", names(by), standing(by))),
        Board::Void(why) => (None, format!("nobody is ranked: {}", escape::detail(why))),
        Board::Empty | Board::None => {
            let why = run.judgement.leaderboard.iter().flat_map(|board| &board.unranked);
            let short = |text: &str| escape::detail(text.split(';').next().unwrap_or_default());
            let why = why.map(|one| format!(": {}", short(&one.why.text))).next().unwrap_or_default();
            (None, format!("nobody is ranked{why}"))
        }
    };
    let of = |verdict| candidates.iter().filter(|c| c.verdict == verdict).count() as u64;
    let counts =
        [("equivalent", Verdict::Equivalent), ("undecided", Verdict::Undecided), ("altered", Verdict::Altered)]
            .map(|(word, verdict)| format!("{} {word}", of(verdict)));
    let all = counted(candidates.len() as u64, "candidate");
    Line {
        verdict,
        glyph: "·",
        subject: format!("{}:", escape::name(&run.entry.workload)),
        rest: format!("{first}. Of {all}: {}.", counts.join(", ")),
    }
}

/// A comparison: who is how fast, and what each verdict is.
fn of_run(run: &Run, n: usize, input: &Input<'_>, tables: &Tables) -> Section {
    let name = escape::name(&run.entry.run);
    let facts = tables.runs.only("Run", |word| word == name).pick(&["Run", "Began, UTC", "Requests"]);
    let mut blocks = vec![Block::Text(escape::detail(&run.description)), Block::Facts(facts)];
    blocks.extend(beside(run, input).map(Block::Text));
    let candidates = shown::rows(&run.judgement);
    blocks.extend(shown::note(&run.judgement, candidates).map(Block::Text));
    blocks.extend(figures::overall(&format!("speed-{n}"), &run.judgement).map(|f| Block::Figure(Box::new(f))));
    let named = |name: &str| candidates.iter().any(|c: &Candidate| escape::name(&c.name) == name);
    let verdicts = tables.verdicts.of(&name).only("Candidate", named);
    blocks.push(Block::Table(verdicts.unless_constant("Is")));
    let board = tables.leaderboard.of(&name);
    if board.rows.len() > 1 {
        blocks.push(Block::Table(board));
    }
    let costs = tables.costs.of(&name).unless_constant("Cell");
    if !costs.rows.is_empty() {
        let table = costs.unless_empty("Cost of 10⁶ tokens").unless_empty("Energy a token");
        blocks.push(Block::Fold { summary: "Cost and energy".to_owned(), open: false, table });
    }
    Section::new(&format!("run-{n}"), &escape::name(&run.entry.workload), blocks)
}

/// Who else was on its GPU, where anybody was.
fn beside(run: &Run, input: &Input<'_>) -> Option<String> {
    let all = input.before.iter().flat_map(|week| &week.runs).chain(input.runs.iter().map(|run| &run.entry));
    let others: BTreeSet<&String> =
        all.filter(|other| run.entry.shares_gpu_with(other)).map(|other| &other.run).collect();
    let who = match others.len() {
        0 => return None,
        1..=3 => names(others),
        n => counted(n as u64, "other run"),
    };
    Some(format!(
        "While it ran, {who} ran on its GPU too: its speeds are not those of a server alone, and are no part of the history."
    ))
}

fn changes(input: &Input<'_>, published: &Published, tables: &Tables) -> Vec<Block> {
    let Some(before) = input.before.last() else {
        return vec![Block::text(
            "No week before this one is published here: the next one says what changed since then.",
        )];
    };
    let since = format!("The last week that is published before this one is {}.", before.week);
    if published.changes.is_empty() {
        let said = "Each workload that ran before measures the same cells, with the same baseline, the same candidates, verdicts and leaders, and no speed-up whose interval does not meet that of before.";
        return vec![Block::Text(format!("{since} {said}"))];
    }
    vec![Block::Text(since), Block::Table(tables.changes.clone())]
}

/// How often the baseline is told from itself: the rate of false claims, as far as it is known.
fn baseline(input: &Input<'_>, tables: &Tables) -> Vec<Block> {
    let rejects: Vec<bool> =
        input.runs.iter().flat_map(|run| &run.judgement.self_speeds).filter_map(|it| it.rejects).collect();
    let (hits, of) = (rejects.iter().filter(|rejects| **rejects).count() as u64, rejects.len() as u64);
    let said = match stats::proportion::clopper_pearson(hits, of, 0.95) {
        Ok(interval) if of > 0 => {
            let percent = |share: f64| number::fixed(share * 100.0, 1);
            format!(
                "{hits} of {} with enough rounds for a claim exclude 1, which is {} % to {} % of such comparisons (95 % interval): where nothing differs, 5 % are expected.",
                counted(of, "comparison"),
                percent(interval.low).digits(),
                percent(interval.high).digits(),
            )
        }
        _ => "No comparison of the baseline with itself has enough rounds for a claim.".to_owned(),
    };
    let mut blocks = vec![Block::Text(said)];
    let claims = tables.selves.only("Excludes 1", |word| word != "no claim");
    if !claims.rows.is_empty() {
        blocks.push(Block::Table(claims));
    }
    blocks
}

fn bundles(tables: &Tables) -> Vec<Block> {
    let own = tables.bundles.only("Of", |of| of == "the run").without_column("Of");
    let summary = counted(own.rows.len() as u64, "sealed bundle");
    vec![Block::Fold { summary, open: false, table: own }]
}

fn reproduce(input: &Input<'_>) -> Vec<Block> {
    vec![
        Block::text(
            "From the folder in which results/ and the reports of the weeks before lie, the same bundles give this page and every run's report again, byte for byte:",
        ),
        Block::Commands(vec![crate::week::command(input.week)]),
        Block::text(
            "Beside this page: every number shown, as CSV in csv/; the verdicts and what changed in verdicts.json; and a folder for each comparison with its whole report.",
        ),
    ]
}
