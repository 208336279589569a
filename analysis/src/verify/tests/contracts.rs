use lab::{
    Digest,
    records::{Client, Container, Contract, ServerFacts, Trial},
    workload::Profile,
};
use serde_json::Value;

use super::*;

/// A run whose servers all had the same container, but for a change of the candidate's.
fn with(change: impl Fn(&mut Value)) -> String {
    let sealed = sealed();
    for folder in ["0001-baseline", "0002-fast", "0003-baseline", "0004-baseline", "0005-fast", "0006-baseline"] {
        let path = sealed.measure.join(format!("trials/{folder}/trial.json"));
        let mut record: Trial = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        record.server = server();
        let mut json = serde_json::to_value(&record).unwrap();
        if folder == "0002-fast" {
            change(&mut json["server"]);
        }
        fs::write(&path, serde_json::to_vec_pretty(&json).unwrap()).unwrap();
    }
    remake(&sealed.measure);
    findings(&sealed)
}

fn server() -> ServerFacts {
    let container = Container {
        id: "c".into(),
        image: Digest::of("image"),
        profile: Profile::Strict,
        client: Client::Inside,
        cold: true,
        contract: Contract::default(),
        exit_code: Some(0),
        out_of_memory: false,
    };
    ServerFacts { executor: "process".into(), container: Some(container), ..ServerFacts::default() }
}

/// Another value of the same kind.
fn other(value: &Value) -> Value {
    match value {
        Value::Bool(is) => Value::from(!is),
        Value::Number(n) => Value::from(n.as_i64().unwrap() + 1),
        Value::String(text) => Value::from(format!("{text}x")),
        Value::Array(_) => Value::from(vec!["x"]),
        Value::Object(_) => serde_json::json!({ "/x": "x" }),
        Value::Null => panic!("a contract has no empty field"),
    }
}

#[test]
fn one_contract_for_all_is_nothing_to_speak_of() {
    assert_eq!(with(|_| {}), "");
    // Its id, its end and the folders that its image declares are each container's own.
    let own = |server: &mut Value| {
        server["container"]["id"] = "d".into();
        server["container"]["exit_code"] = 137.into();
        for folders in ["tmpfs", "binds"] {
            let value = &mut server["container"]["contract"][folders];
            *value = other(value);
        }
    };
    assert_eq!(with(own), "");
}

#[test]
fn a_server_that_had_another_contract_than_the_baselines_is_named_field_by_field() {
    let fields = serde_json::to_value(Contract::default()).unwrap();
    let fields = fields.as_object().unwrap().keys().filter(|field| !matches!(field.as_str(), "tmpfs" | "binds"));
    for field in fields {
        let found = with(|server| {
            let value = &mut server["container"]["contract"][field];
            *value = other(value);
        });
        assert!(found.starts_with(&format!("trials/0002-fast/trial.json: {field} is ")), "{field}: {found}");
        assert!(found.contains("the baseline's is ") && found.lines().count() == 1, "{field}: {found}");
    }
    for (field, place, value) in [
        ("profile", "/container/profile", Value::from("docker-in-docker")),
        ("client", "/container/client", Value::from("bridge")),
        ("cold", "/container/cold", Value::from(false)),
        ("gpus", "/gpus", Value::from(vec!["GPU-1"])),
    ] {
        let found = with(|server| match server.pointer_mut(place) {
            Some(there) => *there = value.clone(),
            None => server[&place[1..]] = value.clone(),
        });
        assert!(found.starts_with(&format!("trials/0002-fast/trial.json: {field} is ")), "{field}: {found}");
    }
}
