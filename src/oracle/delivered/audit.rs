//! Whether drawn orders look drawn, taken from what was delivered.
//!
//! | test | what it finds |
//! |---|---|
//! | different orders | a generator that repeats itself |
//! | inversions, and their spread | orders that are sorted in part, or mirrored |
//! | agreements: the same delta at the same position in two orders | a position that always delivers the same, or the same few |
//! | positions of every delta, in eight parts of the order | a delta that always arrives early, late, or in the middle |
//! | ascents: neighbours that ascend; and even permutations; both in orders that are looked at as a whole | pairs in order; half of all orders never drawn |
//! | residues: position modulo 8 × delta modulo 8 | positions that prefer deltas of one residue |
//! | spread of each order, and of all together: parts of the order × parts of the deltas | an order that is a lattice or runs of neighbours; positions that prefer some deltas |
//!
//! Orders that are drawn as they should be are rejected with a probability below one in 10^8: each limit is where chance
//! comes with a probability of about 10^-10 to 10^-9, by the tail of the distribution that the statistic has under
//! independent, equally likely orders, or by a bound on it.
//!
//! Knows: what chance gives. Must not: know where the orders come from.

use std::collections::BTreeMap;

use crate::domain::explorer::Audit;

/// Standard deviations that chance is granted where a statistic is close to normal: a normal variable is further off once
/// in five hundred million times.
const GRANTED: f64 = 6.0;

/// Minus the logarithm of the probability that chance is granted elsewhere: 10^-10.
const LOG_GRANTED: f64 = 23.0;

/// From so many deltas on orders are looked at in parts: a part of the order then delivers at least four deltas of each
/// part of the deltas.
const IN_PARTS_FROM: u64 = 64;

/// What is noted of drawn orders while they are delivered.
pub struct Auditor {
    deltas: u64,
    orders: u64,
    alike: BTreeMap<u128, u64>,
    /// What each order delivered at the positions that are looked at.
    looked_at: Vec<Vec<u32>>,
    /// How often each delta arrived in each part: all deltas for the first part, then for the second, …
    arrivals: Vec<u8>,
    parts: Parts,
    /// Every so many-th delta is noted, a power of two.
    every: u32,
    places: Option<Places>,
    residues: Option<Residues>,
}

/// Nearly equal parts of `0..n`.
#[derive(Clone, Copy)]
struct Parts {
    of: u64,
    number: u64,
    /// Parts per number, in units of 2^-32.
    factor: u64,
}

impl Parts {
    fn new(of: u64, number: u64) -> Self {
        Parts { of, number, factor: (number << 32) / of }
    }

    #[inline]
    fn part(self, number: u64) -> u64 {
        (number * self.factor) >> 32
    }

    fn start(self, part: u64) -> u64 {
        if part >= self.number { self.of } else { (part << 32).div_ceil(self.factor).min(self.of) }
    }

    fn size(self, part: u64) -> f64 {
        (self.start(part + 1) - self.start(part)) as f64
    }

    /// Cuts what is delivered from this position on where a part ends.
    fn cut(self, first: u64, indices: &[u32], mut each: impl FnMut(u64, &[u32])) {
        let (mut position, mut rest) = (first, indices);
        while !rest.is_empty() {
            let part = self.part(position);
            let length = (self.start(part + 1) - position).min(rest.len() as u64) as usize;
            each(part, &rest[..length]);
            position += length as u64;
            rest = &rest[length..];
        }
    }
}

/// Tables of parts of the order × parts of the deltas.
struct Places {
    parts: Parts,
    /// Of the order on its way.
    order: Vec<u64>,
    /// Of all orders.
    all: Vec<u64>,
    /// The sum of what the orders' own tables come to.
    sum: f64,
}

impl Places {
    fn new(deltas: u64) -> Self {
        let parts = Parts::new(deltas, (deltas.isqrt() / 2).clamp(4, 16));
        let cells = (parts.number * parts.number) as usize;
        Places { parts, order: vec![0; cells], all: vec![0; cells], sum: 0.0 }
    }

