//! Just as much of JSON Schema, draft 2020-12, as the committed schemas say, and strictly: a key
//! that a schema does not name is a mistake.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// A schema, with the properties that values had.
pub(crate) struct Schema {
    root: Value,
    pub(crate) seen: BTreeSet<String>,
}

/// What describes, and constrains nothing.
const WORDS: [&str; 4] = ["$schema", "$defs", "title", "description"];

impl Schema {
    pub(crate) fn of(text: &str) -> Self {
        let root: Value = serde_json::from_str(text).unwrap();
        assert_eq!(root["$schema"], "https://json-schema.org/draft/2020-12/schema");
        Schema { root, seen: BTreeSet::new() }
    }

    /// The first mistake of a value; none where it is what the schema says.
    pub(crate) fn mistake(&mut self, value: &Value) -> Option<String> {
        self.check(&self.root.clone(), value, "#").err()
    }

    /// Every property that the schema names, each with its definition.
    pub(crate) fn named(&self) -> Vec<(String, Value)> {
        let mut named = Vec::new();
        properties(&self.root, "#", &mut named);
        for (name, definition) in self.root["$defs"].as_object().unwrap() {
            properties(definition, name, &mut named);
        }
        named
    }

    fn check(&mut self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("{place}: {what}: {value}"));
        for (keyword, asked) in schema.as_object().unwrap() {
            match keyword.as_str() {
                word if WORDS.contains(&word) => {}
                "$ref" => {
                    let name = asked.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    self.check(&self.root["$defs"][name].clone(), value, name)?;
                }
                "type" if !is(asked, value) => return wrong(&format!("not of type {asked}")),
                "const" if asked != value => return wrong(&format!("not {asked}")),
                "minimum" if value.as_f64().is_some_and(|v| v < asked.as_f64().unwrap()) => return wrong("too small"),
                "type" | "const" | "minimum" => {}
                // The one pattern there is.
                "pattern" => {
                    assert_eq!(asked, "^sha256:[0-9a-f]{64}$");
                    let hex = value.as_str().unwrap_or_default().strip_prefix("sha256:").unwrap_or_default();
                    if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
                        return wrong("no digest");
                    }
                }
                "anyOf" | "oneOf" => {
                    let all = asked.as_array().unwrap();
                    let fitting = all.iter().filter(|one| self.check(one, value, place).is_ok()).count();
                    if fitting != 1 {
                        return wrong(&format!(
                            "{fitting} of {} fit, {:?}",
                            all.len(),
                            self.check(&all[0], value, place)
                        ));
                    }
                }
                "required" => {
                    let has = |name: &Value| value.get(name.as_str().unwrap()).is_some();
                    if let Some(name) = asked.as_array().unwrap().iter().find(|name| !has(name)) {
                        return wrong(&format!("it lacks {name}"));
                    }
                }
                "properties" => self.object(asked.as_object().unwrap(), value, place)?,
                "prefixItems" => {
                    for (one, item) in asked.as_array().unwrap().iter().zip(value.as_array().into_iter().flatten()) {
                        self.check(one, item, place)?;
                    }
                }
                "items" => {
                    let first = schema.get("prefixItems").map_or(0, |all| all.as_array().unwrap().len());
                    for item in value.as_array().into_iter().flatten().skip(first) {
                        if asked.is_boolean() {
                            return wrong("too many items");
                        }
                        self.check(asked, item, place)?;
                    }
                }
                "minItems" if (value.as_array().map_or(0, Vec::len) as u64) < asked.as_u64().unwrap() => {
                    return wrong("too few items");
                }
                "minItems" => {}
                other => panic!("{place}: the keyword {other} is not known here"),
            }
        }
        Ok(())
    }

    fn object(&mut self, named: &Map<String, Value>, value: &Value, place: &str) -> Result<(), String> {
        for (key, inside) in value.as_object().into_iter().flatten() {
            let Some(schema) = named.get(key) else { return Err(format!("{place}: it does not name {key}")) };
            self.check(&schema.clone(), inside, &format!("{place}.{key}"))?;
            self.seen.insert(format!("{place}.{key}"));
        }
        Ok(())
    }
}

fn is(asked: &Value, value: &Value) -> bool {
    let one = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not known here"),
    };
    match asked {
        Value::String(name) => one(name),
        names => names.as_array().unwrap().iter().any(|name| one(name.as_str().unwrap())),
    }
}

fn properties(schema: &Value, place: &str, named: &mut Vec<(String, Value)>) {
    for (name, inside) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        named.push((format!("{place}.{name}"), inside.clone()));
        properties(inside, &format!("{place}.{name}"), named);
    }
    for one in ["oneOf", "anyOf"].into_iter().flat_map(|word| schema.get(word).and_then(Value::as_array)).flatten() {
        properties(one, place, named);
    }
}
