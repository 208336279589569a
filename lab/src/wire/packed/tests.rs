use proptest::prelude::*;

use super::{decimal::decimal, *};

const ENTRY: &str = r#"{"token":" The","logprob":-0.0019151709275320172,"bytes":[32,84,104,101],"top_logprobs":[{"token":"\u00e9\"","logprob":-9.999999747378752e-05,"bytes":[195,169,34]},{"token":"","logprob":-1.5,"bytes":[]}]}"#;

#[test]
fn numbers_and_bytes_of_tokens_are_packed_and_come_back() {
    let packed = pack(ENTRY.as_bytes()).unwrap();
    assert_eq!(packed.iter().filter(|b| **b == NUMBER).count(), 3, "{packed:?}");
    assert_eq!(packed.iter().filter(|b| **b == BYTES).count(), 3);
    assert!(packed.len() + 60 < ENTRY.len());
    assert_eq!(unpack(&packed, ENTRY.len()).unwrap(), ENTRY.as_bytes());
}

#[test]
fn what_is_written_otherwise_is_kept_as_it_stands() {
    for text in [
        r#"{"token":"a","logprob":-0.10,"bytes":[97]}"#,
        r#"{"token":"a","logprob":-0.1,"bytes":[98]}"#,
        r#"{"token":"a","logprob":-1e-5,"bytes":[97],"x":1}"#,
        r#"{"token":"a","logprob":null,"bytes":[97, 98]}"#,
        r#"{"token":"a","logprob":-0.5"#,
        r#""token":"\"logprob":"bytes":["#,
    ] {
        let back = pack(text.as_bytes()).map(|packed| unpack(&packed, text.len()).unwrap());
        assert!(back.is_none_or(|back| back == text.as_bytes()), "{text}");
    }
    assert_eq!(pack(b"\x01"), None);
    assert_eq!(pack(b"nothing to gain"), None);
}

#[test]
fn packed_bytes_that_nobody_packed_are_refused() {
    for packed in [&b"\x01\0\0"[..], b"\x02", b"\"token\":\x02", b"\"token\":\"a\x02"] {
        assert_eq!(unpack(packed, 1 << 20), None, "{packed:?}");
    }
    let bomb = [&b"\"token\":\"aaaa\""[..], &[BYTES; 1 << 10]].concat();
    assert_eq!(unpack(&bomb, 100), None);
}

proptest! {
    #[test]
    fn any_bytes_come_back(parts in prop::collection::vec(0usize..12, 0..60), number in any::<f32>(), noise in any::<Vec<u8>>()) {
        let number = format!("{:?}", f64::from(number));
        let pieces: [&[u8]; 12] = [LOGPROB, TOKEN, LIST, b"\"", b"\\", b"a", b"97", b",", b"]", b"}", number.as_bytes(), &noise];
        let plain: Vec<u8> = parts.iter().flat_map(|i| pieces[*i]).copied().collect();
        if let Some(packed) = pack(&plain) {
            prop_assert_eq!(unpack(&packed, plain.len()), Some(plain));
        }
    }

    #[test]
    fn a_number_is_written_as_rust_writes_it_but_for_the_exponent(bits in any::<u32>()) {
        let single = f32::from_bits(bits);
        prop_assume!(single.is_finite());
        let mut text = Vec::new();
        decimal(single, &mut text);
        let rust = format!("{:?}", f64::from(single));
        let digits = |text: &str| text.replace("e-0", "e-");
        prop_assert_eq!(digits(std::str::from_utf8(&text).unwrap()), rust);
    }

    #[test]
    fn unpacking_never_panics(packed in any::<Vec<u8>>()) {
        unpack(&packed, 1 << 12);
    }
}
