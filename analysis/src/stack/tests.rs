use lab::{
    Digest,
    environment::{Environment, Pins, Program},
};

use super::*;

fn workload() -> Workload {
    let source = "name = \"x\"\n[models.m]\npath = \"m\"\n[baseline]\ncommand = [\"s\", \"{port}\"]\n[requests.prose]\nseed = 1\nwords = 9\n[sampling]\nmax_tokens = 4\n[[load]]\nname = \"l\"\nrequests = 2\nclosed = { concurrency = 1 }\n";
    lab::workload::parse(source, "x.toml".as_ref()).unwrap()
}

fn host(change: impl Fn(&mut Environment)) -> Environment {
    let pins = Pins { nixpkgs: "sha256-abc=".into(), wheels: [("cuda".to_owned(), Digest::of("list"))].into() };
    let program = Program { version: "1".into(), revision: Some("c0ffee".into()), ..Program::default() };
    let mut host = Environment { host: "here".into(), cores: 2, program, pins: Some(pins), ..Environment::default() };
    change(&mut host);
    host
}

fn stack(hosts: &[Environment]) -> Stack {
    Ran { workload: &workload(), planned: Vec::new(), servers: Vec::new(), hosts }.stack()
}

#[test]
fn a_stack_is_the_same_as_itself_in_every_field() {
    let own = stack(&[host(|_| {})]);
    let found = own.against(&own);
    assert!(found.differs.is_empty());
    assert_eq!(found.same, own.fields);
    let names: Vec<&str> = own.fields.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(
        names,
        [
            "GPUs",
            "driver",
            "processors",
            "host",
            "system",
            "kernel",
            "program",
            "program's commit",
            "nixpkgs",
            "wheels cuda"
        ]
    );
}

#[test]
fn each_pin_that_differs_is_named_with_both_values() {
    let own = stack(&[host(|_| {})]);
    let list = Digest::of("another list");
    type Change = fn(&mut Environment);
    let cases: [(&str, &str, &str, Change); 5] = [
        ("nixpkgs", "sha256-abc=", "sha256-abd=", |h| h.pins.as_mut().unwrap().nixpkgs = "sha256-abd=".into()),
        ("wheels cuda", &Digest::of("list").to_string(), &list.to_string(), |h| {
            h.pins.as_mut().unwrap().wheels.insert("cuda".into(), Digest::of("another list"));
        }),
        ("program's commit", "c0ffee", "c0ffee-dirty", |h| h.program.revision = Some("c0ffee-dirty".into())),
        ("kernel", "unknown", "7.0", |h| h.kernel = Some("7.0".into())),
        ("program made by Nix", "none", "/nix/store/x", |h| h.program.store_path = Some("/nix/store/x".into())),
    ];
    for (field, a, b, change) in cases {
        let found = own.against(&stack(&[host(change)]));
        assert_eq!(found.differs, [Difference { field: field.into(), a: a.into(), b: b.into() }]);
        assert!(found.same.iter().all(|same| same.field != field) && found.same.len() >= 9, "{found:?}");
    }
}

#[test]
fn a_hostile_value_is_shown_safely_and_bounded() {
    let text = format!("\u{1b}[2J\u{202e}{}", "x".repeat(10_000));
    let own = stack(&[host(|h| h.kernel = Some(text.clone()))]);
    let kernel = &own.fields.iter().find(|f| f.field == "kernel").unwrap().value;
    assert!(!kernel.contains(['\u{1b}', '\u{202e}']) && kernel.chars().count() <= 320, "{kernel}");
}
