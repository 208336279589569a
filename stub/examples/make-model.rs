//! Writes `stub/model/tokenizer.json` anew from `stub/model/words.txt`.

#[path = "../model/generate.rs"]
mod generate;

fn main() -> std::io::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/model/tokenizer.json");
    std::fs::write(path, generate::tokenizer_json())
}
