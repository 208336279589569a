//! Pages are HTML as the standard has it: a browser's parser corrects nothing in them.

use std::collections::BTreeSet;

use analysis::report::{render, render_history, render_week};
use html5ever::{ParseOpts, parse_document, tendril::TendrilSink, tree_builder::TreeBuilderOpts};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use crate::{
    complete::{Stored, numbers},
    escaping::hostile,
    sample::{OneWeek, Sample, Weeks},
};

/// Every page there is, and one with a stranger's text wherever a stranger has a say.
fn pages() -> Vec<(String, String)> {
    let samples = [Sample::new(), Sample::plain(), Sample::controls(), hostile(Sample::new(), "</td><p id='x'>&#0;")];
    let reports = samples.iter().map(|sample| render(&sample.input()));
    let all = reports.chain([render_week(&OneWeek::new().input()), render_history(&Weeks::new().input())]);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let files = all.flatten().filter(|(name, _)| name.ends_with(".html"));
    files.map(|(name, bytes)| (name, text(bytes))).collect()
}

fn parsed(page: &str) -> RcDom {
    let tree_builder = TreeBuilderOpts { exact_errors: true, ..TreeBuilderOpts::default() };
    let mut options = ParseOpts { tree_builder, ..ParseOpts::default() };
    options.tokenizer.exact_errors = true;
    parse_document(RcDom::default(), options).one(page)
}

/// An element's attributes, by name.
fn attribute(of: &Handle, name: &str) -> Option<String> {
    let NodeData::Element { attrs, .. } = &of.data else { return None };
    attrs.borrow().iter().find(|a| &*a.name.local == name).map(|a| a.value.to_string())
}

fn walk(from: &Handle, see: &mut dyn FnMut(&str, &Handle)) {
    if let NodeData::Element { name, .. } = &from.data {
        see(&name.local, from);
    }
    from.children.borrow().iter().for_each(|child| walk(child, see));
}

#[test]
fn a_parser_finds_no_error_in_any_page() {
    let pages = pages();
    assert!(pages.len() > 20, "{}", pages.len());
    for (name, page) in &pages {
        let errors = parsed(page).errors.into_inner();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    let torn = pages[0].1.replacen("</section>", "", 1);
    assert!(!parsed(&torn).errors.into_inner().is_empty(), "it can fail");
}

#[test]
fn ids_are_unique_tables_have_headings_and_pictures_have_words() {
    for (name, page) in pages() {
        let (mut ids, mut tables) = (BTreeSet::new(), 0);
        walk(&parsed(&page).document, &mut |tag, element| {
            if let Some(id) = attribute(element, "id") {
                assert!(ids.insert(id.clone()), "{name}: {id} twice");
            }
            let mut inside: Vec<String> = Vec::new();
            match tag {
                "table" => {
                    walk(element, &mut |tag, _| inside.push(tag.to_owned()));
                    assert!(inside.iter().any(|tag| tag == "caption"), "{name}: a table without a caption");
                    tables += 1;
                }
                "th" => assert!(attribute(element, "scope").is_some(), "{name}: a heading of nothing"),
                "svg" => {
                    let said = attribute(element, "aria-label").is_some_and(|label| label.len() > 20);
                    assert!(said && attribute(element, "role").as_deref() == Some("img"), "{name}: a picture");
                }
                "a" => assert!(attribute(element, "href").is_some(), "{name}: a link to nothing"),
                _ => {}
            }
            let NodeData::Element { attrs, .. } = &element.data else { return };
            for attribute in attrs.borrow().iter() {
                assert!(!attribute.name.local.starts_with("on"), "{name}: {tag} has a handler");
            }
        });
        assert!(tables > 0, "{name}");
    }
}

/// The words of an element and of what is in it.
fn words(of: &Handle) -> String {
    let NodeData::Text { contents } = &of.data else {
        return of.children.borrow().iter().map(words).collect();
    };
    contents.borrow().to_string()
}

/// What stands in sentences, without what the workload's author wrote and how numbers are made.
fn sentences(from: &Handle, found: &mut Vec<String>) {
    let NodeData::Element { name, .. } = &from.data else {
        return from.children.borrow().iter().for_each(|child| sentences(child, found));
    };
    match (&*name.local, attribute(from, "class").as_deref()) {
        (_, Some("formulas" | "about")) => {}
        ("p" | "li" | "figcaption" | "summary", _) => found.push(words(from)),
        _ => from.children.borrow().iter().for_each(|child| sentences(child, found)),
    }
}

#[test]
fn every_number_in_a_sentence_is_in_a_csv_file_or_is_the_percent_of_a_ratio_there() {
    let (mut seen, mut lacking) = (0, Vec::new());
    for sample in [Sample::new(), Sample::plain(), Sample::controls()] {
        let files = crate::files(&sample.input());
        let stored = Stored::of(&files);
        for (name, page) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
            let mut found = Vec::new();
            sentences(&parsed(page).document, &mut found);
            for sentence in found {
                seen += numbers(&sentence).len();
                let lacks = stored.lacks(&sentence);
                lacking.extend((!lacks.is_empty()).then(|| (name.clone(), sentence, lacks)));
            }
        }
    }
    assert!(lacking.is_empty() && seen > 200, "{seen}, {lacking:#?}");
}
