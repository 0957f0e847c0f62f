//! The scripts that measure inside their own process print `row NAME NUMBER...` and `check NAME VALUE` lines.
//! This file reads them back and makes sure that all implementations computed the same.

use crate::run::{Lab, Outcome, median};

/// What one script printed over all rounds: the numbers of each row, and its checksums.
pub struct Report {
    rows: Vec<(String, Vec<Vec<f64>>)>,
    checks: Vec<String>,
}

impl Report {
    /// Fails when a line is malformed or the checksums change from round to round.
    pub fn read(outcomes: &[Outcome]) -> Result<Report, String> {
        let mut report = Report { rows: Vec::new(), checks: Vec::new() };
        for (round, outcome) in outcomes.iter().enumerate() {
            let mut checks = Vec::new();
            for line in outcome.stdout.lines() {
                match line.split_once(' ') {
                    Some(("row", rest)) => report.add_row(rest)?,
                    Some(("check", rest)) => checks.push(rest.to_string()),
                    _ => return Err(format!("unexpected line of output: {line}")),
                }
            }
            if round == 0 {
                report.checks = checks;
            } else if checks != report.checks {
                return Err(format!("checksums differ from round to round: {:?}, {checks:?}", report.checks));
            }
        }
        Ok(report)
    }

    fn add_row(&mut self, text: &str) -> Result<(), String> {
        let malformed = || format!("malformed row: {text}");
        let (name, numbers) = text.split_once(' ').ok_or_else(malformed)?;
        let numbers: Vec<f64> =
            numbers.split(' ').map(str::parse).collect::<Result<_, _>>().map_err(|_| malformed())?;
        match self.rows.iter_mut().find(|(known, _)| known == name) {
            Some((_, rounds)) => rounds.push(numbers),
            None => self.rows.push((name.to_string(), vec![numbers])),
        }
        Ok(())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|(name, _)| name.as_str())
    }

    /// The least of the row's first numbers and the least of its second ones.
    pub fn least(&self, name: &str) -> Option<[f64; 2]> {
        let (_, rounds) = self.rows.iter().find(|(known, _)| known == name)?;
        let least = |column: usize| rounds.iter().filter_map(|r| r.get(column)).copied().reduce(f64::min);
        Some([least(0)?, least(1)?])
    }

    /// Median over the rounds of the row's number at `column`.
    pub fn median(&self, name: &str, column: usize) -> Option<f64> {
        let (_, rounds) = self.rows.iter().find(|(known, _)| known == name)?;
        let values: Vec<f64> = rounds.iter().filter_map(|numbers| numbers.get(column).copied()).collect();
        if values.is_empty() { None } else { Some(median(values)) }
    }

    /// The first number of each of the row's lines divided by the second.
    pub fn speed_ups(&self, name: &str) -> Vec<f64> {
        let rounds = self.rows.iter().find(|(known, _)| known == name).map(|(_, rounds)| rounds.as_slice());
        let ratio = |numbers: &Vec<f64>| Some(numbers.first()? / numbers.get(1)?);
        rounds.unwrap_or_default().iter().filter_map(ratio).collect()
    }

    /// Fails when another implementation computed something else.
    pub fn agree(&self, other: &Report) -> Result<(), String> {
        if self.checks == other.checks {
            return Ok(());
        }
        Err(format!("checksums differ: {:?} against {:?}", self.checks, other.checks))
    }
}

/// Reports every script run whose checksums are not those of the last implementation that ran.
pub fn compare_checks(lab: &mut Lab, what: &str, reports: &[Option<Report>]) {
    let Some(expected) = reports.iter().flatten().last() else { return };
    for report in reports.iter().flatten() {
        if let Err(message) = report.agree(expected) {
            lab.report(&format!("{what}: {message}"));
        }
    }
}
