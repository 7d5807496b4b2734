//! Which ordered tuples of deltas were delivered, counted in the orders that were.
//!
//! Knows: orders. Must not: know how a family that should hold every tuple is made.

/// One bit for every tuple: the number whose digits to the base n are the deltas, the first delivered the highest.
pub struct Tuples {
    deltas: u64,
    strength: u32,
    seen: Vec<u64>,
}

/// The ordered tuples of distinct deltas that there are: n (n - 1) ... (n - T + 1).
pub fn all(deltas: u64, strength: u32) -> u64 {
    (0..u64::from(strength)).map(|taken| deltas.saturating_sub(taken)).product()
}

impl Tuples {
    /// None so far.
    pub fn none(deltas: u64, strength: u32) -> Self {
        Tuples { deltas, strength, seen: vec![0; deltas.pow(strength).div_ceil(64) as usize] }
    }

    /// Their length.
    pub fn strength(&self) -> u32 {
        self.strength
    }

    /// Adds every tuple that this order delivers, whatever comes in between.
    pub fn add(&mut self, order: &[u32]) {
        // The places of a tuple's deltas, advanced like an odometer whose digits increase.
        let length = self.strength as usize;
        if order.len() < length {
            return;
        }
        let mut places: Vec<usize> = (0..length).collect();
        loop {
            // All tuples that share their deltas but the last.
            let stem =
                places[..length - 1].iter().fold(0, |number, &place| number * self.deltas + u64::from(order[place]));
            for &last in &order[places[length - 1]..] {
                let tuple = stem * self.deltas + u64::from(last);
                self.seen[(tuple / 64) as usize] |= 1 << (tuple % 64);
            }
            let Some(digit) = (0..length - 1).rev().find(|&digit| places[digit] < order.len() - length + digit) else {
                return;
            };
            places[digit] += 1;
            for next in digit + 1..length {
                places[next] = places[next - 1] + 1;
            }
        }
    }

    /// How many differ.
    pub fn number(&self) -> u64 {
        self.seen.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tuples_of_an_order_are_counted_whatever_comes_in_between() {
        let counted = |orders: &[&[u32]], strength| {
            let mut tuples = Tuples::none(4, strength);
            orders.iter().for_each(|order| tuples.add(order));
            tuples.number()
        };
        assert_eq!(counted(&[&[2, 0, 3, 1]], 2), 6);
        assert_eq!(counted(&[&[2, 0, 3, 1]], 3), 4);
        assert_eq!(counted(&[&[2, 0, 3, 1]], 4), 1);
        assert_eq!(counted(&[&[2, 0, 3, 1], &[1, 3, 0, 2]], 2), all(4, 2));
        assert_eq!(counted(&[&[2, 0, 3, 1], &[2, 0, 1, 3]], 3), 6);
        assert_eq!((all(64, 3), all(4, 4)), (249_984, 24));
    }
}
