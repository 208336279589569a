use bollard::errors::Error;
use lab::{Digest, Kind, Nanos, Problem, Result, image::Tag};

use super::engine::{Engine, in_words};

/// Until a registry has to have answered.
const ANSWER: Nanos = Nanos::from_secs(60);

impl Engine {
    /// The digest that a tag stands for at this moment, as the engine hears it from the registry.
    pub async fn resolve(&self, tag: &Tag) -> Result<Digest> {
        let problem = |what: String| Problem::new(Kind::Image, what).at(tag.to_string());
        let name = tag.to_string();
        let asked = self.docker.inspect_registry_image(&name, None);
        let answer = tokio::time::timeout(ANSWER.into(), asked).await.map_err(|_| {
            problem(format!("the registry did not answer within {ANSWER}")).next("try again, or read the engine's log")
        })?;
        let digest = answer.map_err(|error| {
            let what = in_words(&error);
            match error {
                Error::DockerResponseServerError { status_code: 404, .. } => {
                    problem(format!("the registry has no such image: {what}"))
                        .next("push it, or write a tag that the registry has")
                }
                Error::DockerResponseServerError { status_code: 401 | 403, .. } => {
                    problem(format!("the registry does not show this image to everyone: {what}"))
                        .next("make the image public, or write its digest into the file yourself")
                }
                Error::DockerResponseServerError { .. } => problem(format!("the registry cannot be asked: {what}"))
                    .next("check the registry's name, and that it runs and can be reached from here"),
                _ => Problem::machine(format!("the container engine does not answer: {what}"))
                    .next("start the container engine, or set DOCKER_HOST to its socket"),
            }
        })?;
        let digest = digest.descriptor.digest.unwrap_or_default();
        digest.parse().map_err(|what: String| problem(format!("the registry answered with no digest: {what}")))
    }
}