    fn deliver(&mut self, first: u64, indices: &[u32]) {
        let Places { parts, order, .. } = self;
        parts.cut(first, indices, |part, indices| {
            let row = &mut order[(part * parts.number) as usize..][..parts.number as usize];
            indices.iter().for_each(|&index| row[parts.part(index.into()) as usize] += 1);
        });
    }

    fn end(&mut self) {
        self.sum += self.chi_square(&self.order, 1);
        for (all, order) in self.all.iter_mut().zip(&mut self.order) {
            *all += std::mem::take(order);
        }
    }

    /// Pearson's chi-square of so many orders' table.
    fn chi_square(&self, table: &[u64], orders: u64) -> f64 {
        let Parts { of, number, .. } = self.parts;
        let sizes: Vec<f64> = (0..number).map(|part| self.parts.size(part)).collect();
        let cells = sizes.iter().flat_map(|row| sizes.iter().map(move |column| row * column));
        let expected = cells.map(|product| product * orders as f64 / of as f64);
        table.iter().zip(expected).map(|(&seen, expected)| (seen as f64 - expected).powi(2) / expected).sum()
    }

    /// How far the sum of so many independent chi-squares is from its mean, in standard deviations, and its degrees of
    /// freedom. Under permutations the mean of each is (B-1)^2 n/(n-1) (Cramér, Mathematical Methods of Statistics,
    /// section 30.5, for tables with given margins).
    fn off_by(&self, sum: f64, tables: u64) -> (f64, f64) {
        let freedom = tables as f64 * ((self.parts.number - 1) as f64).powi(2);
        let n = self.parts.of as f64;
        ((sum - freedom * n / (n - 1.0)) / (2.0 * freedom).sqrt(), freedom)
    }
}

/// Residues that are looked at.
const RESIDUES: u64 = 8;

/// How often positions of each residue delivered deltas of each residue, in all orders together.
struct Residues {
    of: u64,
    table: [u64; (RESIDUES * RESIDUES) as usize],
}

impl Residues {
    fn new(of: u64) -> Self {
        Residues { of, table: [0; (RESIDUES * RESIDUES) as usize] }
    }

    fn deliver(&mut self, first: u64, indices: &[u32]) {
        for (position, &index) in (first..).zip(indices) {
            self.table[(position % RESIDUES * RESIDUES + u64::from(index) % RESIDUES) as usize] += 1;
        }
    }

    fn rejected(&self, orders: u64) -> Option<String> {
        let size = |residue: u64| ((self.of + RESIDUES - 1 - residue) / RESIDUES) as f64;
        let cells = (0..RESIDUES).flat_map(|row| (0..RESIDUES).map(move |column| size(row) * size(column)));
        let expected = cells.map(|product| product * orders as f64 / self.of as f64);
        let sum: f64 = self.table.iter().zip(expected).map(|(&seen, of)| (seen as f64 - of).powi(2) / of).sum();
        let freedom = ((RESIDUES - 1) * (RESIDUES - 1)) as f64;
        let n = self.of as f64;
        let off_by = (sum - freedom * n / (n - 1.0)) / (2.0 * freedom).sqrt();
        is_far(off_by, freedom).then(|| {
            format!(
                "positions of one residue modulo {RESIDUES} prefer deltas of some residues in {orders} drawn orders, by \
                 {:.1} standard deviations",
                off_by.abs()
            )
        })
    }
}

/// Whether a chi-square variable with so many degrees of freedom is further from its mean than chance is granted, in
/// standard deviations: the bounds of Laurent and Massart ("Adaptive Estimation of a Quadratic Functional by Model
/// Selection", Annals of Statistics 28(5), 2000, lemma 1).
fn is_far(off_by: f64, freedom: f64) -> bool {
    let below = (2.0 * LOG_GRANTED).sqrt();
    off_by > below + LOG_GRANTED * (2.0 / freedom).sqrt() || off_by < -below
}

