//! Linear algebra over GF(2), on vectors of 64-bit words.

/// A set of columns, brought to echelon form as they are added; each remembers which columns it is the sum of.
pub struct Basis {
    rows: Vec<Row>,
    columns: usize,
    null_space: Vec<Vec<usize>>,
}

struct Row {
    pivot: usize,
    vector: Vec<u64>,
    members: Vec<usize>,
}

impl Basis {
    /// The basis of these columns, which all have the same length.
    pub fn of<'a>(columns: impl IntoIterator<Item = &'a [u64]>) -> Self {
        let mut basis = Basis { rows: Vec::new(), columns: 0, null_space: Vec::new() };
        for column in columns {
            basis.add(column);
        }
        basis
    }

    fn add(&mut self, column: &[u64]) {
        let (vector, mut members) = self.reduce(column);
        toggle(&mut members, self.columns);
        match first_one(&vector) {
            Some(pivot) => self.rows.push(Row { pivot, vector, members }),
            None => self.null_space.push(members),
        }
        self.columns += 1;
    }

    /// What is left of `target` after the rows, and the columns that were taken from it.
    fn reduce(&self, target: &[u64]) -> (Vec<u64>, Vec<usize>) {
        let mut rest = target.to_vec();
        let mut members = Vec::new();
        for row in &self.rows {
            if rest[row.pivot / 64] >> (row.pivot % 64) & 1 == 1 {
                rest.iter_mut().zip(&row.vector).for_each(|(word, other)| *word ^= other);
                row.members.iter().for_each(|&member| toggle(&mut members, member));
            }
        }
        (rest, members)
    }

    /// How many columns are independent.
    pub fn rank(&self) -> usize {
        self.rows.len()
    }

    /// Sets of columns that add up to nothing, of which every other such set is a sum; columns are named by the order
    /// in which they were given.
    pub fn null_space(&self) -> &[Vec<usize>] {
        &self.null_space
    }

    /// A set of columns that adds up to `target`, if there is one.
    pub fn solve(&self, target: &[u64]) -> Option<Vec<usize>> {
        let (rest, mut members) = self.reduce(target);
        members.sort_unstable();
        first_one(&rest).is_none().then_some(members)
    }
}

fn first_one(vector: &[u64]) -> Option<usize> {
    let word = vector.iter().position(|&word| word != 0)?;
    Some(word * 64 + vector[word].trailing_zeros() as usize)
}

fn toggle(members: &mut Vec<usize>, member: usize) {
    match members.iter().position(|&m| m == member) {
        Some(place) => drop(members.swap_remove(place)),
        None => members.push(member),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(columns: &[Vec<u64>], members: &[usize]) -> Vec<u64> {
        let mut sum = vec![0; columns[0].len()];
        for &member in members {
            sum.iter_mut().zip(&columns[member]).for_each(|(word, other)| *word ^= other);
        }
        sum
    }

    proptest! {
        #[test]
        fn rank_and_null_space_agree_with_counting_all_subsets(
            columns in proptest::collection::vec(proptest::collection::vec(0..8u64, 2), 1..9),
        ) {
            let basis = Basis::of(columns.iter().map(Vec::as_slice));
            let subsets = 1u32 << columns.len();
            let members = |set: u32| (0..columns.len()).filter(|&c| set >> c & 1 == 1).collect::<Vec<_>>();
            let zero = (0..subsets).filter(|&set| sum(&columns, &members(set)) == [0, 0]).count();
            prop_assert_eq!(zero, 1 << basis.null_space().len());
            prop_assert_eq!(basis.rank() + basis.null_space().len(), columns.len());
            for set in basis.null_space() {
                prop_assert_eq!(sum(&columns, set), [0, 0]);
            }
            for target in [[0, 0], [1, 2], [7, 0]] {
                let solvable = (0..subsets).any(|set| sum(&columns, &members(set)) == target);
                let solution = basis.solve(&target);
                prop_assert_eq!(solution.is_some(), solvable);
                if let Some(set) = solution {
                    prop_assert_eq!(sum(&columns, &set), target);
                }
            }
        }
    }
}
