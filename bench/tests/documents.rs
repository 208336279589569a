//! What the documents show is true.
#![allow(clippy::unwrap_used)]

use std::path::Path;

fn documented() -> (String, Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let mut blocks: Vec<String> = blocks.collect();
    let whole = blocks.remove(0);
    (whole, blocks)
}

#[test]
fn every_example_of_the_workload_format_is_good() {
    let (whole, fragments) = documented();
    assert!(fragments.len() >= 10, "the examples are there");
    lab::workload::parse(&whole, Path::new("README.md")).unwrap();
    for fragment in fragments {
        // A fragment stands in a file in the place of the same sections.
        let mut file: toml::Table = toml::from_str(&whole).unwrap();
        let sections: toml::Table = toml::from_str(&fragment).unwrap();
        file.extend(sections);
        let text = toml::to_string(&file).unwrap();
        lab::workload::parse(&text, Path::new("README.md")).unwrap_or_else(|problem| panic!("{problem}\n{fragment}"));
    }
}
