/// More cores than any host has; a longer list is no list of cores.
const MOST: u32 = 1 << 16;

/// Reads the kernel's way of writing cores: `0-3,8`. `None` if it is something else.
pub fn read(text: &str) -> Option<Vec<u32>> {
    let mut cores = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last >= MOST {
            return None;
        }
        cores.extend(first..=last);
    }
    cores.sort_unstable();
    cores.dedup();
    Some(cores)
}

/// Cores as the kernel and container engines write them: `0-3,8`. Empty for none.
pub fn written(cores: &[u32]) -> String {
    let mut sorted = cores.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let ranges = sorted.chunk_by(|a, b| a + 1 == *b).map(|range| match range {
        [one] => one.to_string(),
        [first, second] => format!("{first},{second}"),
        [first, .., last] => format!("{first}-{last}"),
        [] => String::new(),
    });
    ranges.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for (cores, text) in [
            (vec![], ""),
            (vec![4], "4"),
            (vec![0, 1], "0,1"),
            (vec![0, 1, 2, 3, 8], "0-3,8"),
            (vec![1, 3, 5], "1,3,5"),
        ] {
            assert_eq!(written(&cores), text);
            assert_eq!(read(text), Some(cores));
        }
        assert_eq!(written(&[3, 1, 2, 2]), "1-3");
        assert_eq!(read(" 0-1\n"), Some(vec![0, 1]));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["(null)", "3-1", "0-4294967295", "a", "1;2"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
