//! Clocks of devices: wrong from the start, too fast or too slow, and set by their users now and then.

use crate::domain::offline::Clocks;
use crate::domain::seed::Stream;
use crate::engine::host::Time;

/// A clock.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    skew: i64,
    drift_ppm: i64,
    /// When it jumps, and by how much.
    jumps: Vec<(Time, i64)>,
}

impl Clock {
    /// A clock as wrong as these may be, over so much time.
    pub fn drawn(clocks: Clocks, lasts: Time, stream: &mut Stream) -> Self {
        let mut either_way = |most: u64| stream.below(2 * most + 1) as i64 - most as i64;
        let skew = either_way(clocks.skew_s * 1_000_000);
        let drift_ppm = either_way(clocks.drift_ppm.into());
        let jumps = (0..clocks.jumps)
            .map(|_| (either_way(lasts / 2) + (lasts / 2) as i64, either_way(clocks.jump_s * 1_000_000)));
        Clock { skew, drift_ppm, jumps: jumps.map(|(at, by)| (at.max(0) as u64, by)).collect() }
    }

    /// How often it has jumped by this time.
    pub fn jumped_until(&self, now: Time) -> u64 {
        self.jumps.iter().filter(|&&(at, by)| at <= now && by != 0).count() as u64
    }

    /// It is set: by so much from now on, and it goes so much faster, in millionths, than it should.
    pub fn set(&mut self, now: Time, by: i64, drift_ppm: i32) {
        let drifted = |ppm: i64| (i128::from(now as i64) * i128::from(ppm) / 1_000_000) as i64;
        let drift = i64::from(drift_ppm);
        self.skew += by + drifted(self.drift_ppm) - drifted(drift);
        self.drift_ppm = drift;
    }

    /// How it would be set so from an exact one: when, by how much, and how much faster it goes from then on. The first is
    /// how it is from the start.
    pub fn sets(&self) -> Vec<(Time, i64, i32)> {
        let drift_ppm = i32::try_from(self.drift_ppm).unwrap_or(i32::MAX);
        let jumps = self.jumps.iter().map(|&(at, by)| (at, by, drift_ppm));
        std::iter::once((0, self.skew, drift_ppm)).chain(jumps).collect()
    }

    /// What it shows, in microseconds.
    pub fn shows(&self, now: Time) -> i64 {
        let now_signed = now as i64;
        let jumped: i64 = self.jumps.iter().filter(|&&(at, _)| at <= now).map(|&(_, by)| by).sum();
        now_signed + self.skew + (i128::from(now_signed) * i128::from(self.drift_ppm) / 1_000_000) as i64 + jumped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_drawn_as_wrong_as_they_may_be_either_way_and_jump_as_often_as_they_should() {
        let clocks = Clocks { skew_s: 100, drift_ppm: 50, jumps: 3, jump_s: 20 };
        let lasts = 1_000_000_000;
        let mut stream = crate::domain::seed::Seed::new(1).stream("clocks");
        let drawn: Vec<Clock> = (0..200).map(|_| Clock::drawn(clocks, lasts, &mut stream)).collect();
        let reach = |values: Vec<i64>, bound: i64| {
            let (least, most) = (values.iter().min().copied(), values.iter().max().copied());
            assert!(least >= Some(-bound) && most <= Some(bound), "{least:?} to {most:?}");
            assert!(least < Some(-bound * 9 / 10) && most > Some(bound * 9 / 10), "{least:?} to {most:?}");
        };
        reach(drawn.iter().map(|clock| clock.skew).collect(), 100_000_000);
        reach(drawn.iter().map(|clock| clock.drift_ppm).collect(), 50);
        reach(drawn.iter().flat_map(|clock| &clock.jumps).map(|&(_, by)| by).collect(), 20_000_000);
        let half = lasts as i64 / 2;
        reach(drawn.iter().flat_map(|clock| &clock.jumps).map(|&(at, _)| at as i64 - half).collect(), half);
        assert!(drawn.iter().all(|clock| clock.jumps.len() == 3));
    }

    #[test]
    fn a_clock_is_off_by_its_skew_its_drift_and_its_jumps() {
        let clock = Clock { skew: 5, drift_ppm: 100, jumps: vec![(2_000_000, -50)] };
        assert_eq!(clock.shows(0), 5);
        assert_eq!(clock.shows(1_000_000), 1_000_105);
        assert_eq!(clock.shows(2_000_000), 2_000_155);
        assert_eq!(Clock::default().shows(7), 7);
    }
}
