//! First lines that no cache has seen.

use super::{Message, Role};
use crate::seed::Stream;

/// Puts a line of 16 random hexadecimal digits before the first user message: `id` is the
/// request where the session begins, so that its turns share the line.
///
/// What stands before that message, a system message or a chat template's head, stays the
/// same in all prompts.
pub(super) fn mark(messages: &mut [Message], seed: &[u8], id: usize) {
    let number = Stream::new(seed, &format!("nonce {id}")).bits();
    if let Some(first) = messages.iter_mut().find(|m| m.role == Role::User) {
        first.content = format!("[{number:016x}]\n{}", first.content);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_user_message_gets_a_line_of_its_own() {
        let message = |role, content: &str| Message { role, content: content.into() };
        let plain = [message(Role::System, "s"), message(Role::User, "a"), message(Role::User, "b")];
        let marked = |seed: &[u8], id| {
            let mut messages = plain.clone();
            mark(&mut messages, seed, id);
            messages.map(|m| m.content)
        };
        let [system, first, second] = marked(b"7", 3);
        assert_eq!((system.as_str(), second.as_str()), ("s", "b"));
        let digits = first.strip_prefix('[').unwrap().strip_suffix("]\na").unwrap();
        assert!(digits.len() == 16 && digits.chars().all(|c| c.is_ascii_hexdigit()), "{first}");
        assert_eq!(first, marked(b"7", 3)[1]);
        assert!(first != marked(b"7", 4)[1] && first != marked(b"8", 3)[1]);
    }
}