/// The positions to look at in an order of so many deltas. A random order has at any of its positions a random order of
/// what they deliver.
fn positions(deltas: u64) -> impl Iterator<Item = u64> {
    let looked_at = Audit::POSITIONS.min(deltas);
    (0..looked_at).map(move |place| (u128::from(place) * u128::from(deltas) / u128::from(looked_at)) as u64)
}

impl Auditor {
    /// Of orders of so many deltas, of which none has come.
    pub fn new(deltas: u64) -> Self {
        let parts = Parts::new(deltas, Audit::PARTS.min(deltas));
        let every = deltas.div_ceil(Audit::DELTAS).next_power_of_two() as u32;
        let noted = deltas.div_ceil(every.into());
        Auditor {
            deltas,
            orders: 0,
            alike: BTreeMap::new(),
            looked_at: Vec::new(),
            arrivals: vec![0; (noted * parts.number) as usize],
            parts,
            every,
            places: (deltas >= IN_PARTS_FROM).then(|| Places::new(deltas)),
            residues: (deltas >= IN_PARTS_FROM).then(|| Residues::new(deltas)),
        }
    }

    /// Whether it looks at the next order too.
    pub fn takes_more(&self) -> bool {
        self.orders < Audit::ORDERS
    }

    /// An order begins.
    pub fn begin(&mut self) {
        self.looked_at.push(Vec::with_capacity(Audit::POSITIONS.min(self.deltas) as usize));
    }

    /// Notes what the positions from `first` on deliver.
    pub fn deliver(&mut self, first: u64, indices: &[u32]) {
        let looked_at = self.looked_at.last_mut().expect("an order has begun");
        let end = first + indices.len() as u64;
        let next = positions(self.deltas).skip(looked_at.len());
        looked_at.extend(next.take_while(|&position| position < end).map(|p| indices[(p - first) as usize]));
        let noted = self.deltas.div_ceil(self.every.into()) as usize;
        let (arrivals, every, shift) = (&mut self.arrivals, self.every, self.every.trailing_zeros());
        self.parts.cut(first, indices, |part, indices| {
            let arrivals = &mut arrivals[part as usize * noted..][..noted];
            for index in indices {
                if index & (every - 1) == 0 {
                    arrivals[(index >> shift) as usize] += 1;
                }
            }
        });
        if let Some(places) = &mut self.places {
            places.deliver(first, indices);
        }
        if let Some(residues) = &mut self.residues {
            residues.deliver(first, indices);
        }
    }

    /// The order has ended, and this is its identity.
    pub fn end(&mut self, identity: u128) {
        self.orders += 1;
        *self.alike.entry(identity).or_default() += 1;
        if let Some(places) = &mut self.places {
            places.end();
        }
    }

    /// What the orders look like.
    pub fn audit(&self) -> Audit {
        let inversions = self.inversions();
        let agreements = self.agreements();
        let spread = self.places.as_ref().map(|places| places.off_by(places.sum, self.orders));
        let together = self.places.as_ref().filter(|_| self.orders > 0);
        let together = together.map(|places| places.off_by(places.chi_square(&places.all, self.orders.max(1)), 1));
        let reasons = [
            self.rejected_as_alike(),
            inversions.rejected(self.orders),
            agreements.rejected(self.orders),
            self.rejected_by_parts(),
            self.rejected_by_ascents(),
            self.rejected_by_parity(),
            self.residues.as_ref().filter(|_| self.orders > 0).and_then(|residues| residues.rejected(self.orders)),
            rejected_by_spread("each of", self.orders, spread),
            rejected_by_spread("all of", self.orders, together),
        ];
        let thousandths = |off_by: f64| (off_by * 1000.0).round() as i64;
        Audit {
            orders: self.orders,
            distinct: self.alike.len() as u64,
            positions: Audit::POSITIONS.min(self.deltas),
            inversions_off_by: thousandths(inversions.off_by),
            agreements: agreements.number,
            agreements_off_by: thousandths(agreements.off_by),
            deltas: self.deltas.div_ceil(self.every.into()),
            most_in_one_part: self.arrivals.iter().copied().max().unwrap_or(0).into(),
            spread_off_by: spread.map(|(off_by, _)| thousandths(off_by)),
            places_off_by: together.map(|(off_by, _)| thousandths(off_by)),
            rejected: reasons.into_iter().flatten().next(),
        }
    }

