//! What may be said of a device at the other end of a link, and so how its answers are labelled.
//!
//! A link does not tell what is behind it: a board, somebody's simulator, a recording that is played back. abench can
//! tell its own emulators, which mark themselves ([`crate::device::mark`]), and nothing else. Hence:
//!
//! | what answers | the user says `--silicon` | evidence |
//! |---|---|---|
//! | marks itself as an emulator | no | what it emulates: `model` or `rtl-simulation` |
//! | marks itself as an emulator | yes | refused: the statement is false |
//! | does not mark itself | no | `unattested` |
//! | does not mark itself | yes | `silicon`, on the user's word |
//!
//! Registers that are mapped into memory (`devmem`, `uio`) are no exception: an emulated machine has a `/dev/mem`, too.

use crate::domain::evidence::Evidence;
use crate::domain::subject::SubjectError;

/// What the user says of the other end of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attestation {
    /// Nothing.
    #[default]
    None,
    /// That it is a board.
    Silicon,
}

impl Attestation {
    /// How the answers are got of what bears this mark, or none.
    ///
    /// # Errors
    /// If what is said is seen to be false.
    pub fn evidence(self, mark: Option<Evidence>) -> Result<Evidence, SubjectError> {
        match (self, mark) {
            (Attestation::None, None) => Ok(Evidence::Unattested),
            (Attestation::None, Some(emulated)) => Ok(emulated),
            (Attestation::Silicon, None) => Ok(Evidence::Silicon),
            (Attestation::Silicon, Some(emulated)) => Err(SubjectError::Unavailable(format!(
                "--silicon says that a board answers, and what answers marks itself as an emulator (evidence {emulated})"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silicon_takes_the_users_word_and_no_mark_of_an_emulator() {
        let model = Some(Evidence::Model);
        assert_eq!(Attestation::None.evidence(None), Ok(Evidence::Unattested));
        assert_eq!(Attestation::None.evidence(model), Ok(Evidence::Model));
        assert_eq!(Attestation::Silicon.evidence(None), Ok(Evidence::Silicon));
        assert!(Attestation::Silicon.evidence(model).is_err());
    }
}
