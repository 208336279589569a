use std::{path::PathBuf, process::ExitCode};

use lab::{
    Result,
    signature::{SecretKey, sign},
};

/// Arguments of `bench sign`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Sealed bundles; each gets a signature in its manifest.dsse.json, and stays the same bundle
    bundles: Vec<PathBuf>,
    /// The private key, ed25519 as PEM (PKCS 8); without a bundle its public key is printed
    #[arg(long, value_name = "FILE", required_unless_present = "new_key")]
    key: Option<PathBuf>,
    /// Make a private key in a new file, which only you can read, and print its public key
    #[arg(long, value_name = "FILE", conflicts_with_all = ["bundles", "key"])]
    new_key: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if let Some(path) = &args.new_key {
        let public = SecretKey::create(path)?.public();
        print!("{}", public.to_pem());
        eprintln!(
            "its name in signatures: {}\nkeep {} to yourself, and publish what is printed",
            public.id(),
            path.display()
        );
    }
    if let Some(path) = &args.key {
        let key = SecretKey::read(path)?;
        if args.bundles.is_empty() {
            print!("{}", key.public().to_pem());
        }
        for bundle in &args.bundles {
            let signed = sign(bundle, &key)?;
            let done = if signed.new { "signed" } else { "was signed already" };
            println!("{}: {done}: {} by {}", bundle.display(), signed.id, key.public().id());
        }
    }
    Ok(ExitCode::SUCCESS)
}
