//! Result tables: a row per measurement, a column per implementation, a ratio, and the target it is held against.

use std::fmt;

/// What the ratio of a row has to be.
#[derive(Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    None,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Verdict {
    Met,
    Missed,
    /// No target, or nothing to compare with.
    Open,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
            Verdict::Open => "",
        }
    }
}

pub struct Row {
    pub name: String,
    /// One per column; `None` where that implementation did not run.
    pub values: Vec<Option<f64>>,
    /// What the target is about: a quotient of two values, or the first value itself.
    pub ratio: Option<f64>,
    pub target: Target,
}

impl Row {
    pub fn verdict(&self) -> Verdict {
        let met = match (self.ratio, self.target) {
            (Some(ratio), Target::AtLeast(bound)) => ratio >= bound,
            (Some(ratio), Target::AtMost(bound)) => ratio <= bound,
            _ => return Verdict::Open,
        };
        if met { Verdict::Met } else { Verdict::Missed }
    }
}

pub struct Table {
    pub title: String,
    /// Unit of the values, for the heading.
    pub unit: &'static str,
    pub columns: Vec<String>,
    /// What the ratio column says.
    pub ratio: &'static str,
    pub rows: Vec<Row>,
}

impl Table {
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict() == verdict).count()
    }

    fn cells(&self) -> Vec<Vec<String>> {
        let mut heading = vec![String::new()];
        heading.extend(self.columns.iter().cloned());
        heading.extend([self.ratio.to_string(), "target".to_string(), String::new()]);
        let mut lines = vec![heading];
        for row in &self.rows {
            let mut line = vec![row.name.clone()];
            line.extend(row.values.iter().map(|value| value.map_or("-".to_string(), number)));
            line.push(row.ratio.map_or("-".to_string(), |ratio| format!("{ratio:.2}")));
            line.push(match row.target {
                Target::AtLeast(bound) => format!(">= {bound:.2}"),
                Target::AtMost(bound) => format!("<= {bound:.2}"),
                Target::None => String::new(),
            });
            line.push(row.verdict().word().to_string());
            lines.push(line);
        }
        lines
    }
}

/// Three significant digits are more than a median of five is good for.
fn number(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let lines = self.cells();
        let widths: Vec<usize> = (0..lines[0].len())
            .map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0))
            .collect();
        writeln!(f, "\n{} ({})", self.title, self.unit)?;
        for line in &lines {
            let mut text = format!("  {:<1$}", line[0], widths[0]);
            for (cell, width) in line.iter().zip(&widths).skip(1) {
                text.push_str(&format!("  {cell:>width$}"));
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}
