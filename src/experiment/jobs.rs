//! Independent jobs on several threads. Outcomes come in the order of the jobs, whichever thread was first, so that a record
//! is the same for any number of threads. A job has an id that is the same in every run, by which a journal keeps its
//! outcome.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::report::journal::Journal;

/// How often the user's wish to stop is asked for while jobs run.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(20);

/// How the jobs of a run are run: on so many threads, with what a journal has of them already.
#[derive(Clone, Copy)]
pub struct Jobs<'a> {
    /// Threads among which they are shared out.
    pub threads: NonZeroUsize,
    /// The outcomes of those that ended, which takes in those of the others.
    pub journal: &'a Journal,
    /// Whether the journal must have all of them: then none is run.
    pub only_kept: bool,
}

impl<'a> Jobs<'a> {
    /// All jobs of a run, of which nothing is known.
    pub fn all(threads: NonZeroUsize, journal: &'a Journal) -> Self {
        Jobs { threads, journal, only_kept: false }
    }

    /// The same on other threads.
    pub fn on(self, threads: NonZeroUsize) -> Self {
        Jobs { threads, ..self }
    }

    /// The outcome of one job, which is run here unless it has ended before. Where it fails, what it came to until then is
    /// given beside the reason, and not kept.
    ///
    /// # Errors
    /// If the journal cannot be used.
    pub fn one<T: Serialize + DeserializeOwned>(
        &self,
        id: &str,
        job: impl FnOnce() -> (T, Result<(), SubjectError>),
    ) -> Result<(T, Result<(), SubjectError>), SubjectError> {
        if let Some(outcome) = self.kept(id)? {
            return Ok((outcome, Ok(())));
        }
        let (outcome, ended) = job();
        if ended.is_ok() {
            self.keep(id, &outcome)?;
        }
        Ok((outcome, ended))
    }

    /// Whether only a part of the run's jobs is run here.
    pub fn is_part(&self) -> bool {
        self.journal.head.shard.is_some()
    }

    /// Whether the job of this number is one of those that are run here.
    pub fn takes(&self, number: usize) -> bool {
        self.journal.head.shard.is_none_or(|shard| {
            let (part, of) = (shard.number.get() as usize - 1, shard.of.get() as usize);
            number % of == part
        })
    }

    /// The outcome of a job that has ended before.
    ///
    /// # Errors
    /// If the journal has another kind of outcome under this id, or has none where it must have all.
    pub fn kept<T: DeserializeOwned>(&self, id: &str) -> Result<Option<T>, SubjectError> {
        let unreadable =
            |error| SubjectError::Journal(format!("the journal has no outcome of the job '{id}': {error}"));
        match self.journal.outcome(id) {
            Some(outcome) => outcome.map(Some).map_err(unreadable),
            None if self.only_kept => Err(SubjectError::Journal(format!("no shard has the job '{id}'"))),
            None => Ok(None),
        }
    }

    /// Keeps the outcome of a job.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn keep<T: Serialize>(&self, id: &str, outcome: &T) -> Result<(), SubjectError> {
        self.journal.keep(id, outcome).map_err(|error| SubjectError::Journal(error.to_string()))
    }

    /// Runs those of these jobs that have not ended before; see [`run`].
    pub fn run<J: Sync, T: Serialize + DeserializeOwned + Send>(
        &self,
        jobs: &[J],
        id: impl Fn(&J) -> String + Sync,
        watch: &mut dyn Watch,
        job: impl Fn(&J, &mut dyn Watch) -> Result<T, SubjectError> + Sync,
    ) -> Outcomes<T> {
        run(jobs, self.threads, watch, |each, watch| {
            let id = id(each);
            if let Some(outcome) = self.kept(&id)? {
                return Ok(outcome);
            }
            let outcome = job(each, watch)?;
            self.keep(&id, &outcome)?;
            Ok(outcome)
        })
    }
}

/// What jobs came to.
#[derive(Debug)]
pub struct Outcomes<T> {
    /// The outcomes of the jobs before the first that failed, in order.
    pub of: Vec<T>,
    /// Why that one failed, where one did.
    pub failed: Option<SubjectError>,
}

