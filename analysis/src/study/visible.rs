//! Whether a reader would see anything of a text.

/// Whether any character of `text` is more than zero-width filling.
pub(super) fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !is_ignorable(c))
}

/// Unicode's property `Default_Ignorable_Code_Point` (version 16): soft hyphen, zero-width
/// spaces and joiners, marks of direction, fillers, variation selectors, tags.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
