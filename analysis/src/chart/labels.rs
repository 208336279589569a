//! Labels beside points, where there is room for them.

use super::{canvas::At, frame::Frame};

/// A part of a picture: left, upper, right and lower edge.
type Area = (f64, f64, f64, f64);

/// What is taken already.
#[derive(Debug, Clone)]
pub(crate) struct Labels {
    inside: Area,
    taken: Vec<Area>,
}

/// Between a point and its label.
const GAP: f64 = 7.0;

impl Labels {
    /// Labels stay inside `frame`.
    pub(crate) fn within(frame: &Frame) -> Self {
        Labels { inside: (frame.left, frame.top, frame.right, frame.bottom), taken: Vec::new() }
    }

    /// Nothing is written over a dot.
    pub(crate) fn keep_clear(&mut self, (x, y): At, radius: f64) {
        self.taken.push((x - radius, y - radius, x + radius, y + radius));
    }

    /// Nothing is written over a line through points.
    pub(crate) fn keep_off(&mut self, path: &[At]) {
        for pair in path.windows(2) {
            let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
            let steps = ((to_x - x).abs().max((to_y - y).abs()) / 4.0).ceil().max(1.0);
            for i in 0..=steps as u32 {
                let share = f64::from(i) / steps;
                self.keep_clear((x + share * (to_x - x), y + share * (to_y - y)), 2.0);
            }
        }
    }

    /// The centre of a label of this size beside a point: right of it, left of it, above,
    /// beneath, or across a corner, whichever is free first. None where nothing is.
    pub(crate) fn place(&mut self, (x, y): At, width: f64, height: f64) -> Option<At> {
        let (beside, above) = (width / 2.0 + GAP, height / 2.0 + GAP);
        let (near, low) = (width / 2.0 + 5.0, height / 2.0 + 5.0);
        let places = [
            (beside, 0.0),
            (-beside, 0.0),
            (0.0, -above),
            (0.0, above),
            (-near, -low),
            (near, low),
            (near, -low),
            (-near, low),
        ];
        let found = places.into_iter().map(|(right, down)| (x + right, y + down)).find(|(x, y)| {
            let area = (x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0);
            self.is_inside(area) && !self.taken.iter().any(|other| overlap(area, *other))
        })?;
        let (x, y) = found;
        self.taken.push((x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0));
        Some(found)
    }

    fn is_inside(&self, area: Area) -> bool {
        let frame = self.inside;
        area.0 >= frame.0 && area.1 >= frame.1 && area.2 <= frame.2 && area.3 <= frame.3
    }
}

fn overlap(a: Area, b: Area) -> bool {
    a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        Labels::within(&Frame { left: 0.0, top: 0.0, right: 100.0, bottom: 100.0 })
    }

    #[test]
    fn a_label_stands_right_of_its_point_and_left_at_the_right_edge() {
        assert_eq!(labels().place((50.0, 50.0), 20.0, 10.0), Some((67.0, 50.0)));
        assert_eq!(labels().place((90.0, 50.0), 20.0, 10.0), Some((73.0, 50.0)));
    }

    #[test]
    fn two_labels_of_one_place_do_not_overlap() {
        let mut labels = labels();
        let (first, second) = (labels.place((50.0, 50.0), 20.0, 10.0), labels.place((51.0, 50.0), 20.0, 10.0));
        assert_eq!((first, second), (Some((67.0, 50.0)), Some((34.0, 50.0))));
    }

    #[test]
    fn nothing_is_written_over_a_line() {
        let mut labels = labels();
        labels.keep_off(&[(50.0, 50.0), (90.0, 50.0)]);
        assert_eq!(labels.place((50.0, 50.0), 20.0, 10.0), Some((33.0, 50.0)));
    }

    #[test]
    fn nothing_is_written_over_a_dot_and_where_no_place_is_free_there_is_no_label() {
        let mut labels = labels();
        labels.keep_clear((70.0, 50.0), 3.0);
        assert_eq!(labels.place((50.0, 50.0), 20.0, 10.0), Some((33.0, 50.0)));
        assert_eq!(labels.place((50.0, 50.0), 120.0, 10.0), None);
    }
}