impl<T> Outcomes<T> {
    /// All outcomes, where no job failed.
    ///
    /// # Errors
    /// Why the first job that failed did.
    pub fn all(self) -> Result<Vec<T>, SubjectError> {
        self.failed.map_or(Ok(self.of), Err)
    }
}

/// What a job on a thread of its own may ask for.
struct JobWatch<'a> {
    stop: &'a AtomicBool,
    /// How much of this job is done, in thousandths.
    within: &'a AtomicU64,
    /// States that no one has reported yet, and how deep the last of them is.
    states: &'a (AtomicU64, AtomicU64),
}

impl Watch for JobWatch<'_> {
    fn begin(&mut self, _stage: &str, _total: u64) {}
    fn advance(&mut self, _units: u64) {}
    fn within(&mut self, thousandths: u64) {
        // A job may run several worlds, one after the other: what is done stays done.
        self.within.fetch_max(thousandths.min(1000), Ordering::Relaxed);
    }
    fn states(&mut self, states: u64, depth: u64) {
        self.states.0.fetch_add(states, Ordering::Relaxed);
        self.states.1.store(depth, Ordering::Relaxed);
    }
    fn end(&mut self) {}
    fn stop_requested(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The watch of a stage, for what is a part of one of its units: it only tells whether the user asked to stop.
pub struct Inner<'a>(pub &'a dyn Watch);

impl Watch for Inner<'_> {
    fn begin(&mut self, _stage: &str, _total: u64) {}
    fn advance(&mut self, _units: u64) {}
    fn end(&mut self) {}
    fn stop_requested(&self) -> bool {
        self.0.stop_requested()
    }
}

/// The watch of a stage, for a job that counts units of its own: it tells which part of the job is done.
pub struct Within<'a> {
    watch: &'a mut dyn Watch,
    of: u64,
    done: u64,
}

impl<'a> Within<'a> {
    /// Of a job of so many units.
    pub fn of(of: u64, watch: &'a mut dyn Watch) -> Self {
        Within { watch, of: of.max(1), done: 0 }
    }
}

impl Watch for Within<'_> {
    fn begin(&mut self, _stage: &str, _total: u64) {}
    fn advance(&mut self, units: u64) {
        self.done = self.done.saturating_add(units).min(self.of);
        self.within(0);
    }
    fn within(&mut self, thousandths: u64) {
        let done = u128::from(self.done) * 1000 + u128::from(thousandths.min(1000));
        self.watch.within((done / u128::from(self.of)) as u64);
    }
    fn end(&mut self) {}
    fn stop_requested(&self) -> bool {
        self.watch.stop_requested()
    }
}

/// The watch of a stage, for one of the units that a job of it counts: it tells which part of that unit is done.
pub struct OneOf<'a>(pub &'a mut dyn Watch);

impl Watch for OneOf<'_> {
    fn begin(&mut self, _stage: &str, _total: u64) {}
    fn advance(&mut self, _units: u64) {}
    fn within(&mut self, thousandths: u64) {
        self.0.within(thousandths);
    }
    fn end(&mut self) {}
    fn stop_requested(&self) -> bool {
        self.0.stop_requested()
    }
}

/// The watch of a stage, for the threads that share one of its units: it takes their states, and tells whether to stop.
pub struct Shared<'a>(pub &'a mut dyn Watch);

impl Watch for Shared<'_> {
    fn begin(&mut self, _stage: &str, _total: u64) {}
    fn advance(&mut self, _units: u64) {}
    fn states(&mut self, states: u64, depth: u64) {
        self.0.states(states, depth);
    }
    fn end(&mut self) {}
    fn stop_requested(&self) -> bool {
        self.0.stop_requested()
    }
}