    fn rejected_as_alike(&self) -> Option<String> {
        let k = self.orders as f64;
        let pairs_alike: f64 = self.alike.values().map(|&times| times as f64 * (times - 1) as f64 / 2.0).sum();
        // Of k(k-1)/2 pairs each is alike by chance once in as many times as there are orders; that number of pairs is
        // close to Poisson's where it is small, and the eight more allow for its heavier tail.
        let there_are: f64 = (1..=self.deltas.min(200)).map(|factor| factor as f64).product();
        let expected = k * (k - 1.0) / 2.0 / there_are;
        let too_many = pairs_alike > expected + GRANTED * expected.sqrt() + 8.0;
        (too_many || (pairs_alike > 0.0 && expected < 1e-9)).then(|| {
            format!(
                "{} drawn orders hold only {} different ones: {pairs_alike} pairs are alike, and chance gives {expected:.1}",
                self.orders,
                self.alike.len()
            )
        })
    }

    /// The orders, where all of each is looked at.
    fn whole_orders(&self) -> &[Vec<u32>] {
        if self.deltas <= Audit::POSITIONS && self.deltas > 1 { &self.looked_at } else { &[] }
    }

    /// Mean (n-1)/2 and variance (n+1)/12 (Knuth, TAOCP 3, section 5.1.3: Eulerian numbers).
    fn rejected_by_ascents(&self) -> Option<String> {
        let n = self.deltas as f64;
        let ascents = |order: &Vec<u32>| order.windows(2).filter(|two| two[0] < two[1]).count();
        let sum: usize = self.whole_orders().iter().map(ascents).sum();
        let k = self.whole_orders().len() as f64;
        let off_by = (sum as f64 - k * (n - 1.0) / 2.0) / (k * (n + 1.0) / 12.0).sqrt();
        (k > 0.0 && off_by.abs() > GRANTED).then(|| {
            format!(
                "neighbours ascend {sum} times in {} drawn orders, {off_by:.1} standard deviations from the mean",
                self.orders
            )
        })
    }

    /// Half of all orders are even permutations.
    fn rejected_by_parity(&self) -> Option<String> {
        let orders = self.whole_orders();
        let even = orders.iter().filter(|order| is_even(order)).count() as u64;
        let of = orders.len() as u64;
        let most = even.max(of - even);
        (of > 0 && most > most_by_chance(of, 0.5, -LOG_GRANTED)).then(|| {
            let which = if even == most { "even" } else { "odd" };
            format!("{most} of {of} drawn orders are {which} permutations, and half of all orders are")
        })
    }

    fn inversions(&self) -> Inversions {
        // Mean n(n-1)/4 and variance n(n-1)(2n+5)/72 (Knuth, TAOCP 3, section 5.1.1).
        let n = Audit::POSITIONS.min(self.deltas) as f64;
        let (mean, variance) = (n * (n - 1.0) / 4.0, n * (n - 1.0) * (2.0 * n + 5.0) / 72.0);
        if self.orders == 0 || n < 2.0 {
            return Inversions { off_by: 0.0, spread: 0.0 };
        }
        let (mut sum, mut sum_of_squares) = (0.0, 0.0);
        for order in &self.looked_at {
            let inverted =
                |(place, index): (usize, &u32)| order[place + 1..].iter().filter(|later| *later < index).count();
            let inversions: usize = order.iter().enumerate().map(inverted).sum();
            let off_by = (inversions as f64 - mean) / variance.sqrt();
            sum += off_by;
            sum_of_squares += off_by * off_by;
        }
        let k = self.orders as f64;
        // The squares have mean k and at most the variance of a normal variable's, 2k: an order has lighter tails.
        Inversions { off_by: sum / k.sqrt(), spread: (sum_of_squares - k) / (2.0 * k).sqrt() }
    }

