//! The conditions of each kind, from the table that operators read (`docs/operations.md`), so that they are told once.

/// A row of that table.
pub(crate) struct Row<'a> {
    pub(crate) kinds: Vec<&'a str>,
    /// One of all kinds, or one for each.
    pub(crate) conditions: Vec<&'a str>,
    pub(crate) status: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) meaning: &'a str,
}

impl Row<'_> {
    /// The condition, if it is one of `kind`.
    pub(crate) fn condition(&self, kind: &str) -> Option<&str> {
        let at = self.kinds.iter().position(|one| *one == kind)?;
        self.conditions.get(at).or(self.conditions.last()).copied()
    }
}

/// All rows, in order.
pub(crate) fn read(page: &str) -> Vec<Row<'_>> {
    let head = "| kind | condition | status | reason | what it means | what to do |";
    let (_, table) = page.split_once(head).expect("docs/operations.md has the table of reasons");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let rows: Vec<_> = rows
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [kinds, conditions, status, reason, meaning, _] = cells[..] else {
                panic!("not six cells: {line}");
            };
            let kinds = kinds.split(", ").map(|kind| kind.trim_matches('`')).collect();
            Row { kinds, conditions: conditions.split(", ").collect(), status, reason, meaning }
        })
        .collect();
    assert!(rows.len() > 15, "{} rows", rows.len());
    rows
}