/// Runs jobs on at most so many threads. The watch advances by one unit for each job that ends.
///
/// Jobs begin in order. After one has failed, no later one begins: of several that fail, the first in order is reported.
///
/// # Panics
/// If a job does, with its panic.
pub fn run<J: Sync, T: Send>(
    jobs: &[J],
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
    job: impl Fn(&J, &mut dyn Watch) -> Result<T, SubjectError> + Sync,
) -> Outcomes<T> {
    let results: Vec<Option<Result<T, SubjectError>>> = if threads.get().min(jobs.len()) > 1 {
        on_threads(jobs, threads, watch, &job)
    } else {
        let mut failed = false;
        let one = |each: &J| {
            if failed {
                return None;
            }
            let result = if watch.stop_requested() { Err(SubjectError::Interrupted) } else { job(each, watch) };
            failed = result.is_err();
            watch.advance(u64::from(!failed));
            Some(result)
        };
        jobs.iter().map(one).collect()
    };
    let mut outcomes = Outcomes { of: Vec::with_capacity(jobs.len()), failed: None };
    for result in results {
        match result {
            Some(Ok(outcome)) => outcomes.of.push(outcome),
            Some(Err(error)) => {
                outcomes.failed = Some(error);
                break;
            }
            // It did not begin, since the user asked to stop.
            None => {
                outcomes.failed = Some(SubjectError::Interrupted);
                break;
            }
        }
    }
    outcomes
}