    fn agreements(&self) -> Agreements {
        let (n, m) = (self.deltas as f64, Audit::POSITIONS.min(self.deltas) as f64);
        let pairs = self.orders as f64 * (self.orders as f64 - 1.0) / 2.0;
        let mut number = 0;
        for place in 0..m as usize {
            let mut delivered: Vec<u32> = self.looked_at.iter().filter_map(|order| order.get(place)).copied().collect();
            delivered.sort_unstable();
            let same = delivered.chunk_by(|one, other| one == other).map(|same| same.len() as u64);
            number += same.map(|times| times * (times - 1) / 2).sum::<u64>();
        }
        // Two independent orders agree at as many of m positions as a random order has fixed points there: mean m/n. Any
        // two pairs of orders do so independently.
        let mean = m / n;
        let variance = if n > 1.0 { m * (m - 1.0) / (n * (n - 1.0)) + mean - mean * mean } else { 0.0 };
        let deviation = (pairs * variance).sqrt();
        let off_by = if deviation > 0.0 { (number as f64 - pairs * mean) / deviation } else { 0.0 };
        Agreements { number, expected: pairs * mean, off_by, freedom: (m - 1.0).powi(2) }
    }

    /// Whether a delta arrives in one part of the order more often than chance lets any delta arrive in any part. How
    /// often one arrives in one part has a binomial distribution, whose exact tail is compared.
    fn rejected_by_parts(&self) -> Option<String> {
        let noted = self.deltas.div_ceil(self.every.into());
        let cells = (noted * self.parts.number) as f64;
        (0..self.parts.number).find_map(|part| {
            let share = self.parts.size(part) / self.deltas as f64;
            let allowed = most_by_chance(self.orders, share, -LOG_GRANTED - cells.ln());
            let arrivals = &self.arrivals[(part * noted) as usize..][..noted as usize];
            let (delta, times) = arrivals.iter().enumerate().max_by_key(|(_, times)| **times)?;
            (u64::from(*times) > allowed).then(|| {
                format!(
                    "delta {} arrives in part {} of {} of the order in {times} of {} drawn orders, and chance lets none \
                     arrive in one part in more than {allowed}",
                    delta as u64 * u64::from(self.every),
                    part + 1,
                    self.parts.number,
                    self.orders
                )
            })
        })
    }
}

/// Whether a permutation takes an even number of exchanges: as many as it has deltas less its cycles.
fn is_even(order: &[u32]) -> bool {
    let (mut seen, mut exchanges) = (vec![false; order.len()], 0);
    for start in 0..order.len() {
        let mut at = start;
        while !std::mem::replace(&mut seen[at], true) {
            at = order[at] as usize;
            exchanges += usize::from(at != start);
        }
    }
    exchanges % 2 == 0
}

/// The most successes in so many trials that are not rarer than the logarithm of a probability allows.
fn most_by_chance(trials: u64, share: f64, log_allowed: f64) -> u64 {
    if share >= 1.0 {
        return trials;
    }
    let (yes, no) = (share.ln(), (1.0 - share).ln());
    // From all successes down: the logarithm of the probability of exactly so many, and the sum of those above.
    let (mut log_exactly, mut at_least) = (trials as f64 * yes, 0.0);
    for successes in (1..=trials).rev() {
        at_least += f64::exp(log_exactly);
        if at_least.ln() > log_allowed {
            return successes;
        }
        log_exactly += (successes as f64).ln() - ((trials - successes + 1) as f64).ln() + no - yes;
    }
    0
}

