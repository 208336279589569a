//! Tags become digests in the file that names them.
#![allow(clippy::unwrap_used)]

mod support;

use std::os::unix::fs::PermissionsExt as _;

use support::{Lab, code, engine::Engine, stderr, stdout};

fn file(baseline: &str, candidate: &str) -> String {
    format!(
        r#"# Kept as it is.
name = "x"
[models.toy]
path = {:?}
[baseline]
image = '{baseline}'   # and this
[candidates]
a = {{ image = "{candidate}", args = ["--port", "{{port}}"] }}
[requests.prose]
seed = 1
words = 9
[sampling]
max_tokens = 4
[[load]]
name = "c1"
requests = 1
closed = {{ concurrency = 1 }}
"#,
        support::model()
    )
}

#[test]
fn every_tag_becomes_the_digest_that_the_registry_has_and_nothing_else_changes() {
    let Some(engine) = Engine::from_env() else { return };
    let lab = Lab::new();
    let (honest, fast) = (engine.tag("stub:honest"), engine.tag("stub:fast"));
    let path = lab.write("x.toml", &file(&honest, &fast));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let output = lab.bench(&["check", "--pin", "x.toml"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let pinned = file(&engine.image("stub:honest"), &engine.image("stub:fast"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), pinned);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let line = format!("  baseline: {honest} → {}\n", engine.image("stub:honest"));
    assert!(stdout(&output).contains(&line), "{}", stdout(&output));
    assert_eq!(std::fs::read_dir(lab.folder.path()).unwrap().count(), 1, "nothing is left beside the file");
}

#[test]
fn a_pinned_file_is_left_alone_and_needs_no_engine() {
    let lab = Lab::new();
    let image = format!("x@sha256:{}", "0".repeat(64));
    let path = lab.write("x.toml", &file(&image, &image));
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    let output = lab.command(&["check", "--pin", "x.toml"]).env("DOCKER_HOST", "unix:///nowhere").output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("x.toml: pinned already"));
    assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), before);
}

#[test]
fn what_cannot_be_pinned_is_named_and_the_file_stays() {
    let Some(engine) = Engine::from_env() else { return };
    let good = engine.tag("stub:honest");
    for (image, expected) in [
        (engine.tag("stub:absent"), "stub:absent: the registry has no such image: manifest unknown"),
        (engine.tag("absent"), "absent:latest: the registry has no such image"),
        ("127.0.0.1:1/stub:x".to_owned(), "127.0.0.1:1/stub:x: the registry cannot be asked: Get"),
    ] {
        let lab = Lab::new();
        let text = file(&good, &image);
        let path = lab.write("x.toml", &text);
        let output = lab.bench(&["check", "--pin", "x.toml"]);
        assert_eq!(code(&output), 12, "{image}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert!(stderr(&output).contains("next: "), "{}", stderr(&output));
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    }
}

#[test]
fn an_engine_that_does_not_answer_is_a_failure_of_this_machine() {
    let lab = Lab::new();
    lab.write("x.toml", &file("a:1", "b:2"));
    let output = lab.command(&["check", "--pin", "x.toml"]).env("DOCKER_HOST", "unix:///nowhere").output().unwrap();
    assert_eq!(code(&output), 11);
    assert!(stderr(&output).contains("DOCKER_HOST"), "{}", stderr(&output));
}

#[test]
fn a_file_with_another_mistake_is_not_written() {
    let Some(engine) = Engine::from_env() else { return };
    let lab = Lab::new();
    let image = engine.tag("stub:honest");
    let text = file(&image, &image).replace("max_tokens", "most_tokens");
    let path = lab.write("x.toml", &text);
    let output = lab.bench(&["check", "--pin", "x.toml"]);
    assert_eq!(code(&output), 10);
    assert!(stderr(&output).contains("most_tokens"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

#[test]
fn an_image_that_was_altered_in_the_registry_cannot_be_had() {
    let Some(engine) = Engine::from_env() else { return };
    let pushed = engine.pushed("altered");
    engine.docker(&["pull", "--quiet", &pushed.reference]);
    pushed.forget();
    pushed.tamper();
    let output = engine.try_docker(&["pull", "--quiet", &pushed.reference]);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("filesystem layer verification failed"), "{text}");
}
