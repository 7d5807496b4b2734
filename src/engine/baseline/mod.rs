//! The engines that the reference is compared with: what other sync systems do, each as plainly as it can be done. One
//! reliable channel carries what each of them sends; what they lose, they lose by how they merge.
//!
//! Knows: contents of the reliable channel. Must not: know connections, or stores.

pub mod first_writer;
pub mod full_state;
pub mod lww_arrival;
pub mod lww_hybrid_clock;
pub mod lww_server_stamp;
pub mod lww_wall_clock;
pub mod operation_log;
pub mod pn_counter;
pub mod reconciliation;
pub mod register_map;
pub mod whole_state;
pub mod xor_delta;
