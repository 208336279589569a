//! Bundles of strangers who mean harm: each is refused with the place, at once, and nothing
//! outside of it is touched.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    read::{MOST_FILES, sizes},
    *,
};
use crate::{
    Digest,
    plan::{Plan, Span},
};

/// A sealed bundle of these files.
fn sealed(folder: &Path, files: &[(&str, &[u8])]) -> PathBuf {
    let run = RunFolder::create(&folder.join("run")).unwrap();
    files.iter().for_each(|(name, bytes)| run.put(name, bytes).unwrap());
    run.seal(Kind::Measure, Vec::new(), "2026-01-01T00:00:00Z").unwrap().0
}

fn with_manifest(folder: &Path, files: Vec<File>) -> Problem {
    let path = sealed(folder, &[]);
    let manifest = Manifest { files, ..Bundle::open(&path).unwrap().manifest };
    fs::write(path.join(MANIFEST), manifest.to_json()).unwrap();
    let problem = Bundle::open(&path).unwrap_err();
    assert_eq!(verify(&path).unwrap_err(), problem);
    assert_eq!(problem.kind.exit_code(), 20);
    assert!(problem.place.as_ref().unwrap().ends_with(MANIFEST), "{problem}");
    problem
}

fn file(path: impl Into<String>, size: u64) -> File {
    File { path: path.into(), size, sha256: Digest::of("") }
}

#[test]
fn a_manifest_of_too_many_files_or_bytes_is_refused() {
    let many: Vec<File> = (0..=MOST_FILES).map(|i| file(format!("{i:07}"), 0)).collect();
    assert_eq!(sizes(&many[1..]), Ok(()));
    assert!(sizes(&many).unwrap_err().contains("lists 200001 files"));
    let large: Vec<File> = (0..33).map(|i| file(format!("{i:02}"), 8 << 30)).collect();
    assert_eq!(sizes(&large[1..]), Ok(()));
    assert!(sizes(&large).unwrap_err().contains("bytes in all"));

    let temp = tempfile::tempdir().unwrap();
    let one = with_manifest(temp.path(), vec![file("wire.zst", (8 << 30) + 1)]);
    assert!(one.what.contains("no file of a bundle has more than"), "{one}");
    // As long as one of a million files; nobody reads it.
    let path = temp.path().join("run");
    fs::File::options().write(true).open(path.join(MANIFEST)).unwrap().set_len(140 << 20).unwrap();
    assert!(verify(&path).unwrap_err().what.contains("no plain file of a manifest's size"));
}

#[test]
fn a_manifest_that_names_a_file_twice_or_out_of_order_is_refused() {
    let refused = |names: [&str; 2]| {
        with_manifest(tempfile::tempdir().unwrap().path(), names.map(|name| file(name, 0)).to_vec()).what
    };
    assert_eq!(refused(["b", "b"]), "the manifest lists b twice, or not in order");
    assert_eq!(refused(["b", "a"]), "the manifest lists a twice, or not in order");
}

#[test]
fn paths_that_lead_out_are_findings_and_are_never_opened() {
    for odd in ["../run.json", "/etc/hostname", "a/../../x", "./run.json", "a//b", "", "a\\b"] {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("run.json"), "secret").unwrap();
        let path = sealed(temp.path(), &[]);
        let manifest = Manifest { files: vec![file(odd, 6)], ..Bundle::open(&path).unwrap().manifest };
        fs::write(path.join(MANIFEST), manifest.to_json()).unwrap();
        let findings = verify(&path).unwrap().1;
        assert!(findings.iter().any(|f| f.path == odd && f.what.contains("leads out of the bundle")), "{odd}");
        let problem = Bundle::open(&path).unwrap().file(odd).unwrap_err();
        assert!(problem.what.contains("leads out of the bundle"), "{odd}: {problem}");
    }
}

