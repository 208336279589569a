//! Who is ahead, every two candidates against each other, and the baseline against itself.

use crate::{
    judgement::{Entry, Judgement, Pair, SelfSpeed, Unranked},
    report::{
        board, escape, number,
        table::{Cell, Table, column},
    },
};

use super::speed::effect;

/// The order.
pub(crate) fn leaderboard(judgement: &Judgement) -> Table {
    let entry = |e: &Entry| {
        let candidate = judgement.candidates.iter().find(|c| c.name == e.name);
        vec![
            Cell::plain(number::count(e.place)),
            Cell::Text(e.letters.clone()),
            Cell::Text(escape::name(&e.name)),
            candidate.map_or(Cell::Empty, |c| Cell::Verdict(c.verdict, c.provisional)),
            Cell::plain(board::score(e.score)),
            effect(Some(&e.overall), number::fine_ratio),
            Cell::maybe(e.overall.adjusted_p.map(number::small), ""),
        ]
    };
    Table {
        name: "leaderboard",
        caption: "Only equivalent outputs are ranked. Who shares a letter is not shown to differ in speed, who shares none is; a place counts those shown to be faster.",
        columns: vec![
            column("Place", &["place"]),
            column("Letters", &["letters"]),
            column("Candidate", &["candidate"]),
            column("Outputs", &["verdict", "standing"]),
            column("Score", &["score"]),
            column("Speed-up", &["speedup", "speedup_low", "speedup_high"]),
            column("p, Holm", &["p_holm"]),
        ],
        rows: judgement.leaderboard.iter().flat_map(|b| &b.entries).map(entry).collect(),
    }
}

/// Those who are not in the order: a table of two columns, which a telephone shows whole.
pub(crate) fn unranked(judgement: &Judgement) -> Table {
    let row = |u: &Unranked| vec![Cell::Text(escape::name(&u.name)), Cell::Text(escape::detail(&u.why.text))];
    Table {
        name: "unranked",
        caption: "Not ranked, with the decisive reason",
        columns: vec![column("Candidate", &["candidate"]), column("Why not", &["why_not"])],
        rows: judgement.leaderboard.iter().flat_map(|b| &b.unranked).map(row).collect(),
    }
}

/// Every two candidates, with both rules of who beats whom.
pub(crate) fn pairs(judgement: &Judgement) -> Table {
    let name = |name: &Option<String>| Cell::Text(name.as_ref().map_or_else(|| "neither".into(), |n| escape::name(n)));
    let row = |p: &Pair| {
        let ratio = p.ratio.map(|r| [r.ratio, r.low, r.high].map(number::fine_ratio));
        vec![
            Cell::Text(escape::name(&p.ahead)),
            Cell::Text(escape::name(&p.behind)),
            Cell::plain(number::count(p.rounds)),
            ratio.map_or(Cell::Nothing("not powered".into()), |[ratio, low, high]| Cell::Interval(ratio, low, high)),
            Cell::maybe(p.ratio.map(|r| number::small(r.p)), ""),
            Cell::maybe(p.ratio.map(|r| number::small(r.adjusted_p)), ""),
            name(&p.faster_with_confidence),
            name(&p.exceeds_by_margin),
        ]
    };
    Table {
        name: "pairs",
        caption: "Speed of the first over the second, round by round; limits and p by Holm over all pairs. Beside it who exceeds whom by V1's rule, a declared share of the score",
        columns: vec![
            column("First", &["first"]),
            column("Second", &["second"]),
            column("Rounds", &["rounds"]),
            column("Ratio", &["ratio", "ratio_low", "ratio_high"]),
            column("p", &["p"]),
            column("p, Holm", &["p_holm"]),
            column("Faster with confidence", &["faster_with_confidence"]),
            column("Exceeds by the margin", &["exceeds_by_margin"]),
        ],
        rows: judgement.leaderboard.iter().flat_map(|b| &b.pairs).map(row).collect(),
    }
}

/// The baseline against itself, overall.
pub(crate) fn selves(judgement: &Judgement) -> Table {
    let row = |it: &SelfSpeed| {
        let claimed = it.effect.as_ref().filter(|e| e.powered);
        let rejects = it.rejects.map_or("no claim", |rejects| if rejects { "yes" } else { "no" });
        vec![
            Cell::Text(board::who(it.of).to_owned()),
            effect(it.effect.as_ref(), number::fine_ratio),
            Cell::maybe(claimed.map(|e| number::small(e.p)), ""),
            Cell::Text(rejects.to_owned()),
            it.same.as_ref().filter(|_| claimed.is_some()).map_or(Cell::Empty, |s| Cell::Text(board::same(s))),
        ]
    };
    Table {
        name: "self",
        caption: "The baseline against itself, over all cells; 1 is expected, and excluded as rarely as the level says",
        columns: vec![
            column("Which", &["which"]),
            column("Speed-up", &["speedup", "speedup_low", "speedup_high"]),
            column("p", &["p"]),
            column("Excludes 1", &["excludes_1"]),
            column("Same speed", &["same_speed"]),
        ],
        rows: judgement.self_speeds.iter().map(row).collect(),
    }
}
