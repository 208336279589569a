//! `at-rest BUNDLE...`: bytes at rest per output token of measure bundles, as they stand and
//! written once more in the newest format.

use std::path::Path;

use lab::bundle::{Bundle, CHUNK_TABLE, ExchangeWriter, REQUEST_TABLE, TRIAL, TRIALS, WIRE};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("| bundle | output tokens | plain | at rest | in the newest format |\n|---|---|---|---|---|");
    for path in std::env::args().skip(1) {
        let bundle = Bundle::open(Path::new(&path))?;
        let size = |folder: &str, file: &str| {
            let name = format!("{TRIALS}/{folder}/{file}");
            bundle.manifest.files.iter().find(|f| f.path == name).map_or(0, |f| f.size)
        };
        let (mut tokens, mut plain, mut stored, mut again) = (0u64, 0u64, 0, 0);
        for folder in bundle.plan()?.trials.iter().map(lab::plan::Trial::folder) {
            if size(&folder, WIRE) == 0 {
                continue;
            }
            let mut writer = ExchangeWriter::new(Vec::new())?;
            for exchange in bundle.exchanges(&folder)? {
                let exchange = exchange?;
                let derived = exchange.derive();
                let listed = derived.chunks.iter().map(|chunk| chunk.ids.len() as u64).sum();
                tokens += if listed > 0 { listed } else { derived.claimed.output.unwrap_or(0) };
                plain += exchange.bytes.len() as u64;
                writer.exchange(&exchange)?;
            }
            let rest = size(&folder, REQUEST_TABLE) + size(&folder, TRIAL);
            stored += rest + size(&folder, WIRE) + size(&folder, CHUNK_TABLE);
            again += rest + writer.finish()?.len() as u64;
        }
        let per_token = |bytes: u64| bytes as f64 / tokens.max(1) as f64;
        let name = Path::new(&path).file_name().unwrap_or_default().display();
        println!(
            "| {name} | {tokens} | {:.0} | {:.1} | {:.1} |",
            per_token(plain),
            per_token(stored),
            per_token(again)
        );
    }
    Ok(())
}