struct Inversions {
    off_by: f64,
    spread: f64,
}

impl Inversions {
    fn rejected(&self, orders: u64) -> Option<String> {
        let Inversions { off_by, spread } = self;
        if off_by.abs() > GRANTED {
            Some(format!("the inversions of {orders} drawn orders are {off_by:.1} standard deviations from their mean"))
        } else if spread.abs() > GRANTED + 2.0 {
            Some(format!("the inversions of {orders} drawn orders vary as those of random ones do not"))
        } else {
            None
        }
    }
}

struct Agreements {
    number: u64,
    expected: f64,
    off_by: f64,
    freedom: f64,
}

impl Agreements {
    /// The sum over the pairs is a chi-square variable in the limit of many orders, and close to Poisson's for many deltas:
    /// more than both allow is too much. Fewer than chance gives are as suspect.
    fn rejected(&self, orders: u64) -> Option<String> {
        let Agreements { number, expected, off_by, freedom } = *self;
        let seen = number as f64;
        // Chernoff's bound on the upper tail of Poisson's distribution.
        let beyond_poisson =
            expected > 0.0 && seen > expected && seen * (seen / expected).ln() - seen + expected > LOG_GRANTED;
        let rejected = freedom > 0.0 && is_far(off_by, freedom) && (off_by < 0.0 || beyond_poisson);
        rejected.then(|| {
            format!(
                "{orders} drawn orders deliver the same delta at the same position {number} times, two at a time, and chance \
                 gives {expected:.1}"
            )
        })
    }
}

