//! Small multiples: equal panels beside and beneath each other.

use super::Layout;

/// From this number of panels on, a phone shows two beside each other.
const PAIRS_FROM: usize = 5;

/// Where the panels of a picture are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    columns: usize,
    rows: usize,
    left: f64,
    width: f64,
    /// Width of a panel.
    pub(crate) panel: f64,
    height: f64,
}

impl Grid {
    /// Between panels, in both directions.
    const GAP: f64 = 30.0;

    /// Of this many panels, at most `most` beside each other on a desk, each `height` high,
    /// right of a margin that they share.
    pub(crate) fn of(layout: Layout, panels: usize, most: usize, (margin, height): (f64, f64)) -> Self {
        // Four are two and two, not three and one.
        let beside = if panels == 4 { most.min(2) } else { most };
        let columns = layout.pick(panels.clamp(1, beside.max(1)), if panels < PAIRS_FROM { 1 } else { 2 });
        let (width, gap) = (layout.width() - margin, layout.pick(Self::GAP, 16.0));
        let panel = (width - gap * (columns - 1) as f64) / columns as f64;
        Grid { columns, rows: panels.div_ceil(columns), left: margin, width, panel, height }
    }

    /// Whether a panel is the first of its row.
    pub(crate) fn is_first(&self, panel: usize) -> bool {
        panel.is_multiple_of(self.columns)
    }

    /// The left and the upper edge of a panel.
    pub(crate) fn place(&self, panel: usize) -> (f64, f64) {
        let (row, column) = (panel / self.columns, panel % self.columns);
        let left =
            if self.columns == 1 { 0.0 } else { column as f64 * (self.width - self.panel) / (self.columns - 1) as f64 };
        (self.left + left, row as f64 * (self.height + Self::GAP))
    }

    /// The height of all rows.
    pub(crate) fn total(&self) -> f64 {
        self.rows as f64 * (self.height + Self::GAP) - Self::GAP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_fill_rows_from_the_left_and_end_at_the_right_edge() {
        let grid = Grid::of(Layout::Wide, 5, 3, (0.0, 100.0));
        assert_eq!((grid.columns, grid.total()), (3, 230.0));
        assert_eq!(grid.place(0), (0.0, 0.0));
        assert!((grid.place(2).0 + grid.panel - Layout::Wide.width()).abs() < 1e-9);
        assert_eq!(grid.place(3), (0.0, 130.0));
    }

    #[test]
    fn one_panel_is_as_wide_as_the_picture_and_four_are_two_by_two() {
        assert_eq!(Grid::of(Layout::Wide, 1, 3, (0.0, 100.0)).panel, Layout::Wide.width());
        assert_eq!(Grid::of(Layout::Wide, 4, 3, (0.0, 100.0)).columns, 2);
        assert_eq!(Grid::of(Layout::Wide, 2, 3, (0.0, 100.0)).columns, 2);
    }

    #[test]
    fn panels_of_equal_width_stand_right_of_a_shared_margin() {
        let grid = Grid::of(Layout::Wide, 3, 3, (40.0, 100.0));
        assert_eq!((grid.place(0), grid.is_first(0), grid.is_first(1)), ((40.0, 0.0), true, false));
        assert!((grid.place(2).0 + grid.panel - Layout::Wide.width()).abs() < 1e-9);
    }

    #[test]
    fn a_phone_shows_few_panels_beneath_each_other_and_many_in_pairs() {
        assert_eq!(Grid::of(Layout::Narrow, 4, 3, (0.0, 100.0)).columns, 1);
        assert_eq!(Grid::of(Layout::Narrow, 12, 3, (0.0, 100.0)).columns, 2);
    }
}