#[test]
fn a_pipe_a_link_and_a_longer_file_in_the_place_of_a_listed_one_are_refused_without_waiting() {
    let temp = tempfile::tempdir().unwrap();
    let path = sealed(temp.path(), &[("grade.json", b"{}"), ("plan.json", b"{}"), ("run.json", b"{}")]);
    for name in [GRADE, PLAN] {
        fs::remove_file(path.join(name)).unwrap();
    }
    nix::unistd::mkfifo(&path.join(GRADE), nix::sys::stat::Mode::S_IRUSR).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path.join(PLAN)).unwrap();
    // As long as a terabyte, of which nothing is on the disk.
    fs::File::options().write(true).open(path.join(RUN)).unwrap().set_len(1 << 40).unwrap();
    let findings = verify(&path).unwrap().1;
    let found: Vec<(&str, &str)> = findings.iter().map(|f| (f.path.as_str(), f.what.as_str())).collect();
    let neither = "neither a file nor a folder; a bundle holds no links";
    assert_eq!(
        found,
        [
            (GRADE, neither),
            (GRADE, "missing"),
            (PLAN, neither),
            (PLAN, "missing"),
            (RUN, "changed: 1099511627776 bytes, the manifest says 2"),
        ]
    );
    let bundle = Bundle::open(&path).unwrap();
    for name in [GRADE, PLAN, RUN] {
        let problem = bundle.file(name).unwrap_err();
        assert_eq!((problem.what.as_str(), problem.kind.exit_code()), ("this is not the file that was sealed", 20));
        assert!(problem.place.unwrap().ends_with(name));
        assert!(bundle.rows::<String>(name).is_err());
    }
}

#[test]
fn a_pipe_in_the_place_of_the_manifest_is_waited_for_by_nobody() {
    let temp = tempfile::tempdir().unwrap();
    let path = sealed(temp.path(), &[]);
    fs::remove_file(path.join(MANIFEST)).unwrap();
    nix::unistd::mkfifo(&path.join(MANIFEST), nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert_eq!(Bundle::open(&path).unwrap_err().what, "the manifest is no plain file of a manifest's size");
}

#[test]
fn so_many_findings_are_told_and_how_many_more_there_are() {
    let temp = tempfile::tempdir().unwrap();
    let path = sealed(temp.path(), &[]);
    (0..1_010).for_each(|i| fs::write(path.join(format!("{i}")), "").unwrap());
    let findings = verify(&path).unwrap().1;
    assert_eq!(findings.len(), 1_001);
    assert_eq!(findings.last().unwrap().to_string(), "manifest.json: 10 findings more");
}

#[test]
fn json_and_toml_of_any_depth_end_as_a_problem_with_a_place() {
    let deep = |open: &str, n: usize| open.repeat(n).into_bytes();
    let (json, map) = (deep("[", 200_000), deep("{\"format\":", 200_000));
    let toml = [b"x = ".to_vec(), deep("[", 200_000)].concat();
    let inline = [b"x = ".to_vec(), deep("{a=", 200_000)].concat();
    for bytes in [json, map, toml, inline] {
        let temp = tempfile::tempdir().unwrap();
        let files: Vec<(&str, &[u8])> =
            [ENV, GRADE, PLAN, REQUESTS, RUN, WORKLOAD].into_iter().map(|name| (name, bytes.as_slice())).collect();
        let path = sealed(temp.path(), &files);
        let bundle = Bundle::open(&path).unwrap();
        let problems = [
            bundle.run().unwrap_err(),
            bundle.plan().unwrap_err(),
            bundle.grade().unwrap_err(),
            bundle.environments().unwrap_err(),
            bundle.declared().unwrap_err(),
            bundle.requests().unwrap_err(),
        ];
        for problem in problems {
            assert!(problem.place.is_some() && problem.kind.exit_code() == 20, "{problem}");
            assert!(problem.to_string().len() < 2_000, "{}", problem.to_string().len());
        }
        fs::write(path.join(MANIFEST), &bytes).unwrap();
        assert_eq!(verify(&path).unwrap_err().kind.exit_code(), 20);
    }
}

const ENV: &str = "environments/here.json";

#[test]
fn csv_that_is_meant_to_hurt_is_a_problem_in_a_row() {
    let row = |text: &[u8]| read_table::<crate::records::GradedRow>(text, GRADED).unwrap_err();
    let header = "trial,request,source,tokens,failure\n";
    let cases: [Vec<u8>; 6] = [
        [header.as_bytes(), &b"\"".repeat(1_000_001)].concat(),
        [header.as_bytes(), &b",".repeat(1_000_000)].concat(),
        [header.as_bytes(), b"a,99999999999999999999,ids,1,\n"].concat(),
        [header.as_bytes(), b"a,1,ids,1,\xff\xfe\n"].concat(),
        b",".repeat(1_000_000).to_vec().into_iter().chain(*b"\n1\n").collect(),
        [header.as_bytes(), b"a,-1,ids,1,\0\n"].concat(),
    ];
    for text in cases {
        let problem = row(&text);
        assert_eq!((problem.place.as_deref(), problem.kind.exit_code()), (Some(GRADED), 20));
        assert!(problem.what.len() < 2_000, "{}", problem.what.len());
    }
}

#[test]
fn compressed_bytes_that_ask_for_a_large_window_get_none() {
    let frame = |log: u32| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.set_parameter(zstd::zstd_safe::CParameter::WindowLog(log)).unwrap();
        // Of a size that is not known before, so that the window is as large as it says.
        std::io::Write::write_all(&mut encoder, &vec![b'x'; 1 << 20]).unwrap();
        encoder.finish().unwrap()
    };
    let read = |bytes: &[u8]| tables::decompress(bytes, 1 << 30, "traces/x.zst");
    assert_eq!(read(&frame(27)).unwrap().len(), 1 << 20);
    let problem = read(&frame(30)).unwrap_err();
    assert!(problem.what.contains("cannot be decompressed") && problem.place.is_some(), "{problem}");
}

