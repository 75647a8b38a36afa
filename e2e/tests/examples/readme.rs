//! What a README says is to be typed.

use crate::root;

/// The text of one.
pub(crate) struct Readme(String);

impl Readme {
    /// Of an example.
    pub(crate) fn of(name: &str) -> Self {
        let path = root().join("examples").join(name).join("README.md");
        let text = std::fs::read_to_string(&path);
        Self(text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    pub(crate) fn title(&self) -> &str {
        self.0.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default()
    }

    /// The lines of code blocks that begin with `head`, perhaps behind variables, without what is said of them.
    pub(crate) fn commands(&self, head: &str) -> Vec<String> {
        let lines = self.0.lines().filter_map(|line| line.strip_prefix("    "));
        let commands = lines.filter_map(|line| {
            let mut rest = line;
            while let Some((word, more)) = rest.split_once(' ')
                && word.contains('=')
            {
                rest = more;
            }
            let command = rest.split("   #").next().unwrap_or_default().trim_end();
            command.starts_with(head).then(|| command.to_owned())
        });
        commands.collect()
    }

    /// The files and folders of `examples/` that it speaks of.
    pub(crate) fn paths(&self) -> Vec<String> {
        let words = self.0.split(|c: char| c.is_whitespace() || "`()\"'".contains(c));
        let paths = words.filter(|word| word.starts_with("examples/"));
        // What is copied beside a pool is not there before.
        let paths = paths.filter(|path| !matches!(*path, COPIED | COPIED_BAN));
        paths.map(|path| path.trim_end_matches(['.', ',', ':', ';']).to_owned()).collect()
    }
}

const COPIED: &str = "examples/quickstart/tag.yaml";
const COPIED_BAN: &str = "examples/quickstart/ban.yaml";
