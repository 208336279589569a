//! Which recorded conversation stands in which slot.

use super::Slot;

/// A turn of a source in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the source: a conversation or a single prompt.
    pub source: usize,
    /// Its turn, from 0.
    pub turn: usize,
    /// The slot where its session begins.
    pub begins: usize,
}

/// Fills `slots` with sources in order, each turn by turn; a source's last turns are left
/// out where a load ends. `turns` says how many turns the source of an index has, `None`
/// beyond the last.
///
/// With `again` the sources are repeated when they run out, and a slot that imitates
/// another gets that one's turn. Without, every slot takes the next turn.
///
/// The error is the number of slots that could be filled.
pub(super) fn places(
    slots: &[Slot],
    again: bool,
    mut turns: impl FnMut(usize) -> Option<usize>,
) -> Result<Vec<Place>, usize> {
    let mut places: Vec<Option<Place>> = vec![None; slots.len()];
    let (mut taken, mut all) = (0, None);
    let mut now: Option<(Place, usize)> = None;
    for (i, slot) in slots.iter().enumerate() {
        if again && imitated(slots, i).is_some() {
            now = None;
            continue;
        }
        let goes_on = now.filter(|(p, turns)| !slot.opens && p.turn + 1 < *turns);
        let (place, of) = match goes_on {
            Some((p, of)) => (Place { turn: p.turn + 1, ..p }, of),
            None => {
                let mut source = all.map_or(taken, |all| taken % all);
                let mut found = turns(source);
                if found.is_none() && again && taken > 0 {
                    all.get_or_insert(taken);
                    source = 0;
                    found = turns(source);
                }
                let Some(of) = found else { return Err(i) };
                taken += 1;
                (Place { source, turn: 0, begins: i }, of)
            }
        };
        places[i] = Some(place);
        now = Some((place, of));
    }
    for i in 0..slots.len() {
        let Some(shown) = places[i].is_none().then(|| imitated(slots, i).and_then(|l| places[l])).flatten() else {
            continue;
        };
        let last = i.checked_sub(1).and_then(|b| places[b].filter(|_| imitated(slots, b).is_some()));
        let goes_on = |b: &Place| !slots[i].opens && b.source == shown.source && b.turn + 1 == shown.turn;
        let begins = last.filter(goes_on).map_or(i, |b| b.begins);
        places[i] = Some(Place { begins, ..shown });
    }
    Ok(places.into_iter().flatten().collect())
}

/// The slot that this one imitates, if that is not an imitation itself.
fn imitated(slots: &[Slot], i: usize) -> Option<usize> {
    let like = slots[i].like as usize;
    slots.get(like).filter(|of| like != i && of.like as usize == like).map(|_| like)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(likes: &[u32], opens: &[usize]) -> Vec<Slot> {
        let slot = |(i, like): (usize, &u32)| Slot { like: *like, opens: opens.contains(&i), lengths: None };
        likes.iter().enumerate().map(slot).collect()
    }

    fn laid(slots: &[Slot], again: bool, turns: &[usize]) -> Result<Vec<(usize, usize, usize)>, usize> {
        let places = places(slots, again, |i| turns.get(i).copied())?;
        Ok(places.iter().map(|p| (p.source, p.turn, p.begins)).collect())
    }

    #[test]
    fn every_slot_takes_the_next_turn_and_no_session_reaches_into_another_load() {
        let slots = slots(&[0, 1, 2, 3, 4], &[0, 2]);
        assert_eq!(
            laid(&slots, false, &[3, 1, 2]),
            Ok(vec![(0, 0, 0), (0, 1, 0), (1, 0, 2), (2, 0, 3), (2, 1, 3)]),
            "source 0 loses its third turn to the load that begins at slot 2"
        );
    }

    #[test]
    fn without_repetition_the_error_counts_the_filled_slots() {
        assert_eq!(laid(&slots(&[0, 1, 2, 3], &[0]), false, &[2, 1]), Err(3));
        assert_eq!(laid(&slots(&[0], &[0]), true, &[]), Err(0));
    }

    #[test]
    fn repeated_sources_come_round_in_order_and_imitations_take_none() {
        // Two warm-up slots imitate slots 2 and 3; five timed ones take three sources.
        let slots = slots(&[2, 3, 2, 3, 4, 5, 6], &[0, 2]);
        let single = laid(&slots, true, &[1, 1, 1]).unwrap();
        assert_eq!(single.iter().map(|p| p.0).collect::<Vec<_>>(), [0, 1, 0, 1, 2, 0, 1]);
        let sessions = laid(&slots, true, &[2, 1]).unwrap();
        assert_eq!(
            sessions,
            [(0, 0, 0), (0, 1, 0), (0, 0, 2), (0, 1, 2), (1, 0, 4), (0, 0, 5), (0, 1, 5)],
            "the warm-up session has the turns of the one it imitates, and is its own"
        );
    }
}
