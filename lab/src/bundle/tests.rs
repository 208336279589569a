use std::{fs, path::Path};

use super::*;
use crate::{
    Nanos,
    records::{Exchange, List, Read},
    wire::End,
};

fn sealed(folder: &Path) -> std::path::PathBuf {
    let run = RunFolder::create(&folder.join("run")).unwrap();
    run.put("workload.toml", b"name = \"x\"\n").unwrap();
    let trial = run.begin_trial("0001-baseline").unwrap();
    trial.put("trial.json", b"{}").unwrap();
    trial.put("server.log", b"hello").unwrap();
    run.publish_trial(trial).unwrap();
    run.seal(Kind::Measure, Vec::new(), "2026-01-01T00:00:00Z").unwrap().0
}

#[test]
fn an_untouched_bundle_verifies() {
    let temp = tempfile::tempdir().unwrap();
    assert_eq!(verify(&sealed(temp.path())).unwrap().1, []);
}

#[test]
fn a_changed_missing_extra_or_linked_file_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let bundle = sealed(temp.path());
    fs::write(bundle.join("trials/0001-baseline/server.log"), "hallo").unwrap();
    fs::remove_file(bundle.join("workload.toml")).unwrap();
    fs::write(bundle.join("trials/extra"), "").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", bundle.join("link")).unwrap();
    let findings = verify(&bundle).unwrap().1;
    let found: Vec<_> = findings.iter().map(|f| (f.path.as_str(), f.what.split([':', ';']).next().unwrap())).collect();
    assert_eq!(
        found,
        [
            ("link", "neither a file nor a folder"),
            ("trials/0001-baseline/server.log", "changed"),
            ("trials/extra", "extra"),
            ("workload.toml", "missing")
        ]
    );
}

#[test]
fn a_large_file_may_lie_elsewhere_and_what_needs_it_says_so() {
    let temp = tempfile::tempdir().unwrap();
    let run = RunFolder::create(&temp.path().join("run")).unwrap();
    let (small, large) = (run.path().join("requests.jsonl"), run.path().join("workload.toml"));
    fs::File::create(&large).unwrap().set_len(EXTERNAL_FROM).unwrap();
    fs::File::create(&small).unwrap().set_len(EXTERNAL_FROM - 1).unwrap();
    let (bundle, id) = run.seal(Kind::Measure, vec![], "2026-11-18T07:00:00Z").unwrap();
    assert_eq!(verify(&bundle).unwrap().1, [], "all of it is here");
    fs::remove_file(&large).unwrap();
    let (manifest, findings) = verify(&bundle).unwrap();
    assert_eq!(manifest.id(), id, "it is the same bundle");
    let marked: Vec<_> = manifest.files.iter().map(|file| (file.path.as_str(), file.is_external())).collect();
    assert_eq!(marked, [("requests.jsonl", false), ("workload.toml", true)]);
    let digest = manifest.files[1].sha256;
    let elsewhere =
        format!("external, and not here, so that nothing can be said of what rests on it: 52428800 bytes, {digest}");
    let found: Vec<_> = findings.iter().map(|f| (f.path.as_str(), f.what.as_str())).collect();
    assert_eq!(found, [("workload.toml", elsewhere.as_str())]);
    let problem = Bundle::open(&bundle).unwrap().file("workload.toml").unwrap_err();
    assert_eq!(problem.what, elsewhere);
    assert!(problem.next.unwrap().contains("whoever published"));
}

#[test]
fn every_single_changed_byte_is_noticed() {
    let temp = tempfile::tempdir().unwrap();
    let bundle = sealed(temp.path());
    for file in crate::digest::files_below(&bundle).unwrap() {
        let original = fs::read(bundle.join(&file)).unwrap();
        for i in 0..original.len() {
            let mut changed = original.clone();
            changed[i] ^= 1;
            fs::write(bundle.join(&file), &changed).unwrap();
            let noticed = match verify(&bundle) {
                Ok((manifest, findings)) => !findings.is_empty() || manifest.id() != crate::Digest::of(&original),
                Err(_) => true,
            };
            assert!(noticed, "{file}, byte {i}");
        }
        fs::write(bundle.join(&file), &original).unwrap();
    }
}

