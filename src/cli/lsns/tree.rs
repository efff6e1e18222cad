//! Rows in the order of a tree, and the lines that draw it.

/// A row's place in a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Which row it is.
    pub row: usize,
    /// What stands before its text.
    pub prefix: String,
    /// What stands before further lines of the same row.
    pub continued: String,
}

/// The children of each row, and the rows that have no parent, each in the order of rows.
pub struct Forest {
    pub roots: Vec<usize>,
    pub children: Vec<Vec<usize>>,
}

impl Forest {
    /// By the parent of each row. A row that is its own ancestor would be lost, so it is a root.
    pub fn new(parents: &[Option<usize>]) -> Forest {
        let mut forest = Forest { roots: Vec::new(), children: vec![Vec::new(); parents.len()] };
        for (row, parent) in parents.iter().enumerate() {
            match parent {
                Some(parent) if !loops(parents, row) => forest.children[*parent].push(row),
                _ => forest.roots.push(row),
            }
        }
        forest
    }

    /// All rows, from the roots down.
    pub fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for &root in &self.roots {
            self.place(root, "", "", &mut places);
        }
        places
    }

    fn place(&self, row: usize, own: &str, below: &str, places: &mut Vec<Place>) {
        let children = &self.children[row];
        let trunk = if children.is_empty() { "" } else { "│ " };
        places.push(Place { row, prefix: own.to_owned(), continued: format!("{below}{trunk}") });
        for (n, &child) in children.iter().enumerate() {
            let (branch, trunk) = if n + 1 < children.len() { ("├─", "│ ") } else { ("└─", "  ") };
            self.place(child, &format!("{below}{branch}"), &format!("{below}{trunk}"), places);
        }
    }
}

fn loops(parents: &[Option<usize>], row: usize) -> bool {
    let mut at = row;
    for _ in 0..parents.len() {
        match parents[at] {
            Some(parent) => at = parent,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_drawn_from_its_roots() {
        let forest = Forest::new(&[None, Some(0), Some(1), Some(0), None]);
        let drawn: Vec<String> = forest.places().iter().map(|place| format!("{}{}", place.prefix, place.row)).collect();
        assert_eq!(drawn, ["0", "├─1", "│ └─2", "└─3", "4"]);
    }

    #[test]
    fn a_loop_is_cut() {
        let forest = Forest::new(&[Some(1), Some(0)]);
        assert_eq!(forest.roots, [0, 1]);
    }
}
