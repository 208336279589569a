//! What is signed: a statement of in-toto, version 1, whose subject is a bundle's manifest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Digest, Problem, Result,
    bundle::{Bundle, Kind, MANIFEST},
    text::shown,
};

/// What the payload of an envelope is.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// What a statement is.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What ours say of their subject. A name; nothing has to be there.
pub const PREDICATE_TYPE: &str = "https://bench.invalid/sealed-bundle/v1";

/// Version of what ours say. 1: first.
const FORMAT: u32 = 1;

/// This manifest is that of a sealed bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: serde_json::Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

/// What is said of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    format: u32,
    kind: Kind,
    /// The run's short random name; none of a grade, which names no run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
}

impl Statement {
    /// About a bundle: a function of its bytes.
    pub fn of(bundle: &Bundle) -> Result<Self> {
        let run = if bundle.is_measure() { Some(bundle.run()?.run) } else { None };
        let predicate = Predicate { format: FORMAT, kind: bundle.manifest.kind, run };
        Ok(Statement {
            kind: STATEMENT_TYPE.into(),
            subject: vec![Subject { name: MANIFEST.into(), digest: [("sha256".into(), bundle.id.hex())].into() }],
            predicate_type: PREDICATE_TYPE.into(),
            predicate: serde_json::to_value(predicate).expect("integers and strings serialise"),
        })
    }

    /// As it is signed.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("integers and strings serialise")
    }

    /// Reads what was signed.
    pub fn from_json(payload: &[u8], payload_type: &str) -> Result<Self> {
        let next = "sign the bundle with bench sign";
        if payload_type != PAYLOAD_TYPE {
            let what = format!("the envelope holds `{}` and no statement of in-toto", shown(payload_type, 80));
            return Err(Problem::broken(what).next(next));
        }
        let read: std::result::Result<Statement, _> = serde_json::from_slice(payload);
        let statement = read.map_err(|e| {
            Problem::broken(format!("what was signed is no statement: {}", shown(&e.to_string(), 200))).next(next)
        })?;
        if statement.kind != STATEMENT_TYPE || statement.predicate_type != PREDICATE_TYPE {
            let what = format!(
                "what was signed says `{}` in a `{}`, not that a bundle is sealed",
                shown(&statement.predicate_type, 120),
                shown(&statement.kind, 80)
            );
            return Err(Problem::broken(what).next(next));
        }
        crate::bundle::versioned::<Predicate>(&statement.predicate.to_string(), FORMAT, "predicate")?;
        Ok(statement)
    }

    /// Whether it is about the bundle with this id, and nothing else.
    pub fn is_about(&self, id: Digest) -> Result<()> {
        let named = |subject: &Subject| {
            subject.name == MANIFEST && subject.digest.iter().eq([(&"sha256".to_owned(), &id.hex())])
        };
        if matches!(self.subject.as_slice(), [one] if named(one)) {
            return Ok(());
        }
        let others: Vec<String> =
            self.subject.iter().take(3).flat_map(|s| s.digest.values()).map(|d| shown(d, 64)).collect();
        Err(Problem::broken(format!(
            "the envelope of another bundle: it is about {}, this one is {}",
            others.join(", "),
            id.hex()
        ))
        .next("put each envelope back beside the manifest that it was made for, or get this one's from whoever signed"))
    }
}
