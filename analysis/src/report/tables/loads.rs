//! What each arm did under each load, and how large a load it bears.

use crate::{
    judgement::{Climb, Judgement, Ladder, LoadFacts, Overall},
    report::{
        escape,
        input::Cell as Place,
        number,
        table::{Cell, Table, column},
        words,
    },
};

/// Rates and service levels, cell by cell.
pub(crate) fn loads(judgement: &Judgement) -> Table {
    let row = |facts: &LoadFacts| {
        let service = facts.service.as_ref();
        let steady = match facts.steady_tokens_per_s {
            Some(rate) => Cell::Number(number::scaled(rate), "tokens/s"),
            None => Cell::Nothing("no steady window".into()),
        };
        vec![
            Cell::Text(Place::from(facts).to_string()),
            Cell::Text(escape::name(&facts.arm)),
            Cell::Text(escape::name(&facts.shape)),
            Cell::plain(number::count(facts.launches)),
            Cell::plain(number::count(facts.due)),
            Cell::plain(number::count(facts.complete)),
            Cell::plain(number::count(facts.time_up)),
            Cell::maybe(facts.requests_per_s.map(number::scaled), "/s"),
            Cell::maybe(facts.tokens_per_s.map(number::scaled), "tokens/s"),
            steady,
            Cell::maybe(facts.steady_share.map(number::percent_of), "%"),
            Cell::maybe(facts.cost_per_million_tokens.map(number::scaled), ""),
            Cell::maybe(facts.joules_per_token.map(number::scaled), "J"),
            Cell::maybe(service.and_then(|s| s.attainment).map(number::percent_of), "%"),
            Cell::maybe(service.and_then(|s| s.goodput_per_s).map(number::scaled), "/s"),
            Cell::maybe(service.map(|s| number::count(s.shorter)), ""),
        ]
    };
    let mut facts: Vec<&LoadFacts> = judgement.loads.iter().collect();
    facts.sort_by_key(|f| (&f.model, f.gpus, &f.load));
    Table {
        name: "loads",
        caption: "Over all counted trials: amounts over the time of the load phases",
        columns: vec![
            column("Cell", &["cell"]),
            column("Arm", &["arm"]),
            column("Load", &["load"]),
            column("Launches", &["launches"]),
            column("Due", &["requests_due"]),
            column("Complete", &["requests_complete"]),
            column("Time up", &["requests_time_up"]),
            column("Requests", &["requests_per_s"]),
            column("Output", &["tokens_per_s"]),
            column("Steady output", &["steady_tokens_per_s"]),
            column("Steady part", &["steady_share_percent"]),
            column("Cost of 10⁶ tokens", &["cost_per_million_output_tokens"]),
            column("Energy a token", &["joules_per_output_token"]),
            column("SLO met", &["slo_attainment_percent"]),
            column("Goodput", &["goodput_requests_per_s"]),
            column("Left out", &["requests_stopped_early"]),
        ],
        rows: facts.into_iter().map(row).collect(),
    }
}

/// Each arm's largest load.
pub(crate) fn ladders(judgement: &Judgement) -> Table {
    let row = |ladder: &Ladder, climb: &Climb| {
        let over = words::over_baseline(judgement, climb);
        let p = over.as_ref().and_then(|o| o.as_ref().ok()).map(|e| number::small(e.p));
        let ratio = match over {
            None => Cell::Empty,
            Some(Ok(effect)) => super::speed::effect(Some(&effect), number::fine_ratio),
            Some(Err(why)) => Cell::Nothing(why),
        };
        vec![
            Cell::Text(words::ladder(ladder)),
            Cell::Text(escape::name(&climb.arm)),
            limit(climb.capacity.as_ref(), ladder.unit),
            Cell::plain(number::count(climb.rounds.len() as u64)),
            ratio,
            Cell::maybe(p, ""),
        ]
    };
    Table {
        name: "capacity",
        caption: "The largest load that meets the service levels: geometric mean over rounds with its 95 % interval",
        columns: vec![
            column("Ladder", &["ladder"]),
            column("Arm", &["arm"]),
            column("Largest load", &["largest_load", "largest_load_low", "largest_load_high", "unit"]),
            column("Rounds", &["rounds"]),
            column("Over the baseline", &["ratio", "ratio_low", "ratio_high"]),
            column("p", &["p"]),
        ],
        rows: judgement.ladders.iter().flat_map(|l| l.arms.iter().map(|a| row(l, a))).collect(),
    }
}

fn limit(capacity: Option<&Overall>, unit: &'static str) -> Cell {
    match capacity {
        Some(Overall::Between { mean, interval, .. }) => {
            let ends = interval.map(|(low, high)| (number::scaled(low), number::scaled(high)));
            Cell::Limit(number::scaled(*mean), ends, unit)
        }
        other => Cell::Nothing(words::capacity(other, unit)),
    }
}

/// Each step of each ladder.
pub(crate) fn steps(judgement: &Judgement) -> Table {
    let rows = judgement.ladders.iter().flat_map(|ladder| {
        ladder.arms.iter().flat_map(move |climb| {
            climb.steps.iter().map(move |step| {
                vec![
                    Cell::Text(words::ladder(ladder)),
                    Cell::Text(escape::name(&climb.arm)),
                    Cell::Measure(words::step(step.value), ladder.unit),
                    Cell::plain(number::count(step.due)),
                    Cell::plain(number::count(step.met)),
                    Cell::maybe(step.attainment.map(number::percent_of), "%"),
                ]
            })
        })
    });
    Table {
        name: "ladder-steps",
        caption: "Each step over all counted trials",
        columns: vec![
            column("Ladder", &["ladder"]),
            column("Arm", &["arm"]),
            column("Step", &["step", "unit"]),
            column("Due", &["requests_due"]),
            column("SLO met by", &["requests_met"]),
            column("Share", &["slo_attainment_percent"]),
        ],
        rows: rows.collect(),
    }
}
