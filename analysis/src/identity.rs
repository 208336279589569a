//! What a server is, as one digest: two runs whose baselines have the same one measured the same
//! baseline.

use std::collections::BTreeMap;

use lab::{
    Digest,
    environment::Environment,
    records,
    workload::{Server, Workload},
};
use serde::Serialize;

/// What is digested, as JSON without spaces. The model is none of it: it belongs to the cell.
#[derive(Serialize)]
struct Identity<'a> {
    /// The image, as the engine calls it; none of a command.
    image: Option<Digest>,
    /// The program's file; none of an image.
    program: Option<Digest>,
    /// Arguments after the program or the image's entry point, with their placeholders.
    arguments: &'a [String],
    /// Variables, as the workload declares them.
    env: &'a BTreeMap<String, String>,
    /// Tree digests of the host's folders that it sees, by the path inside.
    binds: BTreeMap<&'a str, Option<Digest>>,
}

/// The digest of an arm's server: of its image, or of its program's file as `ran` names it, with
/// its arguments, variables and folders. None of an endpoint, which nobody here can describe, and
/// where the image or the program is not known.
pub(crate) fn server(
    workload: &Workload,
    name: &str,
    ran: &records::ServerFacts,
    hosts: &[Environment],
) -> Option<Digest> {
    let arm = workload.arm(name)?;
    let identity = match &arm.server {
        Server::Endpoint(_) => return None,
        Server::Command(command) => Identity {
            image: None,
            program: Some(ran.program?),
            arguments: command.get(1..)?,
            env: &arm.env,
            binds: BTreeMap::new(),
        },
        Server::Image { args, binds, .. } => Identity {
            image: Some(hosts.iter().find_map(|host| host.images.get(name))?.id),
            program: None,
            arguments: args,
            env: &arm.env,
            binds: binds
                .keys()
                .chain(workload.container.binds.keys())
                .map(|path| (path.as_str(), tree(path, hosts)))
                .collect(),
        },
    };
    Some(Digest::of(serde_json::to_vec(&identity).expect("strings serialise")))
}

fn tree(path: &str, hosts: &[Environment]) -> Option<Digest> {
    hosts.iter().find_map(|host| host.binds.get(path)).copied()
}

#[cfg(test)]
mod tests {
    use lab::{environment::ImageFacts, workload::BASELINE};

    use super::*;

    fn workload(baseline: &str) -> Workload {
        let source = format!(
            "name = \"x\"\n[models.m]\npath = \"m\"\n[baseline]\n{baseline}\n[requests.prose]\nseed = 1\nwords = 9\n[sampling]\nmax_tokens = 4\n[[load]]\nname = \"l\"\nrequests = 2\nclosed = {{ concurrency = 1 }}\n"
        );
        lab::workload::parse(&source, "x.toml".as_ref()).unwrap()
    }

    fn ran(program: &str) -> records::ServerFacts {
        records::ServerFacts { program: Some(Digest::of(program)), ..Default::default() }
    }

    #[test]
    fn a_command_is_its_programs_bytes_with_its_arguments_and_variables() {
        let of = |baseline: &str, program: &str| server(&workload(baseline), BASELINE, &ran(program), &[]).unwrap();
        let vllm = of("command = [\"/opt/vllm\", \"{port}\"]", "vllm");
        // By hand: sha256sum of the line that `Identity` describes.
        let line = format!(
            r#"{{"image":null,"program":"{}","arguments":["{{port}}"],"env":{{}},"binds":{{}}}}"#,
            Digest::of("vllm")
        );
        assert_eq!(vllm, Digest::of(line));
        assert_eq!(vllm, of("command = [\"/usr/bin/vllm\", \"{port}\"]", "vllm"), "wherever it is installed");
        for other in [
            of("command = [\"/opt/vllm\", \"{port}\"]", "vllm of another version"),
            of("command = [\"/opt/vllm\", \"{port}\", \"--eager\"]", "vllm"),
            of("command = [\"/opt/vllm\", \"{port}\"]\nenv = { A = \"1\" }", "vllm"),
        ] {
            assert_ne!(vllm, other);
        }
        let unknown = records::ServerFacts::default();
        assert_eq!(server(&workload("command = [\"s\", \"{port}\"]"), BASELINE, &unknown, &[]), None);
    }

    #[test]
    fn an_image_is_what_the_engine_calls_it_and_an_endpoint_is_nobodys() {
        let image = |id: &str| {
            let facts = ImageFacts {
                asked: String::new(),
                id: Digest::of(id),
                id_of: "config".into(),
                manifest: None,
                bytes: 0,
                layers: Vec::new(),
                wants: Vec::new(),
            };
            Environment { images: [(BASELINE.to_owned(), facts)].into(), ..Environment::default() }
        };
        let declared = workload(&format!("image = \"r/i@{}\"\nargs = [\"{{port}}\"]", Digest::of("manifest")));
        let of = |hosts: &[Environment]| server(&declared, BASELINE, &ran("ignored"), hosts);
        assert!(of(&[image("a")]).is_some());
        assert_ne!(of(&[image("a")]), of(&[image("b")]));
        assert_eq!(of(&[]), None);
        let endpoint = workload("endpoint = \"http://127.0.0.1:8000\"");
        assert_eq!(server(&endpoint, BASELINE, &ran("s"), &[image("a")]), None);
    }
}