fn on_threads<J: Sync, T: Send>(
    jobs: &[J],
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
    job: &(impl Fn(&J, &mut dyn Watch) -> Result<T, SubjectError> + Sync),
) -> Vec<Option<Result<T, SubjectError>>> {
    // Nobody else asks for the place of a job while the job runs.
    let results: Vec<Mutex<Option<Result<T, SubjectError>>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let numbered = |number: usize, watch: &mut dyn Watch| {
        let result = job(&jobs[number], watch);
        let is_sound = result.is_ok();
        *results[number].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        is_sound
    };
    numbers_on_threads(jobs.len(), threads, watch, &numbered);
    results.into_iter().map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// Has the jobs of these numbers run. A job says whether it ended without an error. Threads and their channel are compiled
/// once, and not for every kind of job.
fn numbers_on_threads(
    jobs: usize,
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
    job: &(dyn Fn(usize, &mut dyn Watch) -> bool + Sync),
) {
    let (next, failed, stop) = (AtomicUsize::new(0), AtomicBool::new(false), AtomicBool::new(watch.stop_requested()));
    let (ended, came) = channel();
    let mut panicked = None;
    let states = (AtomicU64::new(0), AtomicU64::new(0));
    let within: Vec<AtomicU64> = (0..threads.get().min(jobs)).map(|_| AtomicU64::new(0)).collect();
    thread::scope(|scope| {
        for within in &within {
            let (ended, next, failed, stop, states) = (ended.clone(), &next, &failed, &stop, &states);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= jobs {
                        break;
                    }
                    let mut watch = JobWatch { stop, within, states };
                    let is_sound = catch_unwind(AssertUnwindSafe(|| job(number, &mut watch)));
                    if !matches!(is_sound, Ok(true)) {
                        failed.store(true, Ordering::Relaxed);
                    }
                    within.store(0, Ordering::Relaxed);
                    // Who takes the news outlives all threads.
                    let _ = ended.send(is_sound);
                }
            });
        }
        drop(ended);
        loop {
            let came = came.recv_timeout(BETWEEN_QUESTIONS);
            match states.0.swap(0, Ordering::Relaxed) {
                0 => {}
                more => watch.states(more, states.1.load(Ordering::Relaxed)),
            }
            match came {
                Ok(Ok(is_sound)) => watch.advance(u64::from(is_sound)),
                Ok(Err(panic)) => panicked = Some(panic),
                Err(RecvTimeoutError::Timeout) => {
                    watch.within(within.iter().map(|within| within.load(Ordering::Relaxed)).sum());
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if watch.stop_requested() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
    if let Some(panic) = panicked {
        resume_unwind(panic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watch::Unwatched;

    fn threads(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).expect("some")
    }

    #[test]
    fn how_far_jobs_are_that_have_not_ended_is_told_in_all() {
        /// Remembers the most that was reported.
        #[derive(Default)]
        struct Reported(u64);

        impl Watch for Reported {
            fn begin(&mut self, _stage: &str, _total: u64) {}
            fn advance(&mut self, _units: u64) {}
            fn within(&mut self, thousandths: u64) {
                self.0 = self.0.max(thousandths);
            }
            fn end(&mut self) {}
            fn stop_requested(&self) -> bool {
                self.0 == 1100
            }
        }

        for (number, expected) in [(1, 800), (2, 1100)] {
            let mut reported = Reported::default();
            let half_done = |&within: &u64, watch: &mut dyn Watch| {
                // A second world of the same job begins anew, and takes nothing back.
                [within, within / 2].into_iter().for_each(|within| watch.within(within));
                while number > 1 && !watch.stop_requested() {
                    thread::yield_now();
                }
                Ok(())
            };
            let _ = run(&[300, 800], threads(number), &mut reported, half_done);
            assert_eq!(reported.0, expected, "{number} threads");
        }
    }

    #[test]
    fn outcomes_are_in_the_order_of_the_jobs_whichever_thread_is_first() {
        let jobs: Vec<u64> = (0..40).collect();
        for number in [1, 2, 5, 100] {
            let done: Vec<AtomicBool> = jobs.iter().map(|_| AtomicBool::new(false)).collect();
            // Where there are several threads, every seventh job ends after the one that follows it.
            let slow_first = |&job: &u64, _: &mut dyn Watch| {
                while number > 1 && job.is_multiple_of(7) && !done[job as usize + 1].load(Ordering::Relaxed) {
                    thread::yield_now();
                }
                done[job as usize].store(true, Ordering::Relaxed);
                Ok(job * job)
            };
            let outcomes = run(&jobs, threads(number), &mut Unwatched, slow_first);
            assert_eq!(outcomes.of, jobs.iter().map(|job| job * job).collect::<Vec<_>>(), "{number} threads");
            assert_eq!(outcomes.failed, None);
        }
    }

    #[test]
    fn of_several_jobs_that_fail_the_first_is_told_and_the_outcomes_before_it_are_kept() {
        let jobs: Vec<u64> = (0..40).collect();
        for number in [1, 2, 3] {
            // Where there are several threads, a later job has failed before the first one does.
            let later_failed = AtomicBool::new(number == 1);
            let job = |&job: &u64, _: &mut dyn Watch| match job {
                11 => {
                    while !later_failed.load(Ordering::Relaxed) {
                        thread::yield_now();
                    }
                    Err(SubjectError::Unavailable("the first".to_owned()))
                }
                12.. => {
                    later_failed.store(true, Ordering::Relaxed);
                    Err(SubjectError::Unavailable("a later one".to_owned()))
                }
                _ => Ok(job),
            };
            let outcomes = run(&jobs, threads(number), &mut Unwatched, job);
            assert_eq!(outcomes.of, (0..11).collect::<Vec<_>>(), "{number} threads");
            assert_eq!(outcomes.failed, Some(SubjectError::Unavailable("the first".to_owned())));
        }
    }

    /// A user who asks to stop once so many jobs are done.
    struct StopsAfter(u64);

    impl Watch for StopsAfter {
        fn begin(&mut self, _stage: &str, _total: u64) {}
        fn advance(&mut self, units: u64) {
            self.0 = self.0.saturating_sub(units);
        }
        fn end(&mut self) {}
        fn stop_requested(&self) -> bool {
            self.0 == 0
        }
    }

    #[test]
    fn a_wish_to_stop_reaches_jobs_that_run_and_no_other_begins() {
        let jobs: Vec<u64> = (0..1000).collect();
        for number in [1, 2, 3] {
            let begun = AtomicUsize::new(0);
            let until_stopped = |&job: &u64, watch: &mut dyn Watch| {
                begun.fetch_add(1, Ordering::Relaxed);
                while job > 4 && !watch.stop_requested() {
                    thread::yield_now();
                }
                if watch.stop_requested() { Err(SubjectError::Interrupted) } else { Ok(job) }
            };
            let outcomes = run(&jobs, threads(number), &mut StopsAfter(3), until_stopped);
            assert_eq!(outcomes.failed, Some(SubjectError::Interrupted), "{number} threads");
            assert!(outcomes.of.len() >= 3 && outcomes.of.len() < 20, "{}", outcomes.of.len());
            assert!(begun.load(Ordering::Relaxed) < 20);
        }
    }

    #[test]
    fn a_job_that_panics_does_so_for_who_runs_the_jobs() {
        let job = |&job: &u64, _: &mut dyn Watch| if job == 3 { panic!("number {job}") } else { Ok(job) };
        let run = || run(&[1, 2, 3, 4], threads(2), &mut Unwatched, job).of;
        let panic = catch_unwind(run).expect_err("a job panics");
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("number 3"));
    }
}
