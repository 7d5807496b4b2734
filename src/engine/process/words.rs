//! The command of a process, as words.

use std::path::Path;

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// As it was given.
    text: String,
    /// Its words.
    pub all: Vec<String>,
}

impl Words {
    /// The words of a command line, split as a POSIX shell splits them; nothing is expanded.
    ///
    /// # Errors
    /// If it has none, or a quote has no end.
    pub fn of(text: &str) -> Result<Self, String> {
        let words = shlex::split(text).ok_or_else(|| format!("the command '{text}' has a quote without an end"))?;
        match words.first() {
            Some(_) => Ok(Words { text: text.to_owned(), all: words }),
            None => Err("the command has no words".to_owned()),
        }
    }

    /// The words to start: a process runs in a folder of its own, so that a path to a file here becomes absolute.
    pub fn absolute(&self) -> Vec<String> {
        let absolute = |(place, word): (usize, &String)| {
            let path = Path::new(word);
            // The first word without a slash is looked up in PATH.
            let is_file = (place > 0 || word.contains('/')) && !word.is_empty() && path.exists();
            let found = is_file.then(|| std::path::absolute(path).ok()).flatten();
            found.and_then(|path| path.into_os_string().into_string().ok()).unwrap_or_else(|| word.clone())
        };
        self.all.iter().enumerate().map(absolute).collect()
    }
}

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "'{}'", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does_and_files_here_become_absolute() {
        let words = Words::of("python3 'a b.py' src/lib.rs --flag Cargo.toml").expect("it has words");
        assert_eq!(words.all, ["python3", "a b.py", "src/lib.rs", "--flag", "Cargo.toml"]);
        let absolute = words.absolute();
        assert_eq!(absolute[..2], ["python3", "a b.py"]);
        assert!(absolute[2].starts_with('/') && absolute[2].ends_with("/src/lib.rs"), "{absolute:?}");
        assert!(absolute[4].ends_with("/Cargo.toml") && absolute[3] == "--flag");
        assert!(Words::of("'").is_err() && Words::of("  ").is_err());
    }
}