fn rejected_by_spread(which: &str, orders: u64, off_by: Option<(f64, f64)>) -> Option<String> {
    let (off_by, freedom) = off_by?;
    is_far(off_by, freedom).then(|| {
        let how = if off_by > 0.0 { "less" } else { "more" };
        format!(
            "{which} {orders} drawn orders spread parts of the deltas over the order {how} evenly than chance does, by \
             {:.1} standard deviations",
            off_by.abs()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;
    use crate::oracle::delivered::identity::Identity;

    fn audited(orders: impl IntoIterator<Item = Vec<u32>>) -> Audit {
        auditor(orders).audit()
    }

    fn auditor(orders: impl IntoIterator<Item = Vec<u32>>) -> Auditor {
        let mut orders = orders.into_iter().peekable();
        let mut auditor = Auditor::new(orders.peek().expect("there are orders").len() as u64);
        for order in orders {
            auditor.begin();
            // In parts, as deliveries come.
            let cut = order.len() / 3;
            auditor.deliver(0, &order[..cut]);
            auditor.deliver(cut as u64, &order[cut..]);
            let mut identity = Identity::new(order.len() as u64);
            identity.deliver(&order);
            auditor.end(identity.finish());
        }
        auditor
    }

    fn rejected(orders: impl IntoIterator<Item = Vec<u32>>) -> String {
        audited(orders).rejected.expect("it is no random stream")
    }

    fn shuffled(deltas: u32, seed: u64, number: u64) -> Vec<u32> {
        let mut order: Vec<u32> = (0..deltas).collect();
        Seed::new(seed).stream("audit").member(number).shuffle(&mut order);
        order
    }

    #[test]
    fn streams_that_are_not_random_are_rejected_with_the_reason() {
        let given: Vec<u32> = (0..64).collect();
        let shuffled = |number: u64| shuffled(64, 7, number);
        let rotated = |by: usize| [&given[by..], &given[..by]].concat();
        let half_sorted = |number: u64| {
            let mut order = shuffled(number);
            order[..40].sort_unstable();
            order
        };
        // Every order and its mirror image: the mean is right and nothing else.
        let mirrored =
            |number: u64| if number.is_multiple_of(2) { given.clone() } else { given.iter().rev().copied().collect() };
        let one_twice = (0..64).map(|number| shuffled(number % 63));
        // One order, begun at another place every time: no two agree anywhere.
        let begun = |number: u64| {
            let mut order = shuffled(0);
            order.rotate_left(number as usize);
            order
        };
        insta::assert_debug_snapshot!([
            rejected(vec![shuffled(3); 64]),
            rejected(vec![given.clone(); 64]),
            rejected(one_twice),
            rejected((0..64).map(half_sorted)),
            rejected((0..64).map(|by| rotated(by / 4))),
            rejected((0..64).map(mirrored)),
            rejected(vec![vec![2, 0, 1, 3, 4]; 64]),
            rejected((0..64).map(begun)),
        ]);
        assert_eq!(audited((0..64).map(shuffled)).rejected, None);
    }

    #[test]
    fn even_permutations_alone_ascending_pairs_and_positions_that_prefer_residues_are_found() {
        for deltas in [12, 20, 64, 256] {
            let even = |number: u64| {
                let mut order = shuffled(deltas, 7, number);
                if !is_even(&order) {
                    order.swap(0, 1);
                }
                order
            };
            let reason = auditor((0..64).map(even)).rejected_by_parity().expect("no odd one is drawn");
            assert!(reason.starts_with("64 of 64 drawn orders are even"), "{deltas}: {reason}");
            let pairs = |number: u64| {
                let mut order = shuffled(deltas, 7, number);
                order.chunks_mut(2).for_each(|pair| pair.sort_unstable());
                order
            };
            let ascending = auditor((0..64).map(pairs));
            assert!(ascending.rejected_by_ascents().is_some() && ascending.audit().rejected.is_some(), "{deltas}");
        }
        for deltas in [64, 1024, 65_537] {
            let by_parity = |number: u64| {
                let shuffled = shuffled(deltas, 7, number);
                let (even, odd): (Vec<u32>, Vec<u32>) = shuffled.iter().partition(|&&index| index % 2 == 0);
                let (mut even, mut odd) = (even.into_iter(), odd.into_iter());
                (0..deltas).filter_map(|at| if at % 2 == 0 { even.next() } else { odd.next() }).collect::<Vec<u32>>()
            };
            let by_parity = auditor((0..16).map(by_parity));
            let reason = by_parity.residues.as_ref().and_then(|residues| residues.rejected(16));
            assert!(reason.is_some() && by_parity.audit().rejected.is_some(), "{deltas}");
        }
    }

    #[test]
    fn a_permutation_is_even_if_it_takes_an_even_number_of_exchanges() {
        let cases: [(&[u32], bool); 5] =
            [(&[0], true), (&[1, 0], false), (&[1, 2, 0], true), (&[3, 2, 1, 0], true), (&[1, 2, 3, 0], false)];
        cases.into_iter().for_each(|(order, even)| assert_eq!(is_even(order), even, "{order:?}"));
    }

    /// A delta is moved to a place in orders that are drawn as they should be otherwise.
    fn with_delta_at(deltas: u32, delta: u32, place: usize, number: u64) -> Vec<u32> {
        let mut order = shuffled(deltas, 7, number);
        let at = order.iter().position(|&other| other == delta).expect("it is there");
        order.swap(at, place);
        order
    }

    #[test]
    fn one_delta_that_always_comes_at_the_same_place_is_found_at_every_length_and_place() {
        for deltas in [5, 8, 20, 21, 64, 256, 4096, 65_537] {
            for place in [0, deltas as usize / 2, deltas as usize - 1] {
                let orders = (0..64).map(|number| with_delta_at(deltas, 0, place, number));
                let reason = rejected(orders);
                // In orders of a few deltas the inversions may tell first. The last position of many deltas is not looked at by
                // itself.
                let told = ["at the same position", "delta 0 arrives in part 8 of 8"].map(|told| reason.contains(told));
                assert!(deltas <= 21 || told.contains(&true), "{deltas}: {reason}");
            }
        }
        // In the middle of a long order, at no position that is looked at, and nearly always.
        let nearly = (0..64).map(|number| with_delta_at(65_537, 12_345, 40_000 + 7 * number as usize, number));
        assert!(rejected(nearly).starts_with("delta 12345 arrives in part 5 of 8 of the order in 6"));
        // With few orders a first position that never changes is still found.
        assert!(rejected((0..6).map(|number| with_delta_at(65_537, 0, 0, number))).contains("same position"));
    }

    /// One round of "add, multiply, xor-shift" on the positions, and those outside sent round again.
    fn keyed_once(deltas: u32, number: u64) -> Vec<u32> {
        let mut stream = Seed::new(7).stream("audit").member(number);
        let bits = u32::BITS - (deltas - 1).leading_zeros();
        let (add, multiply) = (stream.word(), stream.word() | 1);
        let once = |x: u64| {
            let x = x.wrapping_add(add).wrapping_mul(multiply) & ((1 << bits) - 1);
            x ^ x >> (bits / 2)
        };
        let index = |position: u32| {
            std::iter::successors(Some(once(position.into())), |&x| Some(once(x))).find(|&x| x < deltas.into())
        };
        (0..deltas).map(|position| index(position).expect("it comes back") as u32).collect()
    }

    #[test]
    fn keyed_orders_of_one_round_are_found() {
        for deltas in [256, 1024, 4097, 16_384, 65_537] {
            let reason = rejected((0..64).map(|number| keyed_once(deltas, number)));
            eprintln!("{deltas}: {reason}");
        }
    }

    #[test]
    fn orders_as_chance_gives_them_pass_at_every_length() {
        for deltas in [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 20, 21, 30, 63, 64, 65, 100, 256, 257] {
            for seed in 0..200 {
                for orders in [4, 64] {
                    let audit = audited((0..orders).map(|number| shuffled(deltas, seed, number)));
                    assert_eq!(audit.rejected, None, "{deltas} deltas, seed {seed}");
                }
            }
        }
        for seed in 0..3 {
            assert_eq!(audited((0..64).map(|number| shuffled(65_537, seed, number))).rejected, None);
        }
    }

    #[test]
    fn the_statistics_have_the_mean_and_the_deviation_that_their_limits_take_for_granted() {
        for deltas in [16, 64, 300, 1024] {
            let audits: Vec<Audit> =
                (0..300).map(|seed| audited((0..32).map(|number| shuffled(deltas, 1000 + seed, number)))).collect();
            let of = |value: fn(&Audit) -> i64| {
                let values: Vec<f64> = audits.iter().map(|audit| value(audit) as f64 / 1000.0).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
            };
            let all: [fn(&Audit) -> i64; 4] = [
                |audit| audit.inversions_off_by,
                |audit| audit.agreements_off_by,
                |audit| audit.spread_off_by.unwrap_or(0),
                |audit| audit.places_off_by.unwrap_or(0),
            ];
            for (which, value) in all.into_iter().enumerate().take(if deltas < 64 { 2 } else { 4 }) {
                let (mean, deviation) = of(value);
                assert!(mean.abs() < 0.25 && (0.8..1.2).contains(&deviation), "{deltas}, {which}: {mean}, {deviation}");
            }
        }
    }

    #[test]
    fn the_most_successes_by_chance_are_those_of_the_binomial_distribution() {
        // Of 10 fair coins all show heads once in 1024, nine or more 11 times.
        assert_eq!(most_by_chance(10, 0.5, (1.0f64 / 1024.0).ln() + 1e-9), 9);
        assert_eq!(most_by_chance(10, 0.5, (11.0f64 / 1024.0).ln() + 1e-9), 8);
        assert_eq!(most_by_chance(3, 0.125, -40.0), 3);
    }

    #[test]
    fn the_positions_are_spread_over_the_order() {
        assert!(positions(5).eq(0..5));
        assert_eq!(positions(u64::from(u32::MAX)).last(), Some(4_278_190_079));
        assert_eq!(positions(u64::MAX).count(), 256);
    }
}