#[test]
fn spans_that_no_number_holds_end_at_the_largest() {
    let span = Span { first: u32::MAX - 1, count: u32::MAX };
    assert_eq!(span.ids().len(), 1);
    assert_eq!(Plan::from_json("{\"format\":4}").unwrap_err().kind.exit_code(), 20);
}

#[test]
fn a_workload_of_very_many_names_is_refused_before_they_are_multiplied() {
    let common = "name = \"x\"\n[baseline]\ncommand = [\"s\", \"{port}\"]\n[requests.prose]\nseed = 1\nwords = 9\n[sampling]\nmax_tokens = 4\n";
    let load = |n: usize| format!("[[load]]\nname = \"l{n}\"\nrequests = 1\nclosed = {{ concurrency = 1 }}\n");
    let model = |n: usize| format!("[models.m{n}]\npath = \"m\"\n");
    let candidate = |n: usize| format!("[candidates.c{n}]\ncommand = [\"s\", \"{{port}}\"]\n");
    let all = |of: &dyn Fn(usize) -> String, n: usize| (0..n).map(of).collect::<String>();
    let parse = |rest: String| crate::workload::parse(&format!("{common}{rest}"), Path::new("x.toml"));
    let refused = |rest: String| parse(rest).unwrap_err().what;
    let values = "more than 4096 models, loads or exclusions";
    assert!(parse(all(&model, 4_096) + &load(0)).is_ok());
    assert_eq!(refused(all(&model, 4_097) + &load(0)), values);
    assert_eq!(refused(model(0) + &all(&load, 4_097)), values);
    let exclude = "{ gpus = 1 }, ".repeat(4_097);
    assert_eq!(refused(format!("{}{}[matrix]\nexclude = [{exclude}]\n", model(0), load(0))), values);
    let gpus = "1, ".repeat(1_001);
    let many = format!("{}{}{}[matrix]\ngpus = [{gpus}]\n", model(0), load(0), all(&candidate, 100));
    assert_eq!(refused(many), "100100 cells are more than 100000");

    let temp = tempfile::tempdir().unwrap();
    let path = sealed(temp.path(), &[(WORKLOAD, &vec![b'#'; (16 << 20) + 1])]);
    assert_eq!(Bundle::open(&path).unwrap().declared().unwrap_err().what, "too large to be this file");
}