#[test]
fn a_manifest_that_leads_out_of_the_bundle_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let bundle = sealed(temp.path());
    let mut manifest = verify(&bundle).unwrap().0;
    manifest.files[0].path = "../../etc/passwd".into();
    fs::write(bundle.join(MANIFEST), manifest.to_json()).unwrap();
    assert!(verify(&bundle).unwrap().1.iter().any(|f| f.what.contains("leads out of the bundle")));
}

#[test]
fn a_file_that_a_linked_folder_leads_to_is_not_read() {
    let temp = tempfile::tempdir().unwrap();
    let path = sealed(temp.path());
    let bundle = Bundle::open(&path).unwrap();
    assert_eq!(bundle.text("trials/0001-baseline/server.log").unwrap(), "hello");
    fs::rename(path.join("trials"), temp.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", path.join("trials")).unwrap();
    let problem = bundle.text("trials/0001-baseline/server.log").unwrap_err();
    assert!(problem.what.contains("not the file that was sealed"), "{problem}");
    assert_eq!(bundle.text(WORKLOAD).unwrap(), "name = \"x\"\n");
}

#[test]
fn nothing_is_read_of_a_document_that_is_larger_than_any() {
    let temp = tempfile::tempdir().unwrap();
    let run = RunFolder::create(&temp.path().join("run")).unwrap();
    run.put(RUN, b"").unwrap();
    let path = run.seal(Kind::Measure, Vec::new(), "2026-01-01T00:00:00Z").unwrap().0;
    let mut bundle = Bundle::open(&path).unwrap();
    // A file without bytes on the disk, so that only a reader would notice its size.
    let size = (256 << 20) + 1;
    fs::File::options().write(true).open(path.join(RUN)).unwrap().set_len(size).unwrap();
    bundle.manifest.files[0].size = size;
    assert_eq!(bundle.run().unwrap_err().what, "too large to be this file");
}

#[test]
fn a_folder_without_a_manifest_is_not_a_bundle() {
    let temp = tempfile::tempdir().unwrap();
    let run = RunFolder::create(&temp.path().join("run")).unwrap();
    let nothing = Bundle::open(run.path()).unwrap_err().to_string();
    assert!(nothing.contains("it has no manifest.json") && nothing.contains("like results/DATE/RUN"), "{nothing}");
    run.put(PLAN, b"{}").unwrap();
    assert!(Bundle::open(run.path()).unwrap_err().to_string().contains("--resume"));
}

#[test]
fn unfinished_parts_are_removed_on_resume_and_published_ones_stay() {
    let temp = tempfile::tempdir().unwrap();
    let run = RunFolder::create(&temp.path().join("run")).unwrap();
    let trial = run.begin_trial("0001-a").unwrap();
    trial.put("trial.json", b"").unwrap();
    run.publish_trial(trial).unwrap();
    fs::create_dir(run.path().join("trials/.building-0002-b")).unwrap();
    fs::write(run.path().join(".building-plan.json"), "{").unwrap();
    let resumed = RunFolder::resume(run.path()).unwrap();
    assert!(resumed.has_trial("0001-a") && !resumed.has_trial("0002-b"));
    assert_eq!(crate::digest::files_below(run.path()).unwrap(), ["trials/0001-a/trial.json"]);
}

#[test]
fn hostile_text_survives_a_table_and_comes_back_byte_for_byte() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Row {
        text: String,
        ids: List<u32>,
    }
    let texts = ["=1+1", "a\"b,c\r\nd\n", "\u{1b}[2J", "", "𝄞\u{202e}", " lead"];
    let rows: Vec<Row> = texts.iter().map(|t| Row { text: (*t).into(), ids: List(vec![1, 2]) }).collect();
    for name in ["x.csv", "x.csv.zst"] {
        assert_eq!(read_table::<Row>(&write_table(&rows, &["text", "ids"], name), name).unwrap(), rows);
    }
}

#[test]
fn a_bomb_is_refused_before_it_fills_the_memory() {
    let bomb = super::tables::compress(&vec![b'0'; 64 << 20]);
    assert!(bomb.len() < 64 << 10, "{}", bomb.len());
    let text = super::tables::decompress(&bomb, 1 << 20, "traces/x.zst").unwrap_err().to_string();
    assert!(text.contains("more than 1048576 bytes"), "{text}");
}

