//! Labels that do not overlap: each as near to its own place as its neighbours allow.

/// New positions, in the order given, at least `gap` apart and within `low..high` where
/// there is room for all.
pub(crate) fn spread(places: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|a, b| places[*a].total_cmp(&places[*b]).then(a.cmp(b)));
    // Neighbours that collide become one group, centred on the mean of their places.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for &i in &order {
        groups.push((places[i], 1));
        while let [.., (above, n), (below, m)] = groups[..] {
            if below - above >= gap * (n + m) as f64 / 2.0 {
                break;
            }
            let centre = (above * n as f64 + below * m as f64) / (n + m) as f64;
            groups.truncate(groups.len() - 2);
            groups.push((centre, n + m));
        }
    }
    let mut wanted = Vec::with_capacity(places.len());
    for (centre, n) in groups {
        wanted.extend((0..n).map(|k| centre + gap * (k as f64 - (n - 1) as f64 / 2.0)));
    }
    // Then pushed inwards from both ends.
    let mut least = low;
    for place in &mut wanted {
        *place = place.max(least);
        least = *place + gap;
    }
    let mut most = high;
    for place in wanted.iter_mut().rev() {
        *place = place.min(most);
        most = *place - gap;
    }
    let mut out = vec![0.0; places.len()];
    for (i, place) in order.into_iter().zip(wanted) {
        out[i] = place;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_far_apart_stay_where_they_are() {
        assert_eq!(spread(&[50.0, 10.0], 15.0, 0.0, 100.0), [50.0, 10.0]);
    }

    #[test]
    fn colliding_labels_move_apart_evenly() {
        assert_eq!(spread(&[50.0, 50.0], 10.0, 0.0, 100.0), [45.0, 55.0]);
        assert_eq!(spread(&[50.0, 52.0, 51.0], 10.0, 0.0, 100.0), [41.0, 61.0, 51.0]);
    }

    #[test]
    fn labels_stay_inside() {
        assert_eq!(spread(&[99.0, 100.0], 10.0, 0.0, 100.0), [90.0, 100.0]);
        assert_eq!(spread(&[0.0, 1.0], 10.0, 0.0, 100.0), [0.0, 10.0]);
    }
}
