//! `abench man [VERB] [--dir FOLDER]`: manual pages, made from the flags.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, ValueHint};
use clap_mangen::Man;

use crate::cmd::{Failure, unwritable};
use crate::console::{Console, Stream, When};
use crate::domain::nearest::meant;
use crate::domain::verdict::exit;
use crate::report::file::Destination;

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # Read the page of a verb
  abench man run | man -l -
  # All pages, for a package
  abench man --dir man1";

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ManArgs {
    /// The verb; without one, the page of abench itself
    #[arg(value_name = "VERB")]
    pub verb: Option<String>,
    /// Write the pages of abench and of all verbs to a folder, which is made if it is not there
    #[arg(long, value_name = "FOLDER", conflicts_with = "verb", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Prints a page, or writes all.
pub fn run(args: &ManArgs, command: clap::Command) -> Result<u8, Failure> {
    let pages = pages(command);
    let Some(folder) = &args.dir else {
        let (_, page) = page(&pages, args.verb.as_deref())?;
        Console::new(When::Never).write(Stream::Output, page).map_err(unwritable)?;
        return Ok(exit::HOLDS);
    };
    let unmakable = || format!("cannot make the folder {}", folder.display());
    std::fs::create_dir_all(folder).with_context(unmakable).map_err(Failure::usage)?;
    // Each place is tried before the first page is written.
    let places: Result<Vec<_>, _> = pages.iter().map(|(name, _)| Destination::open(&folder.join(name))).collect();
    places?.into_iter().zip(&pages).try_for_each(|(place, (_, page))| place.write(page))?;
    Ok(exit::HOLDS)
}

/// File name and text of every page: of abench first, then of each verb.
pub fn pages(mut command: clap::Command) -> Vec<(String, String)> {
    command.build();
    let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help").cloned().collect::<Vec<_>>();
    let page = |command| {
        let man = Man::new(command).manual("abench");
        let mut page = Vec::new();
        man.render(&mut page).expect("memory takes all that is written");
        (man.get_filename(), String::from_utf8(page).expect("all help is text"))
    };
    [command].into_iter().chain(verbs).map(page).collect()
}

fn page<'a>(pages: &'a [(String, String)], verb: Option<&str>) -> Result<&'a (String, String), Failure> {
    let wanted = verb.map_or("abench.1".to_owned(), |verb| format!("abench-{verb}.1"));
    pages.iter().find(|(name, _)| *name == wanted).ok_or_else(|| {
        let verbs = || pages.iter().filter_map(|(name, _)| name.strip_prefix("abench-")?.strip_suffix(".1"));
        let verb = verb.unwrap_or_default();
        let meant = meant(verb, verbs());
        let allowed = verbs().collect::<Vec<_>>().join(", ");
        Failure::usage(anyhow!("'{verb}' is not a verb{meant}; allowed are {allowed}"))
    })
}