#[test]
fn an_answer_that_repeats_itself_is_evidence_like_any_other() {
    // A stranger's server may say one letter for ever; its trial must still be readable.
    let rows = [List(vec![7u32; 4 << 20])];
    let stored = write_table(&rows, &["ids"], "chunks.csv.zst");
    assert!(stored.len() < 8 << 10, "{}", stored.len());
    assert_eq!(read_table::<List<u32>>(&stored, "chunks.csv.zst").unwrap(), rows);
}

#[test]
fn exchanges_come_back_with_their_bytes_and_boundaries() {
    let exchange = |request, bytes: &[u8]| Exchange {
        request,
        phase: "c4".into(),
        intended_ns: Nanos(1),
        started_ns: Some(Nanos(1)),
        sent_ns: Nanos(2),
        end: End::Closed,
        end_ns: Nanos(9),
        reads: vec![
            Read { at: Nanos(5), len: 1, behind: Nanos(0) },
            Read { at: Nanos(7), len: bytes.len() - 1, behind: Nanos(2) },
        ],
        bytes: bytes.to_vec().into(),
    };
    let exchanges = [exchange(0, b"\n{}\n\n"), exchange(1, &[0, 255, 10])];
    let stored = write_exchanges(&exchanges);
    assert_eq!(read_exchanges(&stored, "wire.zst").unwrap(), exchanges);
    assert!(read_exchanges(&stored[..stored.len() - 5], "wire.zst").is_err());
}

#[test]
fn an_exchange_that_is_longer_than_any_response_is_refused_before_memory_is_taken() {
    let line = |len: u64, packed: &str| {
        format!(
            r#"[{{"request":0,"phase":"c","intended_ns":0,"sent_ns":0,"end":"complete","end_ns":0,"reads":[]}},{{"at":[1],"len":[{len}],"behind":[]{packed}}}]"#
        ) + "\nx"
    };
    let problem = |len: u64, packed: &str| {
        let stored = tables::compress(line(len, packed).as_bytes());
        read_exchanges(&stored, "wire.zst").unwrap_err().what
    };
    assert_eq!(problem(crate::workload::LARGEST_RESPONSE.0 + (64 << 10), ""), "exchange 0 ends early");
    assert_eq!(problem(crate::workload::LARGEST_RESPONSE.0 + (64 << 10) + 1, ""), "an exchange is too long");
    assert_eq!(problem(9, r#","packed":8"#), "exchange 0 ends early");
    assert_eq!(problem(9, r#","packed":8000000000"#), "exchange 0 is not shorter for being packed");
}

#[test]
fn a_bundle_holds_the_traces_that_its_workload_names_and_no_other() {
    let source = |digest: crate::Digest| {
        format!(
            "name = \"x\"\n[models.m]\npath = \"m\"\n[baseline]\ncommand = [\"s\", \"{{port}}\"]\n[requests.prose]\nseed = 1\nwords = 9\n[sampling]\nmax_tokens = 4\n[[load]]\nname = \"t\"\nrequests = 1\ntrace = {{ path = \"t.csv\", digest = \"{digest}\" }}\n"
        )
    };
    let workload = crate::workload::parse(&source(crate::Digest::of("a trace")), Path::new("x.toml")).unwrap();
    let problem = |file: Option<(&str, &str)>| {
        let temp = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&temp.path().join("run")).unwrap();
        if let Some((name, bytes)) = file {
            run.put_compressed(name, bytes.as_bytes()).unwrap();
        }
        let path = run.seal(Kind::Measure, Vec::new(), "2026-01-01T00:00:00Z").unwrap().0;
        Bundle::open(&path).unwrap().traces(&workload).unwrap_err().to_string()
    };
    assert!(problem(None).contains("no such file"));
    assert!(problem(Some(("traces/t.zst", "another trace"))).contains("the trace's digest is"));
    let plain = crate::workload::parse(
        &source(crate::Digest::of("")).replace("trace = ", "open = { rate = 1.0 } #"),
        Path::new("x.toml"),
    );
    let temp = tempfile::tempdir().unwrap();
    let run = RunFolder::create(&temp.path().join("run")).unwrap();
    run.put_compressed("traces/t.zst", b"a trace").unwrap();
    let path = run.seal(Kind::Measure, Vec::new(), "2026-01-01T00:00:00Z").unwrap().0;
    let extra = Bundle::open(&path).unwrap().traces(&plain.unwrap()).unwrap_err().to_string();
    assert!(extra.contains("no load of the workload"), "{extra}");
}
